/* Attention on a CPU with queries as lanes: a work-item has a band of 32 of them, transposed over, as two
 * vectors a column of the head, and walks the keys as they lie.  So no sum crosses lanes and no key is ever
 * transposed. What is left of a sequence behind its whole bands, if it is FEW rows or less (an image's tokens
 * are its patches and one more), goes row by row, with the columns of the head as lanes.
 *
 * The backward is one pass: an item owns a block of keys and a head, and takes the queries that read it, 32
 * by 32 in their order.  It computes their probabilities and products once, into scratch as wide as the block
 * is long, whence dq, dk and dv.  HEAD is a multiple of 16.  ops/attention.h says what is computed. */
#include "common.h"

#include "attention_lanes.h"
#include "philox.h"

/* score[j] = ⟨row j, transposed rows⟩ of `count` dense rows; and top what is largest. */
static inline void scores(float16 *score, float16 *top, __global const float *a, int count,
                          const float16 *transposed)
{
    float16 top0 = top[0], top1 = top[1];
    int j = 0;
    for (; j + TILE <= count; j += TILE) {
        float16 s0[TILE], s1[TILE];
        tile_dots(s0, s1, a + j * HEAD, transposed);
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            score[2 * (j + r)] = s0[r];
            score[2 * (j + r) + 1] = s1[r];
            top0 = vec_larger(top0, s0[r]);
            top1 = vec_larger(top1, s1[r]);
        }
    }
    for (; j < count; j++) {
        one_dot(score + 2 * j, a + j * HEAD, transposed);
        top0 = vec_larger(top0, score[2 * j]);
        top1 = vec_larger(top1, score[2 * j + 1]);
    }
    top[0] = top0;
    top[1] = top1;
}

/* o and lse of `rows` queries, at most 32: keys BLOCK by BLOCK.  Scores are powers of 2, over 2^base of the
 * query: the largest of the first block, and of all so far once one is HEADROOM above it. */
static inline void band_forward(const kv_tile *m, __global act *o, int o_stride, __global float *lse,
                                int heads, __global const act *q, int q_stride, int rows, float scale2)
{
    float16 transposed[2 * HEAD], sum[2 * HEAD], score[2 * BLOCK];
    float16 base[2] = {(float16)(-1e30f), (float16)(-1e30f)};
    float16 total[2] = {(float16)(0.0f), (float16)(0.0f)};
    transpose_load(transposed, q, q_stride, rows, scale2);
    clear(sum);
    for (int j0 = 0; j0 < m->nk; j0 += BLOCK) {
        int count = min(BLOCK, m->nk - j0);
        float16 top[2] = {base[0], base[1]};
        scores(score, top, m->k + j0 * HEAD, count, transposed);
        if (vec_max(vec_larger(top[0] - base[0], top[1] - base[1])) > HEADROOM)
            for (int z = 0; z < 2; z++) {
                float16 shrink = vec_exp2(base[z] - top[z]);
                total[z] *= shrink;
                base[z] = top[z];
                for (int c = 0; c < HEAD; c++)
                    sum[2 * c + z] *= shrink;
            }
        for (int j = 0; j < count; j++)
            for (int z = 0; z < 2; z++) {
                float16 p = vec_exp2(score[2 * j + z] - base[z]);
                score[2 * j + z] = p;
                total[z] += p;
            }
        for (int j = 0; m->threshold && j < count; j++)
            for (int z = 0; z < 2; z++)
                score[2 * j + z] *= mask_queries(m->key0, m->key1, m->index + 16 * z, j0 + j, m->nk,
                                                 m->threshold, m->kept_scale);
        accumulate_pv(sum, score, m->v + j0 * HEAD, count);
    }
    float16 factor[2] = {1.0f / total[0], 1.0f / total[1]}, lengths[2];
    transpose_store(o, o_stride, sum, factor, rows);
    lengths[0] = base[0] / LOG2_E + log(total[0]);
    lengths[1] = base[1] / LOG2_E + log(total[1]);
    for (int i = 0; i < rows; i++)
        lse[i * heads] = ((const float *)lengths)[i];
}

