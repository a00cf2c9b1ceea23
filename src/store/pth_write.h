/* Writes {"model": tensors} as torch.load reads it, of any version: a row of pickles, then the storages.
 * Declare all tensors, begin, write the elements of those that have storages of their own in order, end. */
#ifndef LAIP_STORE_PTH_WRITE_H
#define LAIP_STORE_PTH_WRITE_H

#include "base/file.h"
#include "base/str.h"
#include "store/tensor.h"

typedef struct laip_pth_writer {
    laip_str object, keys;
    laip_file file;
    size_t storages;
} laip_pth_writer;

/* A dense tensor; its storage's number, which `shared` of a later one names (SIZE_MAX: one of its own). */
size_t laip_pth_declare(laip_pth_writer *w, const char *name, laip_dtype type, int rank, const size_t *shape,
                        size_t shared);
bool laip_pth_begin(laip_pth_writer *w, const char *path, laip_error *error);
void laip_pth_write(laip_pth_writer *w, const void *data, size_t elements, laip_dtype type);
bool laip_pth_end(laip_pth_writer *w, laip_error *error);
void laip_pth_cancel(laip_pth_writer *w);

#endif
