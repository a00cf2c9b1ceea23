/* What laip-bench measures a device with: multiply-adds that wait for nothing, a copy, and a kernel that does
 * nothing. */
#include "common.h"

/* CHAINS, a build option: independent sums, enough to hide the multiply-add's latency and few enough to lie
 * in registers.  Which number that is differs among devices: the host tries several. */
#ifndef CHAINS
#define CHAINS 12
#endif

FLAT_KERNEL WIDE void bench_fma(__global float *out, float x, int steps)
{
    vecf sum[CHAINS], a = (vecf)(x), b = (vecf)(x * 0.5f);
#pragma unroll
    for (int i = 0; i < CHAINS; i++)
        sum[i] = (vecf)(x + i);
    for (int s = 0; s < steps; s++) {
#pragma unroll
        for (int i = 0; i < CHAINS; i++)
            sum[i] = fma(sum[i], a, b);
    }
    vecf all = sum[0];
#pragma unroll
    for (int i = 1; i < CHAINS; i++)
        all += sum[i];
    out[get_global_id(0)] = vec_sum(all);
}

FLAT_KERNEL void bench_copy(__global const float *restrict from, __global float *restrict to, ulong count,
                            ulong each)
{
#if LANES == 1
    ulong first = get_global_id(0) * each, last = min(first + each, count);
    for (ulong i = first; i < last; i += VEC)
        VSTORE(VLOAD(from + i), to + i);
#else
    for (ulong i = get_global_id(0) * VEC; i < count; i += get_global_size(0) * VEC)
        VSTORE(VLOAD(from + i), to + i);
#endif
}

FLAT_KERNEL void bench_nothing(__global float *out)
{
    if (get_global_id(0) == 0)
        out[0] = 1.0f;
}
