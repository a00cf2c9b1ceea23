/* Cross-entropy over the vocabulary, its gradient in place of the logits: ops/xent.h. */
#include "common.h"

ROW_KERNEL void xent(__global float *restrict logits, __global const int *restrict target,
                     __global const float *restrict weight, __global float *loss, __global float *truth,
                     int width, int wants_truth, __global const float *restrict report, int scaled)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane(), whole = width / VEC * VEC;
    /* Each column is one lane's, in every pass: what one overwrites no other reads. */
    int t = target[row], owner = (t < whole ? t / VEC : t - whole) % LANES;
    __global float *s = logits + row * width;
    float own = lane == owner ? s[t] : 0.0f, most = -INFINITY, sum = 0.0f;
    for (int c = lane * VEC; c < whole; c += LANES * VEC)
        most = fmax(most, vec_max(VLOAD(s + c)));
    for (int c = whole + lane; c < width; c += LANES)
        most = fmax(most, s[c]);
    most = row_max(most, scratch);
    vecf sums = (vecf)(0.0f);
    for (int c = lane * VEC; c < whole; c += LANES * VEC) {
        vecf e = vec_exp(VLOAD(s + c) - most);
        sums += e;
        VSTORE(e, s + c);
    }
    for (int c = whole + lane; c < width; c += LANES) {
        s[c] = exp(s[c] - most);
        sum += s[c];
    }
    sum = row_sum(sum + vec_sum(sums), scratch);
    float w = weight[row] * loss_scale(report, scaled), factor = w / sum;
    for (int c = lane * VEC; c < whole; c += LANES * VEC) {
        float e[VEC];
        VSTORE(VLOAD(s + c) * factor, e);
        if (t >= c && t < c + VEC)
            e[t - c] -= w;
        VSTORE(VLOAD(e), s + c);
    }
    for (int c = whole + lane; c < width; c += LANES)
        s[c] = s[c] * factor - (c == t ? w : 0.0f);
    if (lane == owner) {
        if (wants_truth)
            truth[row] = own;
        loss[row] = most + log(sum) - own;
    }
}
