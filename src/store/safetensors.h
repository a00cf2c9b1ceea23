/* safetensors files: an 8-byte length, a JSON header of names, types, shapes and places, then the tensors'
 * bytes. Reading maps the file and checks all of the header; writing streams, in the order that the tensors
 * were declared. */
#ifndef LAIP_STORE_SAFETENSORS_H
#define LAIP_STORE_SAFETENSORS_H

#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "store/tensor.h"

typedef struct laip_safetensors {
    char *path;
    const void *map;
    size_t size, count;
    laip_tensor_entry *tensors; /* by their place in the file */
    laip_map index, metadata_index;
    char **metadata;
} laip_safetensors;

bool laip_safetensors_open(laip_safetensors *file, const char *path, laip_error *error);
void laip_safetensors_close(laip_safetensors *file);
const laip_tensor_entry *laip_safetensors_find(const laip_safetensors *file, const char *name);
const char *laip_safetensors_metadata(const laip_safetensors *file, const char *key); /* NULL: none */
/* Writing: declare all tensors, begin, write each one's bytes in order, end. */
typedef struct laip_safetensors_writer {
    laip_str header;
    size_t offset, declared;
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
