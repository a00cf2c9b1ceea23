/* The optimiser and the momentum copies over flat memory: ops/adamw.h. */
#include "common.h"

/* A master weight: a float or, with HALF, two numbers of 16 bits (base/half.h): p + low / 4096 of halves, and
 * of bfloat16 the nearest one and the float's lower bits, of which the first says that it was rounded up. */
#if defined HALF && defined BFLOAT16
#if VEC == 16
#define LOAD_BITS(p) convert_uint16(((__global const loose_ushort16 *)(p))->v)
#define STORE_BITS(x, p) ((__global loose_ushort16 *)(p))->v = convert_ushort16(x)
#elif VEC == 8
#define LOAD_BITS(p) convert_uint8(vload8(0, p))
#define STORE_BITS(x, p) vstore8(convert_ushort8(x), 0, p)
#else
#define LOAD_BITS(p) convert_uint4(vload4(0, p))
#define STORE_BITS(x, p) vstore4(convert_ushort4(x), 0, p)
#endif
static inline vecf master_load(__global const act *p, __global const act *low)
{
    vecu rest = LOAD_BITS(low);
    return AS_VECF((LOAD_BITS(p) << 16) + rest - (rest >> 15 << 16));
}
static inline float master_get(__global const act *p, __global const act *low)
{
    uint rest = *low;
    return as_float(((uint)*p << 16) + rest - (rest >> 15 << 16));
}
static inline void master_store(vecf v, __global act *p, __global act *low)
{
    vecu bits = AS_VECU(v);
    STORE_BITS((bits + 0x8000u) >> 16, p);
    STORE_BITS(bits & 0xffffu, low);
}
static inline void master_put(float x, __global act *p, __global act *low)
{
    *p = (ushort)((as_uint(x) + 0x8000u) >> 16);
    *low = (ushort)(as_uint(x) & 0xffffu);
}
#define MASTER_LOAD(p, low, i) master_load((p) + (i), (low) + (i))
#define MASTER_GET(p, low, i) master_get((p) + (i), (low) + (i))
#define MASTER_STORE(v, p, low, i) master_store(v, (p) + (i), (low) + (i))
#define MASTER_PUT(x, p, low, i) master_put(x, (p) + (i), (low) + (i))
#elif defined HALF
#define MASTER_LOAD(p, low, i) fma(ACT_LOAD((low) + (i)), (vecf)(1.0f / LAIP_LOW_SCALE), ACT_LOAD((p) + (i)))
#define MASTER_GET(p, low, i) fma(ACT_GET((low) + (i)), 1.0f / LAIP_LOW_SCALE, ACT_GET((p) + (i)))
/* v as halves hold it. */
static inline vecf rounded(vecf v)
{
#if VEC == 16
    ushort16 bits;
    vstore_half16(v, 0, (half *)&bits);
    return vload_half16(0, (const half *)&bits);
#elif VEC == 8
    ushort8 bits;
    vstore_half8(v, 0, (half *)&bits);
    return vload_half8(0, (const half *)&bits);
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
    vecf whole = fma(rounded((v - high) * LAIP_LOW_SCALE), (vecf)(1.0f / LAIP_LOW_SCALE), high);
    high = rounded(whole);
    *low = (whole - high) * LAIP_LOW_SCALE;
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
                       __global const float *restrict report, float lr, float beta1, float beta2, float eps,
                       float decay, ulong count, ulong each)
{
    ulong i = get_global_id(0) * each, last = min(i + each, count);
    float factor = report[LAIP_REPORT_FACTOR], keep = 1.0f - lr * decay;
    float inverse1 = report[LAIP_REPORT_INVERSE1], inverse2 = report[LAIP_REPORT_INVERSE2];
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

/* What becomes of the step, from the square of the gradient's norm: clip factor, corrections of the moments'
 * bias for the steps taken so far, and the loss's scale, which is halved where the gradient is not finite and
 * doubled after good_steps good ones. */
FLAT_KERNEL void step_control(__global const float *restrict square_sum, __global float *restrict report,
                              float most, float log_beta1, float log_beta2, float step, int scaled,
                              float least_scale, float most_scale, int good_steps)
{
    if (get_global_id(0) != 0)
        return;
    float scale = report[LAIP_REPORT_SCALE], norm = sqrt(square_sum[0]) / scale;
    float clip = most > 0.0f ? fmin(1.0f, most / (norm + 1e-6f)) : 1.0f;
    float taken = step - report[LAIP_REPORT_STEPS_SKIPPED], good = report[LAIP_REPORT_GOOD_STEPS] + 1.0f;
    int skip = !isfinite(norm);
    report[LAIP_REPORT_NORM] = norm;
    report[LAIP_REPORT_CLIP] = clip;
    report[LAIP_REPORT_SKIPPED] = skip ? 1.0f : 0.0f;
    report[LAIP_REPORT_STEP_SCALE] = scale;
    report[LAIP_REPORT_FACTOR] = skip ? 0.0f : clip / scale;
    report[LAIP_REPORT_INVERSE1] = -1.0f / expm1(taken * log_beta1);
    report[LAIP_REPORT_INVERSE2] = -1.0f / expm1(taken * log_beta2);
    if (skip)
        report[LAIP_REPORT_STEPS_SKIPPED] += 1.0f;
    if (!scaled)
        return;
    if (skip) {
        report[LAIP_REPORT_SCALE] = fmax(scale / 2.0f, least_scale);
        report[LAIP_REPORT_GOOD_STEPS] = 0.0f;
    } else if (good >= (float)good_steps) {
        report[LAIP_REPORT_SCALE] = fmin(scale * 2.0f, most_scale);
        report[LAIP_REPORT_GOOD_STEPS] = 0.0f;
    } else {
        report[LAIP_REPORT_GOOD_STEPS] = good;
    }
}

FLAT_KERNEL void clamp_values(__global float *x, float low, float high, int count)
{
    int i = get_global_id(0);
    if (i < count)
        x[i] = fmin(fmax(x[i], low), high);
}
