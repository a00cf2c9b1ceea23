#include "store/tensor.h"

#include "base/half.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[LAIP_DTYPES] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I64", 8},
                         {"I32", 4}, {"I16", 2}, {"I8", 1},   {"U8", 1},  {"BOOL", 1}};

const char *laip_dtype_name(laip_dtype type)
{
    return dtypes[type].name;
}

size_t laip_dtype_size(laip_dtype type)
{
    return dtypes[type].size;
}

void laip_shape_text(int rank, const size_t *shape, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%zu", i ? ", " : "", shape[i]);
    if (used < size)
        snprintf(text + used, size - used, "]");
}

bool laip_tensor_floats(const laip_tensor_entry *t, float *values, laip_error *error)
{
    const unsigned char *p = t->data;
    uint16_t half;
    uint32_t bits;
    double wide;
    for (size_t i = 0; i < t->count; i++)
        switch (t->type) {
        case LAIP_F32:
            memcpy(values, p, t->count * sizeof *values);
            return true;
        case LAIP_F16:
            memcpy(&half, p + 2 * i, 2);
            values[i] = laip_half_value(half);
            break;
        case LAIP_BF16:
            memcpy(&half, p + 2 * i, 2);
            bits = (uint32_t)half << 16;
            memcpy(&values[i], &bits, 4);
            break;
        case LAIP_F64:
            memcpy(&wide, p + 8 * i, 8);
            values[i] = (float)wide;
            break;
        default:
            return laip_bad_input(error, "%s: is of type %s, expected a floating type", t->name,
                                  dtypes[t->type].name);
        }
    return true;
}

bool laip_tensor_ints(const laip_tensor_entry *t, int32_t *values, laip_error *error)
{
    const unsigned char *p = t->data;
    for (size_t i = 0; i < t->count; i++) {
        int64_t wide = 0;
        int32_t word;
        int16_t small;
        switch (t->type) {
        case LAIP_I64:
            memcpy(&wide, p + 8 * i, 8);
            break;
        case LAIP_I32:
            memcpy(&word, p + 4 * i, 4);
            wide = word;
            break;
        case LAIP_I16:
            memcpy(&small, p + 2 * i, 2);
            wide = small;
            break;
        case LAIP_I8:
            wide = p[i] < 128 ? p[i] : p[i] - 256;
            break;
        case LAIP_U8:
        case LAIP_BOOL:
            wide = p[i];
            break;
        default:
            return laip_bad_input(error, "%s: is of type %s, expected an integer type", t->name,
                                  dtypes[t->type].name);
        }
        if (wide < INT32_MIN || wide > INT32_MAX)
            return laip_bad_input(error, "%s: element %zu is %lld, expected 32 bits", t->name, i,
                                  (long long)wide);
        values[i] = (int32_t)wide;
    }
    return true;
}
