/* Attention in its plain form: a work-item owns a query row (or a key row) of one head and walks the other
 * side in blocks of VEC, so that exponentials come in vectors: ops/attention.h.
 *
 * On a graphics device an item has registers for the sums of PART of a head's columns; for a wider head it
 * walks the other side once more for each part, and makes the scores again. */
#include "common.h"

#include "philox.h"

#define HEAD_VECS (HEAD / VEC)
#define SMALLER(a, b) ((a) < (b) ? (a) : (b))
#if LANES == 1
#define PART HEAD
#define PART_OF_TWO HEAD /* of each of two sums */
#define COLUMNS_AT_ONCE 64
#define ROWS_AT_ONCE 1
#else
#define PART SMALLER(HEAD, 64)
#define PART_OF_TWO SMALLER(HEAD, 32)
#define COLUMNS_AT_ONCE 2 /* else compilers move all loads to the front */
#define ROWS_AT_ONCE VEC
#endif
#define VECS(part) (((part) + VEC - 1) / VEC)
#define HEAD_KERNEL ROW_KERNEL SMALL_SUB_GROUPS

/* The columns in their order: a pair's product is the same to the bit whichever side owns it. */
static inline float product(__global const act *a, __global const act *b)
{
    vecf sums = (vecf)(0.0f);
    float sum = 0.0f;
#pragma unroll COLUMNS_AT_ONCE
    for (int c = 0; c < HEAD_VECS; c++)
        sums = fma(ACT_LOAD(a + c * VEC), ACT_LOAD(b + c * VEC), sums);
    for (int c = HEAD_VECS * VEC; c < HEAD; c++)
        sum = fma(ACT_GET(a + c), ACT_GET(b + c), sum);
    return sum + vec_sum(sums);
}

/* Columns c … of a head; 0 beyond its end. */
static inline vecf columns(__global const act *head, int c)
{
#if HEAD % VEC
    if (c + VEC > HEAD) {
        float each[VEC];
#pragma unroll
        for (int i = 0; i < VEC; i++)
            each[i] = c + i < HEAD ? ACT_GET(head + c + i) : 0.0f;
        return VLOAD(each);
    }
#endif
    return ACT_LOAD(head + c);
}

static inline void clear(vecf *sum, int vecs)
{
#pragma unroll
    for (int c = 0; c < vecs; c++)
        sum[c] = (vecf)(0.0f);
}

static inline void multiply(vecf *sum, int vecs, float factor)
{
#pragma unroll
    for (int c = 0; c < vecs; c++)
        sum[c] *= factor;
}

/* Of the part from column `first` on: sum += factor · from, and to = factor · sum. */
static inline void add(vecf *sum, int vecs, __global const act *from, int first, float factor)
{
#pragma unroll
    for (int c = 0; c < vecs; c++)
        if (first + c * VEC < HEAD)
            sum[c] = fma(columns(from, first + c * VEC), (vecf)(factor), sum[c]);
}

static inline void put(__global act *to, const vecf *sum, int vecs, int first, float factor)
{
#pragma unroll
    for (int c = 0; c < vecs; c++) {
        int at = first + c * VEC;
#if HEAD % VEC
        if (at + VEC > HEAD) {
            float each[VEC];
            VSTORE(sum[c] * factor, each);
#pragma unroll
            for (int i = 0; i < VEC; i++)
                if (at + i < HEAD)
                    ACT_PUT(each[i], to + at + i);
        } else
#endif
            if (at < HEAD)
            ACT_STORE(sum[c] * factor, to + at);
    }
}

