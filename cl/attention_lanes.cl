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
#define GROUP 7  /* most bands that meet a block of keys, copied once for them */
#define HEAD_VECS (HEAD / 16)
#define LOG2_E 1.44269504f

/* to[c] = column c of 32 rows; those from `rows` on are 0. */
inline void turn(float16 *to, __global const act *from, int stride, int rows)
{
    for (int z = 0; z < 2; z++)
        for (int c = 0; c < HEAD; c += 16) {
            float16 v[16];
#pragma unroll
            for (int i = 0; i < 16; i++)
                v[i] = 16 * z + i < rows ? ACT_LOAD16(0, from + (size_t)(16 * z + i) * stride + c)
                                         : (float16)(0.0f);
            turn16(v);
#pragma unroll
            for (int q = 0; q < 16; q++)
                to[2 * (c + q) + z] = v[q];
        }
}

/* The way back, each row times its factor. */
inline void turn_back(__global act *to, int stride, const float16 *from, const float16 *factor, int rows)
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
                    ACT_STORE16(v[i], 0, to + (size_t)(16 * z + i) * stride + c);
        }
}

/* out[j][i] = ⟨row j, turned row i⟩ for `count` dense rows, and as far as the next multiple of TILE the last
 * again. */
inline void dots(float16 *out, __global const float *a, int count, const float16 *turned)
{
    for (int j = 0; j < count; j += TILE) {
        __global const float *row[TILE];
        float16 s0[TILE], s1[TILE];
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            row[r] = a + min(j + r, count - 1) * HEAD;
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

/* sum[c][i] += Σ_j w[j][i] · b[j][c] over `count` dense rows. */
inline void gather(float16 *sum, const float16 *w, __global const float *b, int count)
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
                float16 x = (float16)(b[j * HEAD + c + r]);
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
                s0[r] = fresh ? (float16)(0.0f) : load16(v, old);
                s1[r] = fresh || !second ? (float16)(0.0f) : load16(v + 1, old);
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
                    store16(s0[r], v, to + (j + r) * HEAD);
                    if (second)
                        store16(s1[r], v + 1, to + (j + r) * HEAD);
                }
        }
}

/* `rows` rows of the head's columns, from and to where they lie `stride` apart. */
inline void fetch(__global float *to, __global const act *from, int stride, int rows)
{
    for (int j = 0; j < rows; j++)
        for (int v = 0; v < HEAD_VECS; v++)
            store16(ACT_LOAD16(v, from + (size_t)j * stride), v, to + j * HEAD);
}

inline void put_back(__global act *to, int stride, __global const float *from, int rows)
{
    for (int j = 0; j < rows; j++)
        for (int v = 0; v < HEAD_VECS; v++)
            ACT_STORE16(load16(v, from + j * HEAD), v, to + (size_t)j * stride);
}

inline void fetch_rows(float16 *to, __global const act *from, int stride, int rows)
{
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < HEAD_VECS; v++)
            to[i * HEAD_VECS + v] = ACT_LOAD16(v, from + (size_t)i * stride);
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

/* 32 queries, or what is left of a sequence's, and what they have found so far; turned. */
typedef struct band {
    float16 turned[2 * HEAD], sum[2 * HEAD], most[2], total[2];
    size_t row;      /* the first query's */
    int rows, index; /* index: of its probability of key 0, among those of the sequence */
    uint key0, key1; /* of the dropout */
} band;

/* The band meets keys j0 … j0 + count − 1 of nk and their values, dense; score is scratch.  Probabilities are
 * powers of 2. */
inline void meet(band *b, float16 *score, __global const float *k, __global const float *v, int j0, int count,
                 int nk, float scale2, uint threshold, float kept_scale)
{
    dots(score, k, count, b->turned);
    float16 top0 = score[0], top1 = score[1], all0 = (float16)(0.0f), all1 = all0;
    for (int j = 1; j < count; j++) {
        top0 = vec_larger(top0, score[2 * j]);
        top1 = vec_larger(top1, score[2 * j + 1]);
    }
    top0 = vec_larger(b->most[0], top0 * scale2);
    top1 = vec_larger(b->most[1], top1 * scale2);
    float16 shrink0 = vec_exp2(b->most[0] - top0), shrink1 = vec_exp2(b->most[1] - top1);
    for (int j = 0; j < count; j++) {
        float16 p0 = vec_exp2(fma(score[2 * j], (float16)(scale2), -top0));
        float16 p1 = vec_exp2(fma(score[2 * j + 1], (float16)(scale2), -top1));
        all0 += p0;
        all1 += p1;
        score[2 * j] = p0;
        score[2 * j + 1] = p1;
    }
    for (int j = 0; threshold && j < count; j++) {
        score[2 * j] *= mask16(b->key0, b->key1, b->index, j0 + j, nk, threshold, kept_scale);
        score[2 * j + 1] *= mask16(b->key0, b->key1, b->index + 16, j0 + j, nk, threshold, kept_scale);
    }
    b->most[0] = top0;
    b->most[1] = top1;
    b->total[0] = fma(b->total[0], shrink0, all0);
    b->total[1] = fma(b->total[1], shrink1, all1);
    for (int c = 0; c < HEAD; c++) {
        b->sum[2 * c] *= shrink0;
        b->sum[2 * c + 1] *= shrink1;
    }
    gather(b->sum, score, v, count);
}