/* o and lse of one query, query `row` of those of the tile. */
static inline void row_forward(const kv_tile *m, __global act *o, __global float *lse, __global const act *q,
                               int row, float scale2)
{
    float16 x[HEAD_VECS], sum[HEAD_VECS], top = (float16)(-1e30f), all = (float16)(0.0f);
    for (int v = 0; v < HEAD_VECS; v++) {
        x[v] = ACT_LOAD16(v, q) * scale2;
        sum[v] = (float16)(0.0f);
    }
    for (int j = 0; j < m->nk; j += 16) {
        float16 s = row_dots(m->k, j, m->nk, x); /* the last again: no larger */
        store16(s, 0, m->kept + j);
        top = vec_larger(top, s);
    }
    float most = vec_max(top);
    for (int j = 0; j < m->nk; j += 16) {
        float16 p = lanes_below(vec_exp2(load16(0, m->kept + j) - most), m->nk - j, 0.0f);
        all += p;
        if (m->threshold)
            p *= mask_keys(m->key0, m->key1, m->index + row, j, m->nk, m->threshold, m->kept_scale);
        store16(p, 0, m->kept + j);
    }
    float total = vec_sum(all);
    row_accumulate_pv(sum, m->kept, m->v, m->nk);
    for (int v = 0; v < HEAD_VECS; v++)
        ACT_STORE16(sum[v] / total, v, o);
    lse[0] = most / LOG2_E + log(total);
}

/* Piece i of the work is a head and `group` bands of queries: of one sequence or, where one band is as long
 * as any, of as many sequences.  The block of keys and values that they read lies dense in the group's part
 * of scratch, as rows a large power of two apart would share few sets of the caches, and stays there for the
 * next piece that reads it. */
ITEM_KERNEL void attention_lanes_forward(
    __global const act *restrict q, __global const act *restrict k, __global const act *restrict v,
    __global act *restrict o, __global float *restrict lse, __global const int *restrict q_begin,
    __global const int *restrict kv_of, __global const int *restrict k_begin,
    __global const uint *restrict ids, uint4 stream, int heads, int q_stride, int q_col, int kv_stride,
    int k_col, int v_col, float scale, uint threshold, float kept_scale, __global float *restrict scratch,
    int longest, int sequences, int group, int pieces, int together, __global volatile int *tile_counter)
{
    size_t size = (size_t)longest * HEAD;
    __global float *near_k = scratch + get_group_id(0) * (2 * size + longest + 16), *near_v = near_k + size;
    kv_tile m = {
        .k = near_k, .v = near_v, .kept = near_v + size, .threshold = threshold, .kept_scale = kept_scale};
    int near_block = -1, near_head = -1, width = heads * HEAD;
    FOR_EACH_TILE (i, heads * pieces, tile_counter) {
        int h = i / pieces, part = i % pieces, each = together ? 1 : pieces / sequences;
        int s = together ? part * group : part / each, last = together ? min(s + group, sequences) : s + 1;
        int begin = together ? 0 : part % each * group * LANE;
        for (; s < last; s++) {
            int t = kv_of[s], q0 = q_begin[s], nq = q_begin[s + 1] - q0, end = min(begin + group * LANE, nq);
            if (begin < end && (t != near_block || h != near_head)) {
                size_t at = (size_t)k_begin[t] * kv_stride + h * HEAD;
                m.nk = k_begin[t + 1] - k_begin[t];
                fetch(near_k, k + at + k_col, kv_stride, m.nk);
                fetch(near_v, v + at + v_col, kv_stride, m.nk);
                near_block = t;
                near_head = h;
            }
            uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
            m.key0 = key.x;
            m.key1 = key.y;
            for (int first = begin; first < end; first += LANE) {
                size_t row = q0 + first;
                int rows = min(LANE, end - first);
                __global const act *mine = q + row * q_stride + q_col + h * HEAD;
                m.index = h * nq + first;
                if (rows > FEW)
                    band_forward(&m, o + row * width + h * HEAD, width, lse + row * heads + h, heads, mine,
                                 q_stride, rows, scale * LOG2_E);
                for (int r = 0; rows <= FEW && r < rows; r++)
                    row_forward(&m, o + (row + r) * width + h * HEAD, lse + (row + r) * heads + h,
                                mine + (size_t)r * q_stride, r, scale * LOG2_E);
            }
        }
    }
    tile_loop_end(tile_counter);
}

