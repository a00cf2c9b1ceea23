/* Attention in its plain form: a work-item owns a query row (or a key row) of one head and walks the other
 * side in blocks of VEC, so that exponentials come in vectors: ops/attention.h. */
#include "common.h"

#include "attention.h"
#include "philox.h"

ROW_KERNEL void attention_forward(__global const act *restrict q, __global const act *restrict k,
                                  __global const act *restrict v, __global act *restrict o,
                                  __global float *restrict lse, __global const int *restrict q_begin,
                                  __global const int *restrict kv_of, __global const int *restrict k_begin,
                                  __global const uint *restrict ids, uint4 stream, int heads, int q_stride,
                                  int q_col, int kv_stride, int k_col, int v_col, float scale, uint threshold,
                                  float kept_scale)
{
    int s = get_group_id(0), h = get_group_id(1), t = kv_of[s];
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
    uint key0 = key.x, key1 = key.y;
    for (int i = row_lane() + (int)get_group_id(2) * LANES; i < nq; i += LANES * (int)get_num_groups(2)) {
        float mine[HEAD], sum[HEAD], score[VEC];
        head_load(mine, q + (size_t)(q0 + i) * q_stride + q_col + h * HEAD, 1.0f);
        for (int c = 0; c < HEAD; c++)
            sum[c] = 0.0f;
        float most = -1e30f, total = 0.0f;
        for (int j0 = 0; j0 < nk; j0 += VEC) {
            int n = min(VEC, nk - j0);
            for (int j = 0; j < VEC; j++)
                score[j] =
                    j < n ? head_dot(k + (size_t)(k0 + j0 + j) * kv_stride + k_col + h * HEAD, mine) * scale
                          : -INFINITY;
            vecf x = VLOAD(score);
            float larger = fmax(most, vec_max(x));
            if (larger > most) {
                float shrink = exp(most - larger);
                total *= shrink;
                head_scale(sum, shrink);
                most = larger;
            }
            x = vec_exp(x - most);
            VSTORE(x, score);
            for (int j = 0; j < n; j++) {
                total += score[j];
                float p = score[j];
                if (threshold)
                    p = mask_bits(key0, key1, (uint)((h * nq + i) * nk + j0 + j)) >= threshold
                            ? p * kept_scale
                            : 0.0f;
                head_add(sum, v + (size_t)(k0 + j0 + j) * kv_stride + v_col + h * HEAD, p);
            }
        }
        head_store(o + (size_t)(q0 + i) * heads * HEAD + h * HEAD, sum, 1.0f / total);
        lse[(size_t)(q0 + i) * heads + h] = most + log(total);
    }
}

/* delta[r, h] = ⟨dO, O⟩ of each row and head. */
ROW_KERNEL void attention_delta(__global const act *restrict dout, __global const act *restrict o,
                                __global float *restrict delta, int heads)
{
    size_t row = row_index();
    for (int h = row_lane(); h < heads; h += LANES) {
        float mine[HEAD];
        head_load(mine, o + (row * heads + h) * HEAD, 1.0f);
        delta[row * heads + h] = head_dot(dout + (row * heads + h) * HEAD, mine);
    }
}

/* The scores' gradients of a row sum to 0 but for rounding, which the gradient of the keys' bias would show
 * as noise: what is left of that sum goes into delta, for attention_dkv, whose scores and products are the
 * same to the bit. */