/* Piece i of the work is a head and `group` bands of queries: of one sequence or, where one band is as long
 * as any, of as many sequences.  Those of them that read the same block of keys meet it together: piece by
 * piece it lies dense in the group's part of scratch, as rows a large power of two apart would share few sets
 * of the caches. */
ITEM_KERNEL void attention_lanes_forward(
    __global const act *restrict q, __global const act *restrict k, __global const act *restrict v,
    __global act *restrict o, __global float *restrict lse, __global const int *restrict q_begin,
    __global const int *restrict kv_of, __global const int *restrict k_begin,
    __global const uint *restrict key, int heads, int q_stride, int q_col, int kv_stride, int k_col,
    int v_col, float scale, uint threshold, float kept_scale, __global float *restrict scratch, int sequences,
    int group, int pieces, int together, __global volatile int *turns)
{
    band bands[GROUP];
    float16 score[2 * (BLOCK + TILE)];
    __global float *near_k = scratch + get_group_id(0) * 2 * BLOCK * HEAD, *near_v = near_k + BLOCK * HEAD;
    FOR_EACH_TURN (i, heads * pieces, turns) {
        int h = i / pieces, part = i % pieces, each = together ? 1 : pieces / sequences;
        int s = together ? part * group : part / each, last = together ? min(s + group, sequences) : s + 1;
        int begin = together ? 0 : part % each * group * LANE;
        while (s < last) {
            int t = kv_of[s], k0 = k_begin[t], nk = k_begin[t + 1] - k0, count = 0;
            for (; s < last && kv_of[s] == t; s++) {
                int q0 = q_begin[s], nq = q_begin[s + 1] - q0;
                for (int first = begin; first < min(begin + group * LANE, nq); first += LANE) {
                    band *b = &bands[count++];
                    b->row = q0 + first;
                    b->rows = min(LANE, nq - first);
                    b->index = h * nq + first;
                    b->key0 = threshold ? key[2 * s] : 0;
                    b->key1 = threshold ? key[2 * s + 1] : 0;
                    turn(b->turned, q + b->row * q_stride + q_col + h * HEAD, q_stride, b->rows);
                    clear(b->sum);
                    b->most[0] = b->most[1] = (float16)(-1e30f);
                    b->total[0] = b->total[1] = (float16)(0.0f);
                }
            }
            for (int j0 = 0; count && j0 < nk; j0 += BLOCK) {
                int keys = min(BLOCK, nk - j0);
                size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
                fetch(near_k, k + at + k_col, kv_stride, keys);
                fetch(near_v, v + at + v_col, kv_stride, keys);
                for (int n = 0; n < count; n++)
                    meet(&bands[n], score, near_k, near_v, j0, keys, nk, scale * LOG2_E, threshold,
                         kept_scale);
            }
            for (int n = 0; n < count; n++) {
                const band *b = &bands[n];
                float16 factor[2] = {1.0f / b->total[0], 1.0f / b->total[1]}, lengths[2];
                turn_back(o + (b->row * heads + h) * HEAD, heads * HEAD, b->sum, factor, b->rows);
                lengths[0] = b->most[0] / LOG2_E + log(b->total[0]);
                lengths[1] = b->most[1] / LOG2_E + log(b->total[1]);
                for (int r = 0; r < b->rows; r++)
                    lse[(b->row + r) * heads + h] = ((const float *)lengths)[r];
            }
        }
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
        dots(score, k + j0 * HEAD, count, turned);
        dots(dp, v + j0 * HEAD, count, turned_out);
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
                store16(shown, z, at);
                store16(g, 2 + z, at);
            }
        }
    }
    mean[0] = sum[0] / all[0];
    mean[1] = sum[1] / all[1];
}

/* Piece i of the work: a block of keys and a head.  The block's keys and values, and the sums of their
 * gradients, lie dense in the group's part of scratch meanwhile, as in the forward. */
ITEM_KERNEL void attention_lanes_backward(
    __global const act *restrict q, __global const act *restrict k, __global const act *restrict v,
    __global const act *restrict dout, __global const float *restrict lse, __global float *restrict scratch,
    __global act *dq, __global act *dk, __global act *dv, __global const int *restrict q_begin,
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
                __global const act *mine = q + r0 * q_stride + q_col + h * HEAD,
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
                            float16 p = load16(z, at), ds = fabs(p) * (load16(2 + z, at) - mean[z]) * scale;
                            score[2 * j + z] = threshold ? fmax(p, (float16)(0.0f)) * kept_scale : p;
                            dp[2 * j + z] = ds;
                        }
                    }
                    gather(sum, dp, near_k + j0 * HEAD, count);
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
