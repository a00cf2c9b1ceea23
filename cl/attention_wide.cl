/* The backward of attention on a CPU that has more units than there are blocks and heads (else it is one
 * pass: attention_lanes.cl): a work-item owns a band of rows of one head, without barriers, in vectors of 16.
 *
 * The other side comes in blocks of up to BLOCK rows, transposed over into private memory, so that a vector's
 * lanes are 16 rows of it: scores of 8 × 16 pairs are then 8 registers, and need no sums across lanes.
 * Products with values run the other way, lanes being columns of the head.  HEAD is a multiple of 16.
 * ops/attention.h says what is computed. */
#include "common.h"
#include "philox.h"

#define TILE 8
#define BLOCK 128
#define HEAD_VECS (HEAD / 16)

/* to[c][j] = from[j·stride + c] for `rows` rows; lanes up to the next 16 are set to 0. */
static inline void transpose_load(float *to, __global const act *from, int stride, int rows)
{
    int whole = (rows + 15) / 16 * 16;
    for (int j = 0; j < rows; j++)
        for (int c = 0; c < HEAD; c++)
            to[c * BLOCK + j] = ACT_GET(from + (size_t)j * stride + c);
    for (int j = rows; j < whole; j++)
        for (int c = 0; c < HEAD; c++)
            to[c * BLOCK + j] = 0.0f;
}

/* out[i][j] = ⟨row i, transposed row j⟩ for 8 rows (beyond `rows`, the last again) and `count` transposed
 * ones. */
static inline void dots(float *out, __global const act *a, int stride, int rows, const float *transposed,
                        int count)
{
    int at[TILE];
    for (int i = 0; i < TILE; i++)
        at[i] = min(i, rows - 1) * stride;
    for (int j = 0; j < count; j += 16) {
        float16 s[TILE];
#pragma unroll
        for (int i = 0; i < TILE; i++)
            s[i] = (float16)(0.0f);
        for (int c = 0; c < HEAD; c++) {
            float16 b = load16(0, transposed + c * BLOCK + j);
#pragma unroll
            for (int i = 0; i < TILE; i++)
                s[i] = fma((float16)(ACT_GET(a + at[i] + c)), b, s[i]);
        }
#pragma unroll
        for (int i = 0; i < TILE; i++)
            store16(s[i], 0, out + i * BLOCK + j);
    }
}

/* sum[i] += Σ_j weight[i][j] · b[j·stride …] for 8 rows, over the columns of the head. */
static inline void accumulate_pv(float *sum, const float *weight, __global const act *b, int stride,
                                 int count)
{
    for (int v = 0; v < HEAD_VECS; v += 2) {
        float16 s0[TILE], s1[TILE];
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            s0[i] = load16(v, sum + i * HEAD);
            s1[i] = v + 1 < HEAD_VECS ? load16(v + 1, sum + i * HEAD) : (float16)(0.0f);
        }
        for (int j = 0; j < count; j++) {
            float16 b0 = ACT_LOAD16(v, b + (size_t)j * stride);
            float16 b1 = v + 1 < HEAD_VECS ? ACT_LOAD16(v + 1, b + (size_t)j * stride) : b0;
#pragma unroll
            for (int i = 0; i < TILE; i++) {
                float16 w = (float16)(weight[i * BLOCK + j]);
                s0[i] = fma(w, b0, s0[i]);
                s1[i] = fma(w, b1, s1[i]);
            }
        }
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            store16(s0[i], v, sum + i * HEAD);
            if (v + 1 < HEAD_VECS)
                store16(s1[i], v + 1, sum + i * HEAD);
        }
    }
}

static inline void clear(float *x, int count)
{
    for (int i = 0; i < count; i += 16)
        store16((float16)(0.0f), 0, x + i);
}

static inline float kept(uint key0, uint key1, uint index, uint threshold, float kept_scale)
{
    return mask_bits(key0, key1, index) >= threshold ? kept_scale : 0.0f;
}