/* What the backward has beside it: the sums of the keys' and values' gradients (NULL: not wanted), dense,
 * that hold nothing yet while overwrite; and room for twice 32 numbers a key. */
typedef struct returning {
    kv_tile m;
    __global float *dk, *dv, *pairs;
    float scale;
    int overwrite;
} returning;

/* For rows that only add, and for keys that nobody reads. */
static inline void begin_sums(const returning *b)
{
    for (int j = 0; j < b->m.nk * HEAD; j++)
        b->dk[j] = b->dv[j] = 0.0f;
}

/* sum += the probabilities of 32 queries at key j times their gradients, both of which lie at `at`.  Where
 * dropout took one it is negative from now on, and its gradient 0. */
static inline void weigh(const kv_tile *m, float16 *sum, __global float *at, int j)
{
#pragma unroll
    for (int z = 0; z < 2; z++) {
        float16 p = load16(z, at), g = load16(2 + z, at);
        if (m->threshold) {
            float16 mask =
                mask_queries(m->key0, m->key1, m->index + 16 * z, j, m->nk, m->threshold, m->kept_scale);
            g *= mask;
            store16(select(p, -p, mask == (float16)(0.0f)), z, at);
            store16(g, 2 + z, at);
        }
        sum[z] = fma(p, g, sum[z]);
    }
}

/* Probabilities (negative where dropout took them) and their gradients, of 32 queries against a whole block
 * of keys, to pairs[j][0 or 1][i]; returns in mean[i] what the gradients' sum over the probabilities is.
 * That is ⟨dO, O⟩ of the row, but of these very numbers, so that the scores' gradients sum up to 0 as they
 * should: see attention_dq. */
static inline void probabilities(const returning *b, float16 *mean, const float16 *transposed,
                                 const float16 *transposed_out, const float16 *l)
{
    const kv_tile *m = &b->m;
    float16 all0 = (float16)(0.0f), all1 = all0, sum[2] = {all0, all0}, l0 = l[0], l1 = l[1];
    int j = 0;
    for (; j + TILE <= m->nk; j += TILE) {
        float16 s0[TILE], s1[TILE];
        __global float *at = b->pairs + (size_t)j * 2 * LANE;
        tile_dots(s0, s1, m->k + j * HEAD, transposed);
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            float16 p0 = vec_exp2(s0[r] - l0), p1 = vec_exp2(s1[r] - l1);
            store16(p0, 4 * r, at);
            store16(p1, 4 * r + 1, at);
            all0 += p0;
            all1 += p1;
        }
        tile_dots(s0, s1, m->v + j * HEAD, transposed_out);
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            store16(s0[r], 4 * r + 2, at);
            store16(s1[r], 4 * r + 3, at);
        }
        for (int r = 0; r < TILE; r++)
            weigh(m, sum, at + r * 2 * LANE, j + r);
    }
    for (; j < m->nk; j++) {
        float16 s[2], g[2];
        __global float *at = b->pairs + (size_t)j * 2 * LANE;
        one_dot(s, m->k + j * HEAD, transposed);
        one_dot(g, m->v + j * HEAD, transposed_out);
        float16 p0 = vec_exp2(s[0] - l0), p1 = vec_exp2(s[1] - l1);
        store16(p0, 0, at);
        store16(p1, 1, at);
        store16(g[0], 2, at);
        store16(g[1], 3, at);
        all0 += p0;
        all1 += p1;
        weigh(m, sum, at, j);
    }
    mean[0] = sum[0] / all0;
    mean[1] = sum[1] / all1;
}

