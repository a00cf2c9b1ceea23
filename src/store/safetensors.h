/* safetensors files: an 8-byte length, a JSON header of names, types, shapes and places, then the tensors'
 * bytes. Opening reads the header and checks all of it; elements are read one tensor at a time, or all of
 * them to stay.  Nothing is mapped: a file that is cut short meanwhile would end the process.  Writing
 * streams, in the order that the tensors were declared.
 *
 * Files that are written here carry checksums in their metadata: `checksum` is "xxh3-64", and `xxh3` has 16
 * hexadecimal digits for the header (all of it, with zeros in the place of these digits) and 16 for each
 * tensor, in the order of the file.  The header is checked when the file is opened, a tensor by
 * laip_safetensors_verify.  Files of others have none. */
#ifndef LAIP_STORE_SAFETENSORS_H
#define LAIP_STORE_SAFETENSORS_H

#include "base/checksum.h"
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "store/tensor.h"

typedef struct laip_safetensors {
    char *path;
    int fd;
    size_t size, count;
    laip_tensor_entry *tensors; /* by their place in the file */
    char *elements;             /* of all tensors, after laip_safetensors_load */
    laip_map index, metadata_index;
    char **metadata;
    uint64_t *sums; /* [count], where the file has checksums; else NULL */
} laip_safetensors;

bool laip_safetensors_open(laip_safetensors *file, const char *path, laip_error *error);
void laip_safetensors_close(laip_safetensors *file);
const laip_tensor_entry *laip_safetensors_find(const laip_safetensors *file, const char *name);
const char *laip_safetensors_metadata(const laip_safetensors *file, const char *key); /* NULL: none */
/* The bytes of tensor i, verified; a file that was cut short meanwhile is bad input. */
bool laip_safetensors_read(const laip_safetensors *file, size_t i, void *data, laip_error *error);
/* Reads all tensors, verified; their data, each aligned, stay until the file is closed. */
bool laip_safetensors_load(laip_safetensors *file, laip_error *error);
/* Whether tensor i is as it was written; bad input names it.  True where the file has no checksums. */
bool laip_safetensors_verify(const laip_safetensors *file, size_t i, laip_error *error);

/* Writing: declare all tensors, begin, write each one's bytes in order, end. */
typedef struct laip_safetensors_writer {
    laip_str metadata, tensors, sums;
    size_t offset, declared, *end; /* end [declared]: where each tensor's bytes end */
    size_t end_capacity, written, current, sums_at;
    laip_checksum_state *state;
    laip_file file;
} laip_safetensors_writer;

void laip_safetensors_metadata_add(laip_safetensors_writer *w, const char *key,
                                   const char *value); /* before tensors */
void laip_safetensors_declare(laip_safetensors_writer *w, const char *name, laip_dtype type, int rank,
                              const size_t *shape);
bool laip_safetensors_begin(laip_safetensors_writer *w, const char *path, laip_error *error);
void laip_safetensors_write(laip_safetensors_writer *w, const void *data, size_t bytes);
bool laip_safetensors_end(laip_safetensors_writer *w, laip_error *error);
void laip_safetensors_cancel(laip_safetensors_writer *w);

#endif
