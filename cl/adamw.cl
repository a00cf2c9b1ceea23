/* The optimiser and the momentum copies over flat memory: ops/adamw.h. */
#include "common.h"

FLAT_KERNEL void adamw(__global float *restrict p, __global const float *restrict g,
                       __global float *restrict m, __global float *restrict v,
                       __global const float *restrict scale, int scaled, float lr, float beta1, float beta2,
                       float eps, float decay, float inverse1, float inverse2, ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    float factor = scaled ? scale[0] : 1.0f, keep = 1.0f - lr * decay;
    for (; i + VEC <= last; i += VEC) {
        vecf G = VLOAD(g + i) * factor;
        vecf M = fma((vecf)(1.0f - beta1), G - VLOAD(m + i), VLOAD(m + i));
        vecf V = fma(G * G, (vecf)(1.0f - beta2), VLOAD(v + i) * beta2);
        VSTORE(M, m + i);
        VSTORE(V, v + i);
        VSTORE(VLOAD(p + i) * keep - lr * (M * inverse1) / (sqrt(V * inverse2) + eps), p + i);
    }
    for (; i < last; i++) {
        float G = g[i] * factor;
        m[i] = fma(1.0f - beta1, G - m[i], m[i]);
        v[i] = fma(G * G, 1.0f - beta2, v[i] * beta2);
        p[i] = p[i] * keep - lr * (m[i] * inverse1) / (sqrt(v[i] * inverse2) + eps);
    }
}

FLAT_KERNEL void momentum_move(__global float *restrict m, __global const float *restrict p, float mu,
                               ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    for (; i + VEC <= last; i += VEC)
        VSTORE(mu * VLOAD(m + i) + (1.0f - mu) * VLOAD(p + i), m + i);
    for (; i < last; i++)
        m[i] = mu * m[i] + (1.0f - mu) * p[i];
}

FLAT_KERNEL void clip_scale(__global const float *restrict square_sum, __global float *restrict scale,
                            float most)
{
    if (get_global_id(0) == 0)
        scale[0] = fmin(1.0f, most / (sqrt(square_sum[0]) + 1e-6f));
}

FLAT_KERNEL void clamp_values(__global float *x, float low, float high, int count)
{
    int i = get_global_id(0);
    if (i < count)
        x[i] = fmin(fmax(x[i], low), high);
}