/* dq of `rows` queries, at most 32, whose output's gradient is g; what they add to dk and dv. */
static inline void band_backward(const returning *b, __global act *dq, int dq_stride,
                                 __global const float *lse, int heads, __global const act *q, int q_stride,
                                 __global const act *g, int rows)
{
    const kv_tile *m = &b->m;
    float16 transposed[2 * HEAD], transposed_out[2 * HEAD], sum[2 * HEAD];
    float16 score[2 * (BLOCK + TILE)], dp[2 * (BLOCK + TILE)];
    float16 near_q[LANE * HEAD_VECS], near_out[LANE * HEAD_VECS];
    float16 mean[2], l[2], ones[2] = {(float16)(1.0f), (float16)(1.0f)};
    transpose_load(transposed, q, q_stride, rows, b->scale * LOG2_E);
    transpose_load(transposed_out, g, heads * HEAD, rows, 1.0f);
    fetch_rows(near_q, q, q_stride, rows);
    fetch_rows(near_out, g, heads * HEAD, rows);
    for (int i = 0; i < LANE; i++)
        ((float *)l)[i] = i < rows ? lse[i * heads] * LOG2_E : 0.0f;
    probabilities(b, mean, transposed, transposed_out, l);
    clear(sum);
    for (int j0 = 0; j0 < m->nk; j0 += BLOCK) {
        int count = min(BLOCK, m->nk - j0);
        for (int j = 0; j < count; j++) {
            __global const float *at = b->pairs + (size_t)(j0 + j) * 2 * LANE;
#pragma unroll
            for (int z = 0; z < 2; z++) {
                float16 p = load16(z, at), ds = fabs(p) * (load16(2 + z, at) - mean[z]) * b->scale;
                score[2 * j + z] = m->threshold ? fmax(p, (float16)(0.0f)) * m->kept_scale : p;
                dp[2 * j + z] = ds;
            }
        }
        accumulate_pv(sum, dp, m->k + j0 * HEAD, count);
        if (!b->dk)
            continue;
        accumulate_dkv(b->dv + j0 * HEAD, count, score, near_out, rows, b->overwrite);
        accumulate_dkv(b->dk + j0 * HEAD, count, dp, near_q, rows, b->overwrite);
    }
    transpose_store(dq, dq_stride, sum, ones, rows);
}

/* The same of one query, query `row` of those of the tile. */
static inline void row_backward(const returning *b, __global act *dq, float l, __global const act *q,
                                __global const act *g, int row)
{
    const kv_tile *m = &b->m;
    float16 x[HEAD_VECS], out[HEAD_VECS], sum[HEAD_VECS], all = (float16)(0.0f), both = (float16)(0.0f);
    __global float *shown = m->kept, *slope = b->pairs;
    for (int v = 0; v < HEAD_VECS; v++) {
        x[v] = ACT_LOAD16(v, q) * (b->scale * LOG2_E);
        out[v] = ACT_LOAD16(v, g);
        sum[v] = (float16)(0.0f);
    }
    for (int j = 0; j < m->nk; j += 16) {
        float16 p = lanes_below(vec_exp2(row_dots(m->k, j, m->nk, x) - l), m->nk - j, 0.0f);
        float16 dp = row_dots(m->v, j, m->nk, out), mask = (float16)(1.0f);
        if (m->threshold)
            mask = mask_keys(m->key0, m->key1, m->index + row, j, m->nk, m->threshold, m->kept_scale);
        dp *= mask;
        all += p;
        both = fma(p, dp, both);
        store16(p * mask, 0, shown + j);
        store16(p, 0, slope + 2 * j);
        store16(dp, 0, slope + 2 * j + 16);
    }
    float mean = vec_sum(both) / vec_sum(all);
    for (int j = 0; j < m->nk; j += 16) /* as far as key j + 15, whose pair lies no lower */
        store16(load16(0, slope + 2 * j) * (load16(0, slope + 2 * j + 16) - mean) * b->scale, 0, slope + j);
    row_accumulate_pv(sum, slope, m->k, m->nk);
    for (int v = 0; v < HEAD_VECS; v++) {
        ACT_STORE16(sum[v], v, dq);
        x[v] = ACT_LOAD16(v, q);
    }
    if (!b->dk)
        return;
    row_accumulate_dkv(b->dk, m->nk, slope, x);
    row_accumulate_dkv(b->dv, m->nk, shown, out);
}