ROW_KERNEL void attention_dq(__global const act *restrict q, __global const act *restrict k,
                             __global const act *restrict v, __global const act *restrict dout,
                             __global const float *restrict lse, __global float *restrict delta,
                             __global act *restrict dq, __global const int *restrict q_begin,
                             __global const int *restrict kv_of, __global const int *restrict k_begin,
                             __global const uint *restrict ids, uint4 stream, int heads, int q_stride,
                             int q_col, int kv_stride, int k_col, int v_col, int dq_stride, int dq_col,
                             float scale, uint threshold, float kept_scale)
{
    int s = get_group_id(0), h = get_group_id(1), t = kv_of[s];
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
    uint key0 = key.x, key1 = key.y;
    for (int i = row_lane() + (int)get_group_id(2) * LANES; i < nq; i += LANES * (int)get_num_groups(2)) {
        size_t r = q0 + i;
        float mine[HEAD], g[HEAD], sum[HEAD], score[VEC];
        head_load(mine, q + r * q_stride + q_col + h * HEAD, 1.0f);
        head_load(g, dout + r * heads * HEAD + h * HEAD, 1.0f);
        for (int c = 0; c < HEAD; c++)
            sum[c] = 0.0f;
        float l = lse[r * heads + h], mean = delta[r * heads + h], left = 0.0f, all = 0.0f;
        for (int j0 = 0; j0 < nk; j0 += VEC) {
            int n = min(VEC, nk - j0);
            for (int j = 0; j < VEC; j++)
                score[j] =
                    j < n
                        ? head_dot(k + (size_t)(k0 + j0 + j) * kv_stride + k_col + h * HEAD, mine) * scale - l
                        : 0.0f;
            VSTORE(vec_exp(VLOAD(score)), score);
            for (int j = 0; j < n; j++) {
                size_t at = (size_t)(k0 + j0 + j) * kv_stride + h * HEAD;
                float dp = head_dot(v + at + v_col, g);
                if (threshold)
                    dp = mask_bits(key0, key1, (uint)((h * nq + i) * nk + j0 + j)) >= threshold
                             ? dp * kept_scale
                             : 0.0f;
                float ds = score[j] * (dp - mean);
                left += ds;
                all += score[j];
                head_add(sum, k + at + k_col, ds);
            }
        }
        delta[r * heads + h] = mean + left / all;
        head_store(dq + r * dq_stride + dq_col + h * HEAD, sum, scale);
    }
}

ROW_KERNEL void attention_dkv(__global const act *restrict q, __global const act *restrict k,
                              __global const act *restrict v, __global const act *restrict dout,
                              __global const float *restrict lse, __global const float *restrict delta,
                              __global act *dk, __global act *dv, __global const int *restrict q_begin,
                              __global const int *restrict k_begin,
                              __global const int *restrict block_sequences_begin,
                              __global const int *restrict block_sequences, __global const uint *restrict ids,
                              uint4 stream, int heads, int q_stride, int q_col, int kv_stride, int k_col,
                              int v_col, int dkv_stride, int dk_col, int dv_col, float scale, uint threshold,
                              float kept_scale)
{
    int t = get_group_id(0), h = get_group_id(1), k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    for (int j = row_lane() + (int)get_group_id(2) * LANES; j < nk; j += LANES * (int)get_num_groups(2)) {
        size_t r = k0 + j;
        float mine[HEAD], value[HEAD], sum_k[HEAD], sum_v[HEAD], score[VEC];
        head_load(mine, k + r * kv_stride + k_col + h * HEAD, 1.0f);
        head_load(value, v + r * kv_stride + v_col + h * HEAD, 1.0f);
        for (int c = 0; c < HEAD; c++)
            sum_k[c] = sum_v[c] = 0.0f;
        for (int u = block_sequences_begin[t]; u < block_sequences_begin[t + 1]; u++) {
            int s = block_sequences[u], q0 = q_begin[s], nq = q_begin[s + 1] - q0;
            uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
            uint key0 = key.x, key1 = key.y;
            for (int i0 = 0; i0 < nq; i0 += VEC) {
                int n = min(VEC, nq - i0);
                for (int i = 0; i < VEC; i++)
                    score[i] = i < n
                                   ? head_dot(q + (size_t)(q0 + i0 + i) * q_stride + q_col + h * HEAD, mine) *
                                             scale -
                                         lse[(size_t)(q0 + i0 + i) * heads + h]
                                   : 0.0f;
                VSTORE(vec_exp(VLOAD(score)), score);
                for (int i = 0; i < n; i++) {
                    size_t at = (size_t)(q0 + i0 + i);
                    __global const act *g = dout + at * heads * HEAD + h * HEAD;
                    float dp = head_dot(g, value), p = score[i];
                    if (threshold) {
                        float kept = mask_bits(key0, key1, (uint)((h * nq + i0 + i) * nk + j)) >= threshold
                                         ? kept_scale
                                         : 0.0f;
                        dp *= kept;
                        p *= kept;
                    }
                    head_add(sum_v, g, p);
                    head_add(sum_k, q + at * q_stride + q_col + h * HEAD,
                             score[i] * (dp - delta[at * heads + h]));
                }
            }
        }
        head_store(dk + r * dkv_stride + dk_col + h * HEAD, sum_k, scale);
        head_store(dv + r * dkv_stride + dv_col + h * HEAD, sum_v, 1.0f);
    }
}
