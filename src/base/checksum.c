#include "base/checksum.h"

#include "base/file.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

struct laip_checksum_state {
    XXH3_state_t *xxh3;
};

uint64_t laip_checksum(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}

static void write_wide(XXH128_hash_t hash, uint8_t sum[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(sum, canonical.digest, 16);
}

void laip_checksum_wide(const void *data, size_t size, uint8_t sum[16])
{
    write_wide(XXH3_128bits(data, size), sum);
}

bool laip_checksum_wide_file(const char *path, uint8_t sum[16], laip_error *error)
{
    enum { PART = 1 << 20 };
    int fd;
    size_t size;
    if (!laip_file_open(path, &fd, &size, error))
        return false;
    XXH3_state_t *s = XXH3_createState();
    char *part = laip_alloc(PART, 1);
    bool good = true;
    if (!s)
        laip_out_of_memory(1, PART);
    XXH3_128bits_reset(s);
    for (size_t at = 0; good && at < size; at += PART) {
        size_t bytes = size - at < PART ? size - at : PART;
        good = laip_file_read_at(fd, path, at, part, bytes, error);
        if (good)
            XXH3_128bits_update(s, part, bytes);
    }
    write_wide(XXH3_128bits_digest(s), sum);
    XXH3_freeState(s);
    free(part);
    close(fd);
    return good;
}

laip_checksum_state *laip_checksum_create(void)
{
    laip_checksum_state *s = laip_alloc(1, sizeof *s);
    s->xxh3 = XXH3_createState(); /* its alignment is more than malloc's */
    if (!s->xxh3)
        laip_out_of_memory(1, sizeof *s);
    XXH3_64bits_reset(s->xxh3);
    return s;
}

void laip_checksum_free(laip_checksum_state *s)
{
    if (s)
        XXH3_freeState(s->xxh3);
    free(s);
}

void laip_checksum_add(laip_checksum_state *s, const void *data, size_t size)
{
    if (size)
        XXH3_64bits_update(s->xxh3, data, size);
}

uint64_t laip_checksum_end(laip_checksum_state *s)
{
    uint64_t sum = XXH3_64bits_digest(s->xxh3);
    XXH3_64bits_reset(s->xxh3);
    return sum;
}
