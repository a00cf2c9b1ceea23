/* Attention on a CPU with queries as lanes: a work-item has 32 of them, turned over, as two vectors a column
 * of the head, and walks the keys as they lie.  So no sum crosses lanes and no key is ever turned.
 *
 * The backward is one pass: an item owns a block of keys and a head, and takes the queries that read it, 32
 * by 32 in their order.  It computes their probabilities and products once, into scratch as wide as the block
 * is long, whence dq, dk and dv.  HEAD is a multiple of 16.  ops/attention.h says what is computed. */
#include "common.h"

#include "turn.h"

#define LANE 32  /* queries of an item at once: two vectors */
#define TILE 8   /* rows of a register tile */
#define BLOCK 96 /* keys between two looks at the running maximum */
#define HEAD_VECS (HEAD / 16)
#define LOG2_E 1.44269504f

/* to[c] = column c of 32 rows; those from `rows` on are 0. */
inline void turn(float16 *to, __global const float *from, int stride, int rows)
{
    for (int z = 0; z < 2; z++)
        for (int c = 0; c < HEAD; c += 16) {
            float16 v[16];
#pragma unroll
            for (int i = 0; i < 16; i++)
                v[i] = 16 * z + i < rows ? vload16(0, from + (size_t)(16 * z + i) * stride + c)
                                         : (float16)(0.0f);
            turn16(v);
#pragma unroll
            for (int q = 0; q < 16; q++)
                to[2 * (c + q) + z] = v[q];
        }
}

/* The way back, each row times its factor. */
inline void turn_back(__global float *to, int stride, const float16 *from, const float16 *factor, int rows)
{
    for (int z = 0; z < 2; z++)
        for (int c = 0; c < HEAD; c += 16) {
            float16 v[16];
#pragma unroll
            for (int q = 0; q < 16; q++)
                v[q] = from[2 * (c + q) + z] * factor[z];
            turn16(v);
#pragma unroll
            for (int i = 0; i < 16; i++)
                if (16 * z + i < rows)
                    vstore16(v[i], 0, to + (size_t)(16 * z + i) * stride + c);
        }
}

/* out[j][i] = ⟨row j, turned row i⟩ for `count` rows, and as far as the next multiple of TILE the last again.
 */
inline void dots(float16 *out, __global const float *a, int stride, int count, const float16 *turned)
{
    for (int j = 0; j < count; j += TILE) {
        __global const float *row[TILE];
        float16 s0[TILE], s1[TILE];
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            row[r] = a + (size_t)min(j + r, count - 1) * stride;
            s0[r] = s1[r] = (float16)(0.0f);
        }
        for (int c = 0; c < HEAD; c++) {
            float16 b0 = turned[2 * c], b1 = turned[2 * c + 1];
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                float16 x = (float16)(row[r][c]);
                s0[r] = fma(x, b0, s0[r]);
                s1[r] = fma(x, b1, s1[r]);
            }
        }
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            out[2 * (j + r)] = s0[r];
            out[2 * (j + r) + 1] = s1[r];
        }
    }
}

/* sum[c][i] += Σ_j w[j][i] · b[j·stride + c] over `count` rows. */
inline void gather(float16 *sum, const float16 *w, __global const float *b, int stride, int count)
{
    for (int c = 0; c < HEAD; c += TILE) {
        float16 s0[TILE], s1[TILE];
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            s0[r] = sum[2 * (c + r)];
            s1[r] = sum[2 * (c + r) + 1];
        }
        for (int j = 0; j < count; j++) {
            float16 b0 = w[2 * j], b1 = w[2 * j + 1];
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                float16 x = (float16)(b[(size_t)j * stride + c + r]);
                s0[r] = fma(x, b0, s0[r]);
                s1[r] = fma(x, b1, s1[r]);
            }
        }
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            sum[2 * (c + r)] = s0[r];
            sum[2 * (c + r) + 1] = s1[r];
        }
    }
}

