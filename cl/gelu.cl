/* GELU: ops/gelu.h. */
#include "common.h"

#include "gelu.h"

FLAT_KERNEL void gelu_forward(__global const float *pre, __global float *y, ulong count, ulong each)
{
    ulong first = get_global_id(0) * each, last = min(first + each, count);
    ulong i = first;
    for (; i + VEC <= last; i += VEC)
        VSTORE(vec_gelu(VLOAD(pre + i)), y + i);
    for (; i < last; i++) {
        float one[VEC];
        VSTORE(vec_gelu((vecf)(pre[i])), one);
        y[i] = one[0];
    }
}

FLAT_KERNEL void gelu_backward(__global const float *pre, __global const float *dy, __global float *dpre,
                               ulong count, ulong each)
{
    ulong first = get_global_id(0) * each, last = min(first + each, count);
    ulong i = first;
    for (; i + VEC <= last; i += VEC)
        VSTORE(VLOAD(dy + i) * vec_gelu_slope(VLOAD(pre + i)), dpre + i);
    for (; i < last; i++) {
        float one[VEC];
        VSTORE(vec_gelu_slope((vecf)(pre[i])), one);
        dpre[i] = dy[i] * one[0];
    }
}
