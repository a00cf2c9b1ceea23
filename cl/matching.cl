/* Matching losses from the matching logits: ops/matching.h. */
#include "common.h"

/* Row r's cross-entropy against `target` (x), and the gradient of weight times it (y, z). */
static inline float3 cross_entropy(__global const float *logits, int r, int target, float weight)
{
    float a = logits[2 * r], b = logits[2 * r + 1], most = fmax(a, b);
    float lse = most + log(exp(a - most) + exp(b - most));
    return (float3)(lse - (target ? b : a), weight * (exp(a - lse) - (target == 0 ? 1.0f : 0.0f)),
                    weight * (exp(b - lse) - (target == 1 ? 1.0f : 0.0f)));
}

static inline float match(__global const float *logits, int r)
{
    float x = logits[2 * r] - logits[2 * r + 1];
    return x > 0.0f ? exp(-x) / (1.0f + exp(-x)) : 1.0f / (1.0f + exp(x));
}

/* One side of the triplet: writes the gradients of the negative's row; returns what it adds to the triplet's
 * loss (x), to the cross-entropy (y), and to the gradient of the pair's first logit, from which its second
 * differs in sign (z). */
static inline float3 side(__global const float *logits, __global float *dlogits, int pair, int negative,
                          float margin, float itm_weight, float triplet_weight)
{
    float p = match(logits, pair), q = match(logits, negative), violation = margin - p + q;
    float3 e = cross_entropy(logits, negative, 0, itm_weight);
    float dp = violation > 0.0f ? triplet_weight * p * (1.0f - p) : 0.0f,
          dq = violation > 0.0f ? triplet_weight * q * (1.0f - q) : 0.0f;
    dlogits[2 * negative] = e.y - dq;
    dlogits[2 * negative + 1] = e.z + dq;
    return (float3)(fmax(violation, 0.0f), e.x, dp);
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
    float3 own = cross_entropy(logits, i, 1, itm_weight), sides = (float3)(0.0f);
    if (image_negative[i] >= 0)
        sides += side(logits, dlogits, i, image_negative[i], margin, itm_weight, triplet_weight);
    if (text_negative[i] >= 0)
        sides += side(logits, dlogits, i, text_negative[i], margin, itm_weight, triplet_weight);
    dlogits[2 * i] = own.y + sides.z;
    dlogits[2 * i + 1] = own.z - sides.z;
    entropy[i] = own.x + sides.y;
    triplet[i] = sides.x;
}