/* Probabilities p and the gradients ds of the scores, of 8 rows against a block, from dots of both kinds in
 * place: score ← p (times the mask, for what multiplies values), dp ← ds. */
static inline float16 slope(float16 p, float16 dp, float16 mask, float16 mean)
{
    return p * (dp * mask - mean);
}

ITEM_KERNEL void attention_wide_dq(__global const act *restrict q, __global const act *restrict k,
                                   __global const act *restrict v, __global const act *restrict dout,
                                   __global const float *restrict lse, __global float *restrict delta,
                                   __global act *restrict dq, __global const int *restrict q_begin,
                                   __global const int *restrict kv_of, __global const int *restrict k_begin,
                                   __global const uint *restrict ids, uint4 stream, int heads, int q_stride,
                                   int q_col, int kv_stride, int k_col, int v_col, int dq_stride, int dq_col,
                                   float scale, uint threshold, float kept_scale)
{
    int s = get_global_id(0), h = get_global_id(1), t = kv_of[s];
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    int first = (int)get_global_id(2) * BAND, rows = min(BAND, nq - first), width = heads * HEAD;
    uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
    uint key0 = key.x, key1 = key.y;
    float keys[HEAD * BLOCK], values[HEAD * BLOCK], score[TILE * BLOCK], dp[TILE * BLOCK], sum[BAND * HEAD];
    float left[BAND], all[BAND];
    if (rows <= 0)
        return;
    clear(sum, BAND * HEAD);
    for (int i = 0; i < BAND; i++)
        left[i] = all[i] = 0.0f;
    for (int j0 = 0; j0 < nk; j0 += BLOCK) {
        int count = min(BLOCK, nk - j0);
        size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
        transpose_load(keys, k + at + k_col, kv_stride, count);
        transpose_load(values, v + at + v_col, kv_stride, count);
        for (int i = 0; i < rows; i += TILE) {
            size_t r0 = q0 + first + i;
            dots(score, q + r0 * q_stride + q_col + h * HEAD, q_stride, rows - i, keys, count);
            dots(dp, dout + r0 * width + h * HEAD, width, rows - i, values, count);
            for (int r = 0; r < min(TILE, rows - i); r++) {
                float l = lse[(r0 + r) * heads + h], mean = delta[(r0 + r) * heads + h];
                float16 lefts = (float16)(0.0f), alls = (float16)(0.0f);
                for (int j = 0; j < count; j += 16) {
                    float16 p = vec_exp(load16(0, score + r * BLOCK + j) * scale - l), mask = (float16)(1.0f);
                    p = lanes_below(p, count - j, 0.0f);
                    if (threshold) {
                        float each[16];
                        for (int z = 0; z < 16; z++)
                            each[z] = kept(key0, key1, (uint)((h * nq + first + i + r) * nk + j0 + j + z),
                                           threshold, kept_scale);
                        mask = load16(0, each);
                    }
                    float16 ds = slope(p, load16(0, dp + r * BLOCK + j), mask, (float16)(mean));
                    lefts += ds;
                    alls += p;
                    store16(ds, 0, dp + r * BLOCK + j);
                }
                left[i + r] += vec_sum(lefts);
                all[i + r] += vec_sum(alls);
            }
            accumulate_pv(sum + i * HEAD, dp, k + at + k_col, kv_stride, count);
        }
    }
    for (int i = 0; i < rows; i++) {
        size_t r = q0 + first + i;
        for (int c = 0; c < HEAD_VECS; c++)
            ACT_STORE16(load16(c, sum + i * HEAD) * scale, c, dq + r * dq_stride + dq_col + h * HEAD);
        delta[r * heads + h] += left[i] / all[i]; /* see attention_dq */
    }
}