/* to[j] (+)= Σ_i w[j][i] · b[i] for `count` rows of the head's columns, over `lanes` rows of b; dense. */
inline void spread(__global float *to, int count, const float16 *weight, const float16 *b, int lanes,
                   int fresh)
{
    const float *w = (const float *)weight;
    for (int j = 0; j < count; j += TILE)
        for (int v = 0; v < HEAD_VECS; v += 2) {
            int second = v + 1 < HEAD_VECS, rows = min(TILE, count - j);
            float16 s0[TILE], s1[TILE];
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                __global const float *old = to + (j + min(r, rows - 1)) * HEAD;
                s0[r] = fresh ? (float16)(0.0f) : vload16(v, old);
                s1[r] = fresh || !second ? (float16)(0.0f) : vload16(v + 1, old);
            }
            for (int i = 0; i < lanes; i++) {
                float16 b0 = b[i * HEAD_VECS + v], b1 = b[i * HEAD_VECS + v + second];
#pragma unroll
                for (int r = 0; r < TILE; r++) {
                    float16 x = (float16)(w[(j + r) * LANE + i]);
                    s0[r] = fma(x, b0, s0[r]);
                    s1[r] = fma(x, b1, s1[r]);
                }
            }
#pragma unroll
            for (int r = 0; r < TILE; r++)
                if (r < rows) {
                    vstore16(s0[r], v, to + (j + r) * HEAD);
                    if (second)
                        vstore16(s1[r], v + 1, to + (j + r) * HEAD);
                }
        }
}

/* `rows` rows of the head's columns, from and to where they lie `stride` apart. */
inline void fetch(__global float *to, __global const float *from, int stride, int rows)
{
    for (int j = 0; j < rows; j++)
        for (int v = 0; v < HEAD_VECS; v++)
            vstore16(vload16(v, from + (size_t)j * stride), v, to + j * HEAD);
}

inline void put_back(__global float *to, int stride, __global const float *from, int rows)
{
    for (int j = 0; j < rows; j++)
        for (int v = 0; v < HEAD_VECS; v++)
            vstore16(vload16(v, from + j * HEAD), v, to + (size_t)j * stride);
}

inline void fetch_rows(float16 *to, __global const float *from, int stride, int rows)
{
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < HEAD_VECS; v++)
            to[i * HEAD_VECS + v] = vload16(v, from + (size_t)i * stride);
}

inline void clear(float16 *x)
{
    for (int c = 0; c < 2 * HEAD; c++)
        x[c] = (float16)(0.0f);
}