/* Piece i of the work: a block of keys and a head.  The block's keys and values, and the sums of their
 * gradients, if they are wanted, lie dense in the group's part of scratch meanwhile, as in the forward.  Of
 * its sequences those from `sequences` on are none of this launch's. */
ITEM_KERNEL void attention_lanes_backward(
    __global const act *restrict q, __global const act *restrict k, __global const act *restrict v,
    __global const act *restrict dout, __global const float *restrict lse, __global float *restrict scratch,
    __global act *dq, __global act *dk, __global act *dv, __global const int *restrict q_begin,
    __global const int *restrict k_begin, __global const int *restrict block_sequences_begin,
    __global const int *restrict block_sequences, __global const uint *restrict ids, uint4 stream, int heads,
    int q_stride, int q_col, int kv_stride, int k_col, int v_col, int dq_stride, int dq_col, int dkv_stride,
    int dk_col, int dv_col, int longest, float scale, uint threshold, float kept_scale, int blocks,
    int sequences, int keys_too, __global volatile int *tile_counter)
{
    size_t size = (size_t)longest * HEAD, room = (size_t)longest + 16;
    __global float *near_k = scratch + get_group_id(0) * (4 * size + room * (2 * LANE + 1)),
                   *near_v = near_k + size;
    returning b = {.m = {.k = near_k,
                         .v = near_v,
                         .kept = near_v + 3 * size,
                         .threshold = threshold,
                         .kept_scale = kept_scale},
                   .dk = keys_too ? near_v + size : 0,
                   .dv = near_v + 2 * size,
                   .pairs = near_v + 3 * size + room,
                   .scale = scale};
    FOR_EACH_TILE (i, blocks * heads, tile_counter) {
        int t = i / heads, h = i % heads, k0 = k_begin[t], nk = k_begin[t + 1] - k0, width = heads * HEAD;
        b.m.nk = nk;
        b.overwrite = 1;
        fetch(near_k, k + (size_t)k0 * kv_stride + k_col + h * HEAD, kv_stride, nk);
        fetch(near_v, v + (size_t)k0 * kv_stride + v_col + h * HEAD, kv_stride, nk);
        for (int u = block_sequences_begin[t]; u < block_sequences_begin[t + 1]; u++) {
            int s = block_sequences[u], q0 = q_begin[s], nq = q_begin[s + 1] - q0;
            if (s >= sequences)
                continue;
            uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
            b.m.key0 = key.x;
            b.m.key1 = key.y;
            for (int first = 0; first < nq; first += LANE) {
                int rows = min(LANE, nq - first);
                size_t row = q0 + first;
                __global const act *mine = q + row * q_stride + q_col + h * HEAD,
                                   *g = dout + row * width + h * HEAD;
                __global act *to = dq + row * dq_stride + dq_col + h * HEAD;
                b.m.index = h * nq + first;
                if (b.overwrite && keys_too && rows <= FEW)
                    begin_sums(&b);
                if (rows > FEW)
                    band_backward(&b, to, dq_stride, lse + row * heads + h, heads, mine, q_stride, g, rows);
                for (int r = 0; rows <= FEW && r < rows; r++)
                    row_backward(&b, to + (size_t)r * dq_stride, lse[(row + r) * heads + h] * LOG2_E,
                                 mine + (size_t)r * q_stride, g + (size_t)r * width, r);
                b.overwrite = 0;
            }
        }
        if (!keys_too)
            continue;
        if (b.overwrite)
            begin_sums(&b);
        put_back(dk + (size_t)k0 * dkv_stride + dk_col + h * HEAD, dkv_stride, b.dk, nk);
        put_back(dv + (size_t)k0 * dkv_stride + dv_col + h * HEAD, dkv_stride, b.dv, nk);
    }
    tile_loop_end(tile_counter);
}