ITEM_KERNEL void attention_wide_dkv(__global const act *restrict q, __global const act *restrict k,
                                    __global const act *restrict v, __global const act *restrict dout,
                                    __global const float *restrict lse, __global const float *restrict delta,
                                    __global act *dk, __global act *dv, __global const int *restrict q_begin,
                                    __global const int *restrict k_begin,
                                    __global const int *restrict block_sequences_begin,
                                    __global const int *restrict block_sequences,
                                    __global const uint *restrict ids, uint4 stream, int heads, int q_stride,
                                    int q_col, int kv_stride, int k_col, int v_col, int dkv_stride,
                                    int dk_col, int dv_col, float scale, uint threshold, float kept_scale)
{
    int t = get_global_id(0), h = get_global_id(1), k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    int first = (int)get_global_id(2) * BAND, rows = min(BAND, nk - first), width = heads * HEAD;
    float queries[HEAD * BLOCK], outs[HEAD * BLOCK], score[TILE * BLOCK], dp[TILE * BLOCK];
    float sum_k[BAND * HEAD], sum_v[BAND * HEAD], ls[BLOCK], means[BLOCK];
    if (rows <= 0)
        return;
    clear(sum_k, BAND * HEAD);
    clear(sum_v, BAND * HEAD);
    for (int u = block_sequences_begin[t]; u < block_sequences_begin[t + 1]; u++) {
        int s = block_sequences[u], q0 = q_begin[s], nq = q_begin[s + 1] - q0;
        uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
        uint key0 = key.x, key1 = key.y;
        for (int i0 = 0; i0 < nq; i0 += BLOCK) {
            int count = min(BLOCK, nq - i0), whole = (count + 15) / 16 * 16;
            size_t r0 = q0 + i0;
            __global const act *from = q + r0 * q_stride + q_col + h * HEAD,
                               *g = dout + r0 * width + h * HEAD;
            transpose_load(queries, from, q_stride, count);
            transpose_load(outs, g, width, count);
            for (int i = 0; i < whole; i++) {
                ls[i] = i < count ? lse[(r0 + i) * heads + h] : 0.0f;
                means[i] = i < count ? delta[(r0 + i) * heads + h] : 0.0f;
            }
            for (int j = 0; j < rows; j += TILE) {
                size_t at = (size_t)(k0 + first + j) * kv_stride + h * HEAD;
                dots(score, k + at + k_col, kv_stride, rows - j, queries, count);
                dots(dp, v + at + v_col, kv_stride, rows - j, outs, count);
                for (int r = 0; r < TILE; r++)
                    for (int i = 0; i < count; i += 16) {
                        float16 p = vec_exp(load16(0, score + r * BLOCK + i) * scale - load16(0, ls + i));
                        float16 mask = (float16)(1.0f);
                        p = lanes_below(p, count - i, 0.0f);
                        if (threshold) {
                            float each[16];
                            for (int z = 0; z < 16; z++)
                                each[z] = kept(key0, key1, (uint)((h * nq + i0 + i + z) * nk + first + j + r),
                                               threshold, kept_scale);
                            mask = load16(0, each);
                        }
                        store16(p * mask, 0, score + r * BLOCK + i);
                        store16(slope(p, load16(0, dp + r * BLOCK + i), mask, load16(0, means + i)), 0,
                                dp + r * BLOCK + i);
                    }
                accumulate_pv(sum_v + j * HEAD, score, g, width, count);
                accumulate_pv(sum_k + j * HEAD, dp, from, q_stride, count);
            }
        }
    }
    for (int j = 0; j < rows; j++) {
        size_t r = k0 + first + j;
        for (int c = 0; c < HEAD_VECS; c++) {
            ACT_STORE16(load16(c, sum_k + j * HEAD) * scale, c, dk + r * dkv_stride + dk_col + h * HEAD);
            ACT_STORE16(load16(c, sum_v + j * HEAD), c, dv + r * dkv_stride + dv_col + h * HEAD);
        }
    }
}
