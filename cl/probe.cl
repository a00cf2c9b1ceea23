/* The [CLS] row of cross-attention, read and differentiated: ops/probe.h. */
#include "common.h"

#include "attention.h"

static inline float probability(__global const act *k, const float *q, float lse)
{
    return exp(head_dot(k, q) - lse);
}

/* A row for each probe; items stride over its patches. */
ROW_KERNEL void probe_forward(__global const act *restrict q, __global const act *restrict k,
                              __global const float *restrict lse, __global const int *restrict q_begin,
                              __global const int *restrict kv_of, __global const int *restrict k_begin,
                              __global float *restrict fore, int heads, int patches, int q_stride, int q_col,
                              int k_stride, int k_col, float scale)
{
    size_t j = row_index(), row = q_begin[j], first = k_begin[kv_of[j]] + 1;
    for (int i = row_lane(); i < patches; i += LANES)
        fore[j * patches + i] = 0.0f;
    for (int h = 0; h < heads; h++) {
        float mine[HEAD];
        head_load(mine, q + row * q_stride + q_col + h * HEAD, scale);
        for (int i = row_lane(); i < patches; i += LANES)
            fore[j * patches + i] +=
                probability(k + (first + i) * k_stride + k_col + h * HEAD, mine, lse[row * heads + h]) /
                heads;
    }
}

ROW_KERNEL void probe_backward_attention(__global const act *restrict g, __global const act *restrict v,
                                         __global const int *restrict kv_of,
                                         __global const int *restrict k_begin, __global float *restrict back,
                                         int heads, int patches, int v_stride, int v_col)
{
    size_t j = row_index(), first = k_begin[kv_of[j]] + 1;
    for (int i = row_lane(); i < patches; i += LANES)
        back[j * patches + i] = 0.0f;
    for (int h = 0; h < heads; h++) {
        float mine[HEAD];
        head_load(mine, g + (j * heads + h) * HEAD, 1.0f / heads);
        for (int i = row_lane(); i < patches; i += LANES)
            back[j * patches + i] += head_dot(v + (first + i) * v_stride + v_col + h * HEAD, mine);
    }
}

/* ds[j, h, i] for all N keys of each probe and head; a row for each (probe, head). */
ROW_KERNEL void probe_scores(__global const act *restrict q, __global const act *restrict k,
                             __global const float *restrict lse, __global const float *restrict dfore,
                             __global const int *restrict q_begin, __global const int *restrict kv_of,
                             __global const int *restrict k_begin, __global float *restrict ds, int heads,
                             int patches, int q_stride, int q_col, int k_stride, int k_col, float scale)
{
    ROW_SCRATCH(scratch);
    size_t at = row_index(), j = at / heads, row = q_begin[j], first = k_begin[kv_of[j]];
    int h = at % heads, keys = patches + 1;
    __global float *mine_ds = ds + at * keys;
    float mine[HEAD], sum = 0.0f, all = 0.0f;
    head_load(mine, q + row * q_stride + q_col + h * HEAD, scale);
    for (int i = row_lane(); i < keys; i += LANES) {
        float p = probability(k + (first + i) * k_stride + k_col + h * HEAD, mine, lse[row * heads + h]);
        float e = i ? dfore[j * patches + i - 1] / heads : 0.0f;
        mine_ds[i] = p;
        sum = fma(p, e, sum);
        all += p;
    }
    sum = row_sum(sum, scratch);
    sum /= row_sum(all, scratch); /* the probabilities sum to 1 but for rounding: so that ds sums to 0 */
    for (int i = row_lane(); i < keys; i += LANES) {
        float e = i ? dfore[j * patches + i - 1] / heads : 0.0f;
        mine_ds[i] *= e - sum;
    }
}

/* dq of row 0; a row for each (probe, head), items over the head's columns. */
ROW_KERNEL void probe_dq(__global const float *restrict ds, __global const act *restrict k,
                         __global const int *restrict q_begin, __global const int *restrict kv_of,
                         __global const int *restrict k_begin, __global act *restrict dq, int heads, int keys,
                         int k_stride, int k_col, int dq_stride, int dq_col, float scale)
{
    size_t at = row_index(), j = at / heads, first = k_begin[kv_of[j]];
    int h = at % heads;
    __global act *o = dq + (size_t)q_begin[j] * dq_stride + dq_col + h * HEAD;
    for (int c = row_lane(); c < HEAD; c += LANES) {
        float sum = 0.0f;
        for (int i = 0; i < keys; i++)
            sum = fma(ds[at * keys + i], ACT_GET(k + (first + i) * k_stride + k_col + h * HEAD + c), sum);
        ACT_PUT(ACT_GET(o + c) + sum * scale, o + c);
    }
}

/* dk of every key of a block, from the probes among its sequences in their order; a row for each key
 * row. */
ROW_KERNEL void probe_dk(__global const float *restrict ds, __global const act *restrict q,
                         __global const int *restrict q_begin,
                         __global const int *restrict block_sequences_begin,
                         __global const int *restrict block_sequences, __global act *restrict dk, int probes,
                         int heads, int keys, int q_stride, int q_col, int dk_stride, int dk_col, float scale)
{
    size_t row = row_index(), t = row / keys;
    int i = row % keys;
    for (int u = block_sequences_begin[t]; u < block_sequences_begin[t + 1]; u++) {
        int j = block_sequences[u];
        if (j >= probes)
            break; /* block_sequences are in increasing order */
        for (int c = row_lane(); c < heads * HEAD; c += LANES) {
            __global act *o = dk + row * dk_stride + dk_col + c;
            float weight = scale * ds[((size_t)j * heads + c / HEAD) * keys + i];
            ACT_PUT(fma(weight, ACT_GET(q + (size_t)q_begin[j] * q_stride + q_col + c), ACT_GET(o)), o);
        }
    }
}
