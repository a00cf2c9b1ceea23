/* Sums and sums of squares: ops/elementwise.h. */
#include "common.h"

#ifdef HALF_FROM
typedef number16 from;
#define FROM_GET(p) number_get(p)
#define FROM_LOAD(p) HALF_LOAD(p)
#else
typedef float from;
#define FROM_GET(p) (*(p))
#define FROM_LOAD(p) VLOAD(p)
#endif

FLAT_KERNEL void add(__global float *y, __global const float *x, ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    for (; i + VEC <= last; i += VEC)
        VSTORE(VLOAD(y + i) + VLOAD(x + i), y + i);
    for (; i < last; i++)
        y[i] += x[i];
}

FLAT_KERNEL void clear(__global act *y, ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    for (; i + VEC <= last; i += VEC)
        ACT_STORE((vecf)(0.0f), y + i);
    for (; i < last; i++)
        ACT_PUT(0.0f, y + i);
}

FLAT_KERNEL void scale(__global float *y, float factor, ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    for (; i + VEC <= last; i += VEC)
        VSTORE(VLOAD(y + i) * factor, y + i);
    for (; i < last; i++)
        y[i] *= factor;
}

/* The other way of storing: floats from 16 bits with -DHALF_FROM, and these from floats with -DHALF. */
FLAT_KERNEL void convert(__global const from *restrict x, __global act *restrict y, ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    for (; i + VEC <= last; i += VEC)
        ACT_STORE(FROM_LOAD(x + i), y + i);
    for (; i < last; i++)
        ACT_PUT(FROM_GET(x + i), y + i);
}

FLAT_KERNEL void square_partials(__global const float *restrict x, __global float *restrict part, ulong count,
                                 ulong each)
{
    vecf sums = (vecf)(0.0f);
    float sum = 0.0f;
#if LANES == 1
    ulong i = get_global_id(0) * each, last = min(i + each, count), step = VEC;
#else
    /* neighbours read neighbouring vectors, and one of them what is left */
    ulong i = get_global_id(0) * VEC, last = count, step = get_global_size(0) * VEC;
#endif
    for (; i + VEC <= last; i += step)
        sums = fma(VLOAD(x + i), VLOAD(x + i), sums);
    for (; i < last; i++)
        sum = fma(x[i], x[i], sum);
    part[get_global_id(0)] = sum + vec_sum(sums);
}

ROW_KERNEL void sum_partials(__global const float *restrict part, __global float *restrict out, int count,
                             int accumulate)
{
    ROW_SCRATCH(scratch);
    float sum = 0.0f;
    for (int i = row_lane(); i < count; i += LANES)
        sum += part[i];
    sum = row_sum(sum, scratch);
    if (row_lane() == 0)
        out[0] = accumulate ? out[0] + sum : sum;
}
