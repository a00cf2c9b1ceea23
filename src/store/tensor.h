/* A tensor of a file: name, type, shape and elements, as safetensors and .pth files hold them. */
#ifndef LAIP_STORE_TENSOR_H
#define LAIP_STORE_TENSOR_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

typedef enum laip_dtype {
    LAIP_F32,
    LAIP_F16,
    LAIP_BF16,
    LAIP_F64,
    LAIP_I64,
    LAIP_I32,
    LAIP_I16,
    LAIP_I8,
    LAIP_U8,
    LAIP_BOOL,
    LAIP_DTYPES
} laip_dtype;

const char *laip_dtype_name(laip_dtype type); /* as safetensors spells it */
size_t laip_dtype_size(laip_dtype type);      /* bytes */

enum { LAIP_RANK = 8 };

typedef struct laip_tensor_entry {
    char *name;
    laip_dtype type;
    int rank;
    size_t shape[LAIP_RANK], count; /* count: elements */
    const void *data;               /* dense, row-major, not necessarily aligned; NULL: not read yet */
    size_t place;                   /* of a safetensors file's: where in it the elements begin */
} laip_tensor_entry;

/* "[2, 3]" into text. */
void laip_shape_text(int rank, const size_t *shape, char *text, size_t size);
/* The elements as float (from any floating type) or int32 (from any integer type); [t->count]. */
bool laip_tensor_floats(const laip_tensor_entry *t, float *values, laip_error *error);
bool laip_tensor_ints(const laip_tensor_entry *t, int32_t *values, laip_error *error);

#endif
