/* Column sums: ops/bias.h.  Of a matrix of `stride` columns, columns `begin` … `end` − 1. */
#include "common.h"

FLAT_KERNEL void bias_partials(__global const act *restrict dy, __global float *restrict part, int rows,
                               int stride, int begin, int end, int band)
{
    int c = begin + get_global_id(0) * VEC, first = get_global_id(1) * band, last = min(first + band, rows);
    if (c >= end)
        return;
    __global float *o = part + (size_t)get_global_id(1) * stride + c;
    if (c + VEC <= end) {
        vecf sum = (vecf)(0.0f);
        for (int r = first; r < last; r++)
            sum += ACT_LOAD(dy + (size_t)r * stride + c);
        VSTORE(sum, o);
        return;
    }
    for (int k = 0; k < end - c; k++) {
        float sum = 0.0f;
        for (int r = first; r < last; r++)
            sum += ACT_GET(dy + (size_t)r * stride + c + k);
        o[k] = sum;
    }
}

FLAT_KERNEL void bias_gather(__global const float *restrict part, __global float *restrict db, int bands,
                             int stride, int begin, int end)
{
    int c = begin + get_global_id(0) * VEC;
    if (c + VEC <= end) {
        vecf sum = VLOAD(db + c);
        for (int i = 0; i < bands; i++)
            sum += VLOAD(part + (size_t)i * stride + c);
        VSTORE(sum, db + c);
        return;
    }
    for (; c < end; c++) {
        float sum = db[c];
        for (int i = 0; i < bands; i++)
            sum += part[(size_t)i * stride + c];
        db[c] = sum;
    }
}
