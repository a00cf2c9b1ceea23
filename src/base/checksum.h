/* Checksums of what is written to disk: XXH3, 64 bits; and names of contents, 128. */
#ifndef LAIP_BASE_CHECKSUM_H
#define LAIP_BASE_CHECKSUM_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

uint64_t laip_checksum(const void *data, size_t size);
/* 128 bits of it, big-endian: names a content. */
void laip_checksum_wide(const void *data, size_t size, uint8_t sum[16]);
bool laip_checksum_wide_file(const char *path, uint8_t sum[16], laip_error *error); /* read in parts */

/* The same of data that come in parts. */
typedef struct laip_checksum_state laip_checksum_state;
laip_checksum_state *laip_checksum_create(void);
void laip_checksum_free(laip_checksum_state *state);
void laip_checksum_add(laip_checksum_state *state, const void *data, size_t size);
uint64_t laip_checksum_end(laip_checksum_state *state); /* of all that was added since the last end */

#endif