HEAD_KERNEL void attention_forward(__global const act *restrict q, __global const act *restrict k,
                                   __global const act *restrict v, __global act *restrict o,
                                   __global float *restrict lse, __global const int *restrict q_begin,
                                   __global const int *restrict kv_of, __global const int *restrict k_begin,
                                   __global const uint *restrict ids, uint4 stream, int heads, int q_stride,
                                   int q_col, int kv_stride, int k_col, int v_col, float scale,
                                   uint threshold, float kept_scale)
{
    int s = get_group_id(0), h = get_group_id(1), t = kv_of[s];
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
    uint key0 = key.x, key1 = key.y;
    for (int i = row_lane() + (int)get_group_id(2) * LANES; i < nq; i += LANES * (int)get_num_groups(2)) {
        __global const act *mine = q + (size_t)(q0 + i) * q_stride + q_col + h * HEAD;
        for (int first = 0; first < HEAD; first += PART) {
            vecf sum[VECS(PART)];
            float score[VEC], most = -1e30f, total = 0.0f;
            clear(sum, VECS(PART));
            for (int j0 = 0; j0 < nk; j0 += VEC) {
                int n = min(VEC, nk - j0);
                size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
#pragma unroll ROWS_AT_ONCE
                for (int j = 0; j < VEC; j++)
                    score[j] =
                        j < n ? product(k + at + (size_t)j * kv_stride + k_col, mine) * scale : -INFINITY;
                vecf x = VLOAD(score);
                float larger = fmax(most, vec_max(x));
                float shrink = exp(most - larger);
                total *= shrink;
                multiply(sum, VECS(PART), shrink);
                most = larger;
                x = vec_exp(x - most);
                VSTORE(x, score);
#pragma unroll ROWS_AT_ONCE
                for (int j = 0; j < VEC; j++) {
                    float p = score[j];
                    if (j >= n)
                        continue;
                    total += p;
                    if (threshold)
                        p *= dropout_factor(key0, key1, (uint)((h * nq + i) * nk + j0 + j), threshold,
                                            kept_scale);
                    add(sum, VECS(PART), v + at + (size_t)j * kv_stride + v_col, first, p);
                }
            }
            put(o + (size_t)(q0 + i) * heads * HEAD + h * HEAD, sum, VECS(PART), first, 1.0f / total);
            lse[(size_t)(q0 + i) * heads + h] = most + log(total);
        }
    }
}

/* delta[r, h] = ⟨dO, O⟩ of each row and head. */
HEAD_KERNEL void attention_delta(__global const act *restrict dout, __global const act *restrict o,
                                 __global float *restrict delta, int heads)
{
    size_t row = row_index();
    for (int h = row_lane(); h < heads; h += LANES)
        delta[row * heads + h] = product(dout + (row * heads + h) * HEAD, o + (row * heads + h) * HEAD);
}

/* The scores' gradients of a row sum to 0 but for rounding, which the gradient of the keys' bias would show
 * as noise: what is left of that sum goes into delta, for attention_dkv, whose scores and products are the
 * same to the bit. */
HEAD_KERNEL void attention_dq(__global const act *restrict q, __global const act *restrict k,
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
        __global const act *mine = q + r * q_stride + q_col + h * HEAD,
                           *g = dout + r * heads * HEAD + h * HEAD;
        float l = lse[r * heads + h], mean = delta[r * heads + h], left = 0.0f, all = 0.0f;
        for (int first = 0; first < HEAD; first += PART) {
            vecf sum[VECS(PART)];
            float score[VEC];
            clear(sum, VECS(PART));
            left = all = 0.0f;
            for (int j0 = 0; j0 < nk; j0 += VEC) {
                int n = min(VEC, nk - j0);
                size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
#pragma unroll ROWS_AT_ONCE
                for (int j = 0; j < VEC; j++)
                    score[j] =
                        j < n ? product(k + at + (size_t)j * kv_stride + k_col, mine) * scale - l : 0.0f;
                VSTORE(vec_exp(VLOAD(score)), score);
#pragma unroll ROWS_AT_ONCE
                for (int j = 0; j < VEC; j++) {
                    if (j >= n)
                        continue;
                    float dp = product(v + at + (size_t)j * kv_stride + v_col, g);
                    if (threshold)
                        dp *= dropout_factor(key0, key1, (uint)((h * nq + i) * nk + j0 + j), threshold,
                                             kept_scale);
                    float ds = score[j] * (dp - mean);
                    left += ds;
                    all += score[j];
                    add(sum, VECS(PART), k + at + (size_t)j * kv_stride + k_col, first, ds);
                }
            }
            put(dq + r * dq_stride + dq_col + h * HEAD, sum, VECS(PART), first, scale);
        }
        delta[r * heads + h] = mean + left / all;
    }
}

