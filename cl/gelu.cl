/* GELU: ops/gelu.h. */
#include "common.h"

#include "gelu.h"

FLAT_KERNEL void gelu_forward(__global const act *pre, __global act *y, ulong count, ulong each)
{
    ulong first = get_global_id(0) * each, last = min(first + each, count);
    ulong i = first;
    for (; i + VEC <= last; i += VEC)
        ACT_STORE(vec_gelu(ACT_LOAD(pre + i)), y + i);
    for (; i < last; i++) {
        float one[VEC];
        VSTORE(vec_gelu((vecf)(ACT_GET(pre + i))), one);
        ACT_PUT(one[0], y + i);
    }
}

FLAT_KERNEL void gelu_backward(__global const act *pre, __global const act *dy, __global act *dpre,
                               ulong count, ulong each)
{
    ulong first = get_global_id(0) * each, last = min(first + each, count);
    ulong i = first;
    for (; i + VEC <= last; i += VEC)
        ACT_STORE(ACT_LOAD(dy + i) * vec_gelu_slope(ACT_LOAD(pre + i)), dpre + i);
    for (; i < last; i++) {
        float one[VEC];
        VSTORE(vec_gelu_slope((vecf)(ACT_GET(pre + i))), one);
        ACT_PUT(ACT_GET(dy + i) * one[0], dpre + i);
    }
}
