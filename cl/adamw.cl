/* The optimiser and the momentum copies over flat memory: ops/adamw.h. */
#include "common.h"

/* A master weight: a float or, with HALF, two halves, p + low / 4096 (base/half.h). */
#ifdef HALF
#define LOW_SCALE 4096.0f
#define MASTER_LOAD(p, low, i) fma(ACT_LOAD((low) + (i)), (vecf)(1.0f / LOW_SCALE), ACT_LOAD((p) + (i)))
#define MASTER_GET(p, low, i) fma(ACT_GET((low) + (i)), 1.0f / LOW_SCALE, ACT_GET((p) + (i)))
/* v as halves hold it. */
static inline vecf rounded(vecf v)
{
#if VEC == 16
    ushort16 bits;
    vstore_half16(v, 0, (half *)&bits);
    return vload_half16(0, (const half *)&bits);
#else
    ushort4 bits;
    vstore_half4(v, 0, (half *)&bits);
    return vload_half4(0, (const half *)&bits);
#endif
}
/* The low half may round up to a tie, which belongs to the next high one: what both hold is split again. */
static inline vecf split(vecf v, vecf *low)
{
    vecf high = rounded(v);
    vecf whole = fma(rounded((v - high) * LOW_SCALE), (vecf)(1.0f / LOW_SCALE), high);
    high = rounded(whole);
    *low = (whole - high) * LOW_SCALE;
    return high;
}
static inline void master_store(vecf v, __global act *p, __global act *low)
{
    vecf rest;
    ACT_STORE(split(v, &rest), p);
    ACT_STORE(rest, low);
}
static inline void master_put(float x, __global act *p, __global act *low)
{
    vecf rest;
    ACT_PUT(split((vecf)(x), &rest).s0, p);
    ACT_PUT(rest.s0, low);
}
#define MASTER_STORE(v, p, low, i) master_store(v, (p) + (i), (low) + (i))
#define MASTER_PUT(x, p, low, i) master_put(x, (p) + (i), (low) + (i))
#else
#define MASTER_LOAD(p, low, i) VLOAD((p) + (i))
#define MASTER_GET(p, low, i) (p)[i]
#define MASTER_STORE(v, p, low, i) VSTORE(v, (p) + (i))
#define MASTER_PUT(x, p, low, i) (p)[i] = x
#endif

FLAT_KERNEL void adamw(__global act *p, __global act *low, __global const float *restrict g,
                       __global float *restrict m, __global float *restrict v,
                       __global const float *restrict scale, int scaled, float lr, float beta1, float beta2,
                       float eps, float decay, float inverse1, float inverse2, ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    float factor = scaled ? scale[0] : 1.0f, keep = 1.0f - lr * decay;
    if (factor == 0.0f) /* the gradient is not finite */
        return;
    for (; i + VEC <= last; i += VEC) {
        vecf G = VLOAD(g + i) * factor;
        vecf M = fma((vecf)(1.0f - beta1), G - VLOAD(m + i), VLOAD(m + i));
        vecf V = fma(G * G, (vecf)(1.0f - beta2), VLOAD(v + i) * beta2);
        VSTORE(M, m + i);
        VSTORE(V, v + i);
        vecf P = MASTER_LOAD(p, low, i) * keep - lr * (M * inverse1) / (sqrt(V * inverse2) + eps);
        MASTER_STORE(P, p, low, i);
    }
    for (; i < last; i++) {
        float G = g[i] * factor;
        m[i] = fma(1.0f - beta1, G - m[i], m[i]);
        v[i] = fma(G * G, 1.0f - beta2, v[i] * beta2);
        float P = MASTER_GET(p, low, i) * keep - lr * (m[i] * inverse1) / (sqrt(v[i] * inverse2) + eps);
        MASTER_PUT(P, p, low, i);
    }
}

FLAT_KERNEL void ema_update(__global act *m, __global act *m_low, __global const act *p,
                            __global const act *p_low, float mu, ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    for (; i + VEC <= last; i += VEC) {
        vecf M = mu * MASTER_LOAD(m, m_low, i) + (1.0f - mu) * MASTER_LOAD(p, p_low, i);
        MASTER_STORE(M, m, m_low, i);
    }
    for (; i < last; i++) {
        float M = mu * MASTER_GET(m, m_low, i) + (1.0f - mu) * MASTER_GET(p, p_low, i);
        MASTER_PUT(M, m, m_low, i);
    }
}

/* What gradients are multiplied by: 1 over the loss's scale, less where their norm is over `most` (0: any);
 * 0 where they are not finite. */
FLAT_KERNEL void clip_scale(__global const float *restrict square_sum, __global float *restrict scale,
                            float most, float loss_scale)
{
    if (get_global_id(0) == 0) {
        float norm = sqrt(square_sum[0]) / loss_scale;
        float factor = (most > 0.0f ? fmin(1.0f, most / (norm + 1e-6f)) : 1.0f) / loss_scale;
        scale[0] = isfinite(norm) ? factor : 0.0f;
    }
}

FLAT_KERNEL void clamp_values(__global float *x, float low, float high, int count)
{
    int i = get_global_id(0);
    if (i < count)
        x[i] = fmin(fmax(x[i], low), high);
}