HEAD_KERNEL void attention_dkv(__global const act *restrict q, __global const act *restrict k,
                               __global const act *restrict v, __global const act *restrict dout,
                               __global const float *restrict lse, __global const float *restrict delta,
                               __global act *dk, __global act *dv, __global const int *restrict q_begin,
                               __global const int *restrict k_begin,
                               __global const int *restrict block_sequences_begin,
                               __global const int *restrict block_sequences,
                               __global const uint *restrict ids, uint4 stream, int heads, int q_stride,
                               int q_col, int kv_stride, int k_col, int v_col, int dkv_stride, int dk_col,
                               int dv_col, float scale, uint threshold, float kept_scale)
{
    int t = get_group_id(0), h = get_group_id(1), k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    for (int j = row_lane() + (int)get_group_id(2) * LANES; j < nk; j += LANES * (int)get_num_groups(2)) {
        size_t r = k0 + j;
        __global const act *mine = k + r * kv_stride + k_col + h * HEAD,
                           *value = v + r * kv_stride + v_col + h * HEAD;
        for (int first = 0; first < HEAD; first += PART_OF_TWO) {
            vecf sum_k[VECS(PART_OF_TWO)], sum_v[VECS(PART_OF_TWO)];
            float score[VEC];
            clear(sum_k, VECS(PART_OF_TWO));
            clear(sum_v, VECS(PART_OF_TWO));
            for (int u = block_sequences_begin[t]; u < block_sequences_begin[t + 1]; u++) {
                int s = block_sequences[u], q0 = q_begin[s], nq = q_begin[s + 1] - q0;
                uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
                uint key0 = key.x, key1 = key.y;
                for (int i0 = 0; i0 < nq; i0 += VEC) {
                    int n = min(VEC, nq - i0);
                    size_t at = (size_t)(q0 + i0);
                    __global const act *rows = q + at * q_stride + q_col + h * HEAD,
                                       *g = dout + at * heads * HEAD + h * HEAD;
#pragma unroll ROWS_AT_ONCE
                    for (int i = 0; i < VEC; i++)
                        score[i] = i < n ? product(rows + (size_t)i * q_stride, mine) * scale -
                                               lse[(at + i) * heads + h]
                                         : 0.0f;
                    VSTORE(vec_exp(VLOAD(score)), score);
#pragma unroll ROWS_AT_ONCE
                    for (int i = 0; i < VEC; i++) {
                        if (i >= n)
                            continue;
                        __global const act *mine_g = g + (size_t)i * heads * HEAD;
                        float dp = product(mine_g, value), p = score[i];
                        if (threshold) {
                            float kept = dropout_factor(key0, key1, (uint)((h * nq + i0 + i) * nk + j),
                                                        threshold, kept_scale);
                            dp *= kept;
                            p *= kept;
                        }
                        add(sum_v, VECS(PART_OF_TWO), mine_g, first, p);
                        add(sum_k, VECS(PART_OF_TWO), rows + (size_t)i * q_stride, first,
                            score[i] * (dp - delta[(at + i) * heads + h]));
                    }
                }
            }
            put(dk + r * dkv_stride + dk_col + h * HEAD, sum_k, VECS(PART_OF_TWO), first, scale);
            put(dv + r * dkv_stride + dv_col + h * HEAD, sum_v, VECS(PART_OF_TWO), first, 1.0f);
        }
    }
}
