/* Cross-entropy of softmax(dots / τ) against soft targets, and its gradient in place of the dots:
 * ops/contrast.h. */
#include "common.h"

/* two: 0, a alone counts; 1, a or b; 2, b alone, and who shares only a is no key. */
static inline int same(int row_a, int row_b, int key_a, int key_b, int two)
{
    return (two < 2 && row_a == key_a) || (two > 0 && row_b == key_b);
}

/* No cosine is as small: its share in the softmax is 0. */
#define NO_KEY (-1e4f)

static inline float if_key(float dot, int row_a, int row_b, int key_a, int key_b)
{
    return row_a == key_a && row_b != key_b ? NO_KEY : dot;
}

ROW_KERNEL void contrast(__global float *dots, __global const float *momentum_dots,
                         __global const int *restrict row_a, __global const int *restrict row_b,
                         __global const int *restrict key_a, __global const int *restrict key_b,
                         __global const float *restrict temperature, __global const float *restrict weight,
                         __global float *restrict loss, __global float *restrict dtemperature, int keys,
                         int two, float alpha, __global const float *restrict report, int scaled)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane(), whole = keys / VEC * VEC;
    __global float *s = dots + row * keys;
    __global const float *ms = momentum_dots + (alpha > 0.0f ? row * keys : 0);
    float scale = 1.0f / temperature[0];
    int ra = row_a[row], rb = two ? row_b[row] : 0;

    if (two == 2) { /* each lane what it reads below */
        for (int j = lane * VEC; j < whole; j += LANES * VEC)
            for (int i = j; i < j + VEC; i++)
                s[i] = if_key(s[i], ra, rb, key_a[i], key_b[i]);
        for (int j = whole + lane; j < keys; j += LANES)
            s[j] = if_key(s[j], ra, rb, key_a[j], key_b[j]);
    }
    float most = -INFINITY, most_m = -INFINITY, positives = 0.0f;
    for (int j = lane * VEC; j < whole; j += LANES * VEC) {
        most = fmax(most, vec_max(VLOAD(s + j)));
        if (alpha > 0.0f)
            most_m = fmax(most_m, vec_max(VLOAD(ms + j)));
    }
    for (int j = whole + lane; j < keys; j += LANES) {
        most = fmax(most, s[j]);
        if (alpha > 0.0f)
            most_m = fmax(most_m, ms[j]);
    }
    for (int j = lane; j < keys; j += LANES)
        positives += same(ra, rb, key_a[j], two ? key_b[j] : 0, two) ? 1.0f : 0.0f;
    most = row_max(most, scratch);
    positives = row_sum(positives, scratch);
    if (alpha > 0.0f)
        most_m = row_max(most_m, scratch);

    vecf sums = (vecf)(0.0f), sums_m = (vecf)(0.0f);
    float sum = 0.0f, sum_m = 0.0f;
    for (int j = lane * VEC; j < whole; j += LANES * VEC) {
        sums += vec_exp((VLOAD(s + j) - most) * scale);
        if (alpha > 0.0f)
            sums_m += vec_exp((VLOAD(ms + j) - most_m) * scale);
    }
    for (int j = whole + lane; j < keys; j += LANES) {
        sum += exp((s[j] - most) * scale);
        if (alpha > 0.0f)
            sum_m += exp((ms[j] - most_m) * scale);
    }
    sum = row_sum(sum + vec_sum(sums), scratch);
    if (alpha > 0.0f)
        sum_m = row_sum(sum_m + vec_sum(sums_m), scratch);

    /* targets: alpha softmax(momentum) + (1 - alpha) label; their sum is `all`.  x is the logit less the
     * largest, which neither the loss nor the gradients tell from the logit itself; but near the largest,
     * where they come from, it has more digits: a single key has no loss and no gradient at all. */
    float label = positives > 0.0f ? (1.0f - alpha) / positives : 0.0f;
    float all = alpha + (positives > 0.0f ? 1.0f - alpha : 0.0f);
    float log_sum = log(sum), w = weight[row] * loss_scale(report, scaled), total = 0.0f, dscale = 0.0f;
    float p_factor = all / sum, m_factor = alpha > 0.0f ? alpha / sum_m : 0.0f;
    vecf totals = (vecf)(0.0f), dscales = (vecf)(0.0f);
    for (int j = lane * VEC; j < whole; j += LANES * VEC) {
        float labels[VEC];
        for (int i = 0; i < VEC; i++)
            labels[i] = same(ra, rb, key_a[j + i], two ? key_b[j + i] : 0, two) ? label : 0.0f;
        vecf x = (VLOAD(s + j) - most) * scale, target = VLOAD(labels);
        if (alpha > 0.0f)
            target += m_factor * vec_exp((VLOAD(ms + j) - most_m) * scale);
        vecf d = p_factor * vec_exp(x) - target;
        totals += target * (log_sum - x);
        dscales += d * x;
        VSTORE(d * (w * scale), s + j);
    }
    for (int j = whole + lane; j < keys; j += LANES) {
        float x = (s[j] - most) * scale,
              target = same(ra, rb, key_a[j], two ? key_b[j] : 0, two) ? label : 0.0f;
        if (alpha > 0.0f)
            target += m_factor * exp((ms[j] - most_m) * scale);
        float d = p_factor * exp(x) - target;
        total += target * (log_sum - x);
        dscale += d * x;
        s[j] = d * (w * scale);
    }
    total = row_sum(total + vec_sum(totals), scratch);
    dscale = row_sum(dscale + vec_sum(dscales), scratch);
    if (lane == 0) {
        loss[row] = total;
        dtemperature[row] = -w * scale * dscale; /* ds/dτ = -s/τ */
    }
}