/* The dropout's factors of 16 queries, `first` and on, at key j. */
inline float16 mask16(uint key0, uint key1, int first, int j, int keys, uint threshold, float kept_scale)
{
    uint16 lane = (uint16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint16 index = (lane + (uint16)((uint)first)) * (uint)keys + (uint)j;
    return select((float16)(0.0f), (float16)(kept_scale),
                  vec_mask_bits(key0, key1, index) >= (uint16)(threshold));
}

/* Piece i of the work: a head, a sequence and 32 of its queries, in this order, so that the pieces that
 * follow each other read the same keys. */
ITEM_KERNEL void attention_lanes_forward(__global const float *restrict q, __global const float *restrict k,
                                         __global const float *restrict v, __global float *restrict o,
                                         __global float *restrict lse, __global const int *restrict q_begin,
                                         __global const int *restrict kv_of,
                                         __global const int *restrict k_begin,
                                         __global const uint *restrict key, int heads, int q_stride,
                                         int q_col, int kv_stride, int k_col, int v_col, float scale,
                                         uint threshold, float kept_scale, int sequences, int bands,
                                         __global volatile int *turns)
{
    float16 turned[2 * HEAD], sum[2 * HEAD], score[2 * (BLOCK + TILE)];
    float scale2 = scale * LOG2_E; /* probabilities are powers of 2 */
    FOR_EACH_TURN (i, sequences * heads * bands, turns) {
        int s = i / bands % sequences, h = i / bands / sequences, t = kv_of[s], first = i % bands * LANE;
        int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0;
        int rows = min(LANE, nq - first);
        uint key0 = threshold ? key[2 * s] : 0, key1 = threshold ? key[2 * s + 1] : 0;
        if (rows <= 0)
            continue;
        size_t r0 = q0 + first;
        turn(turned, q + r0 * q_stride + q_col + h * HEAD, q_stride, rows);
        clear(sum);
        float16 most0 = (float16)(-1e30f), most1 = most0, total0 = (float16)(0.0f), total1 = total0;
        for (int j0 = 0; j0 < nk; j0 += BLOCK) {
            int count = min(BLOCK, nk - j0);
            size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
            dots(score, k + at + k_col, kv_stride, count, turned);
            float16 top0 = score[0], top1 = score[1], all0 = (float16)(0.0f), all1 = all0;
            for (int j = 1; j < count; j++) {
                top0 = vec_larger(top0, score[2 * j]);
                top1 = vec_larger(top1, score[2 * j + 1]);
            }
            top0 = vec_larger(most0, top0 * scale2);
            top1 = vec_larger(most1, top1 * scale2);
            float16 shrink0 = vec_exp2(most0 - top0), shrink1 = vec_exp2(most1 - top1);
            most0 = top0;
            most1 = top1;
            for (int j = 0; j < count; j++) {
                float16 p0 = vec_exp2(fma(score[2 * j], (float16)(scale2), -most0));
                float16 p1 = vec_exp2(fma(score[2 * j + 1], (float16)(scale2), -most1));
                all0 += p0;
                all1 += p1;
                score[2 * j] = p0;
                score[2 * j + 1] = p1;
            }
            for (int j = 0; threshold && j < count; j++) {
                score[2 * j] *= mask16(key0, key1, h * nq + first, j0 + j, nk, threshold, kept_scale);
                score[2 * j + 1] *=
                    mask16(key0, key1, h * nq + first + 16, j0 + j, nk, threshold, kept_scale);
            }
            total0 = fma(total0, shrink0, all0);
            total1 = fma(total1, shrink1, all1);
            for (int c = 0; j0 && c < HEAD; c++) {
                sum[2 * c] *= shrink0;
                sum[2 * c + 1] *= shrink1;
            }
            gather(sum, score, v + at + v_col, kv_stride, count);
        }
        float16 factor[2] = {1.0f / total0, 1.0f / total1}, end[2];
        turn_back(o + (r0 * heads + h) * HEAD, heads * HEAD, sum, factor, rows);
        end[0] = most0 / LOG2_E + log(total0);
        end[1] = most1 / LOG2_E + log(total1);
        for (int i = 0; i < rows; i++)
            lse[(r0 + i) * heads + h] = ((const float *)end)[i];
    }
    turns_end(turns);
}

/* Probabilities (negative where dropout took them) and their gradients, of 32 queries against a whole block
 * of keys, to kept[j][0 or 1][i]; returns in mean[i] what the gradients' sum over the probabilities is.  That
 * is ⟨dO, O⟩ of the row, but of these very numbers, so that the scores' gradients sum up to 0 as they should:
 * see attention_dq. */
inline void probabilities(__global float *kept, float16 *mean, const float16 *turned,
                          const float16 *turned_out, const float16 *l, float16 *score, float16 *dp,
                          __global const float *k, __global const float *v, int nk, int index, uint key0,
                          uint key1, float scale, uint threshold, float kept_scale)
{
    float16 all[2] = {(float16)(0.0f), (float16)(0.0f)}, sum[2] = {(float16)(0.0f), (float16)(0.0f)};
    for (int j0 = 0; j0 < nk; j0 += BLOCK) {
        int count = min(BLOCK, nk - j0);
        dots(score, k + j0 * HEAD, HEAD, count, turned);
        dots(dp, v + j0 * HEAD, HEAD, count, turned_out);
        for (int j = 0; j < count; j++) {
            __global float *at = kept + (size_t)(j0 + j) * 2 * LANE;
#pragma unroll
            for (int z = 0; z < 2; z++) {
                float16 p = vec_exp2(fma(score[2 * j + z], (float16)(scale * LOG2_E), -l[z]));
                float16 g = dp[2 * j + z], shown = p;
                if (threshold) {
                    float16 mask = mask16(key0, key1, index + 16 * z, j0 + j, nk, threshold, kept_scale);
                    g *= mask;
                    shown = select(p, -p, mask == (float16)(0.0f));
                }
                all[z] += p;
                sum[z] = fma(p, g, sum[z]);
                vstore16(shown, z, at);
                vstore16(g, 2 + z, at);
            }
        }
    }
    mean[0] = sum[0] / all[0];
    mean[1] = sum[1] / all[1];
}

/* Piece i of the work: a block of keys and a head.  The block's keys and values, and the sums of their
 * gradients, lie dense in the group's part of scratch meanwhile: rows a large power of two apart would share
 * few sets of the caches. */
ITEM_KERNEL void attention_lanes_backward(
    __global const float *restrict q, __global const float *restrict k, __global const float *restrict v,
    __global const float *restrict dout, __global const float *restrict lse, __global float *restrict scratch,
    __global float *dq, __global float *dk, __global float *dv, __global const int *restrict q_begin,
    __global const int *restrict k_begin, __global const int *restrict readers_begin,
    __global const int *restrict readers, __global const uint *restrict key, int heads, int q_stride,
    int q_col, int kv_stride, int k_col, int v_col, int dq_stride, int dq_col, int dkv_stride, int dk_col,
    int dv_col, int longest, float scale, uint threshold, float kept_scale, int blocks,
    __global volatile int *turns)
{
    float16 turned[2 * HEAD], turned_out[2 * HEAD], sum[2 * HEAD], score[2 * (BLOCK + TILE)],
        dp[2 * (BLOCK + TILE)];
    float16 near_q[LANE * HEAD_VECS], near_out[LANE * HEAD_VECS];
    float16 mean[2], l[2], ones[2] = {(float16)(1.0f), (float16)(1.0f)};
    size_t size = (size_t)longest * HEAD;
    __global float *near_k = scratch + get_group_id(0) * (4 * size + (size_t)longest * 2 * LANE),
                   *near_v = near_k + size, *near_dk = near_v + size, *near_dv = near_dk + size,
                   *kept = near_dv + size;
    FOR_EACH_TURN (i, blocks * heads, turns) {
        int t = i / heads, h = i % heads, k0 = k_begin[t], nk = k_begin[t + 1] - k0, width = heads * HEAD;
        int fresh = 1, last = readers_begin[t + 1];
        fetch(near_k, k + (size_t)k0 * kv_stride + k_col + h * HEAD, kv_stride, nk);
        fetch(near_v, v + (size_t)k0 * kv_stride + v_col + h * HEAD, kv_stride, nk);
        for (int u = readers_begin[t]; u < last; u++) {
            int s = readers[u], q0 = q_begin[s], nq = q_begin[s + 1] - q0;
            uint key0 = threshold ? key[2 * s] : 0, key1 = threshold ? key[2 * s + 1] : 0;
            for (int first = 0; first < nq; first += LANE) {
                int rows = min(LANE, nq - first);
                size_t r0 = q0 + first;
                __global const float *mine = q + r0 * q_stride + q_col + h * HEAD,
                                     *g = dout + r0 * width + h * HEAD;
                turn(turned, mine, q_stride, rows);
                turn(turned_out, g, width, rows);
                fetch_rows(near_q, mine, q_stride, rows);
                fetch_rows(near_out, g, width, rows);
                for (int i = 0; i < LANE; i++)
                    ((float *)l)[i] = i < rows ? lse[(r0 + i) * heads + h] * LOG2_E : 0.0f;
                probabilities(kept, mean, turned, turned_out, l, score, dp, near_k, near_v, nk,
                              h * nq + first, key0, key1, scale, threshold, kept_scale);
                clear(sum);
                for (int j0 = 0; j0 < nk; j0 += BLOCK) {
                    int count = min(BLOCK, nk - j0);
                    for (int j = 0; j < count; j++) {
                        __global const float *at = kept + (size_t)(j0 + j) * 2 * LANE;
#pragma unroll
                        for (int z = 0; z < 2; z++) {
                            float16 p = vload16(z, at), ds = fabs(p) * (vload16(2 + z, at) - mean[z]) * scale;
                            score[2 * j + z] = threshold ? fmax(p, (float16)(0.0f)) * kept_scale : p;
                            dp[2 * j + z] = ds;
                        }
                    }
                    gather(sum, dp, near_k + j0 * HEAD, HEAD, count);
                    spread(near_dv + j0 * HEAD, count, score, near_out, rows, fresh);
                    spread(near_dk + j0 * HEAD, count, dp, near_q, rows, fresh);
                }
                turn_back(dq + r0 * dq_stride + dq_col + h * HEAD, dq_stride, sum, ones, rows);
                fresh = 0;
            }
        }
        for (int j = 0; fresh && j < nk * HEAD; j++)
            near_dk[j] = near_dv[j] = 0.0f;
        put_back(dk + (size_t)k0 * dkv_stride + dk_col + h * HEAD, dkv_stride, near_dk, nk);
        put_back(dv + (size_t)k0 * dkv_stride + dv_col + h * HEAD, dkv_stride, near_dv, nk);
    }
    turns_end(turns);
}
