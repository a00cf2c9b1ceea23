/* Matching losses from the matching logits: ops/matching.h. */
#include "common.h"

/* The gradient of weight · cross-entropy of row r against `target`, added to d; returns the cross-entropy. */
static inline float cross_entropy(__global const float *logits, int r, int target, float weight,
                                  __private float *d)
{
    float a = logits[2 * r], b = logits[2 * r + 1], most = fmax(a, b);
    float lse = most + log(exp(a - most) + exp(b - most));
    d[0] += weight * (exp(a - lse) - (target == 0 ? 1.0f : 0.0f));
    d[1] += weight * (exp(b - lse) - (target == 1 ? 1.0f : 0.0f));
    return lse - (target ? b : a);
}

static inline float match(__global const float *logits, int r)
{
    float x = logits[2 * r] - logits[2 * r + 1];
    return x > 0.0f ? exp(-x) / (1.0f + exp(-x)) : 1.0f / (1.0f + exp(x));
}

/* One side of the triplet: adds its gradients to the pair's d and writes that of the negative's row. */
static inline float side(__global const float *logits, __global float *dlogits, int pair, int negative,
                         float margin, float itm_weight, float triplet_weight, float *entropy,
                         __private float *d)
{
    float n[2] = {0.0f, 0.0f};
    float p = match(logits, pair), q = match(logits, negative), violation = margin - p + q;
    *entropy += cross_entropy(logits, negative, 0, itm_weight, n);
    if (violation > 0.0f) {
        float dp = triplet_weight * p * (1.0f - p), dq = triplet_weight * q * (1.0f - q);
        d[0] += dp;
        d[1] -= dp;
        n[0] -= dq;
        n[1] += dq;
    }
    dlogits[2 * negative] = n[0];
    dlogits[2 * negative + 1] = n[1];
    return fmax(violation, 0.0f);
}

FLAT_KERNEL void matching(__global const float *restrict logits, __global float *restrict dlogits,
                          __global const int *restrict image_negative,
                          __global const int *restrict text_negative, __global float *restrict entropy,
                          __global float *restrict triplet, int pairs, float margin, float itm_weight,
                          float triplet_weight, __global const float *restrict report, int scaled)
{
    itm_weight *= loss_scale(report, scaled);
    triplet_weight *= loss_scale(report, scaled);
    int i = get_global_id(0);
    if (i >= pairs)
        return;
    float d[2] = {0.0f, 0.0f}, e = cross_entropy(logits, i, 1, itm_weight, d), t = 0.0f;
    if (image_negative[i] >= 0)
        t += side(logits, dlogits, i, image_negative[i], margin, itm_weight, triplet_weight, &e, d);
    if (text_negative[i] >= 0)
        t += side(logits, dlogits, i, text_negative[i], margin, itm_weight, triplet_weight, &e, d);
    dlogits[2 * i] = d[0];
    dlogits[2 * i + 1] = d[1];
    entropy[i] = e;
    triplet[i] = t;
}
