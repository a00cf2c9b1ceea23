/* The forward of attention on a CPU: FlashAttention's, in query tiles; attention_tile.h, ops/attention.h. */
#include "common.h"

#include "philox.h"

#include "attention_tile.h"

#include "attention_few.h"

/* score[j][z] = ⟨row j, transposed rows⟩ of `count` dense rows, and meaningless ones up to the next TILE; top
 * what is largest so far. */
static inline void scores(vecf *score, vecf *top, __global const float *a, int count, const vecf *transposed)
{
    for (int j = 0; j < count; j += TILE) {
        vecf s[TILE * VECTORS];
        tile_dots(s, a + j * HEAD, transposed);
#pragma unroll
        for (int r = 0; r < TILE * VECTORS; r++)
            score[VECTORS * j + r] = s[r];
#pragma unroll
        for (int r = 0; r < TILE; r++)
#pragma unroll
            for (int z = 0; z < VECTORS; z++)
                if (r < count - j)
                    top[z] = vec_larger(top[z], s[VECTORS * r + z]);
    }
}

/* The running maximum is now top: what was summed over 2^base shrinks. */
static inline void rescale(vecf *base, const vecf *top, vecf *total, vecf *sum)
{
    for (int z = 0; z < VECTORS; z++) {
        vecf shrink = vec_exp2(base[z] - top[z]);
        total[z] *= shrink;
        base[z] = top[z];
        for (int c = 0; c < HEAD; c++)
            sum[VECTORS * c + z] *= shrink;
    }
}

/* o and log-sum-exp of a query tile.  Scores are powers of 2, over 2^base of the query: the largest of the
 * first kv tile, and of all so far once one is HEADROOM above it. */
static OUTLINED void tile_forward(const kv_block *b, const query_tile *tile, __global act *o, int o_stride,
                                  __global float *lse, int heads, __global const act *q, int q_stride,
                                  float scale2)
{
    vecf transposed[VECTORS * HEAD], sum[VECTORS * HEAD], score[VECTORS * (KV_TILE + TILE)];
    vecf base[VECTORS], total[VECTORS], factor[VECTORS], lengths[VECTORS];
    load_transposed(transposed, tile, q, q_stride, scale2);
    for (int c = 0; c < VECTORS * HEAD; c++)
        sum[c] = (vecf)(0.0f);
    for (int z = 0; z < VECTORS; z++) {
        base[z] = (vecf)(-1e30f);
        total[z] = (vecf)(0.0f);
    }
    for (int j0 = 0; j0 < b->count; j0 += KV_TILE) {
        int count = min(KV_TILE, b->count - j0);
        vecf top[VECTORS], above = (vecf)(-1e30f);
        for (int z = 0; z < VECTORS; z++)
            top[z] = base[z];
        scores(score, top, b->k + j0 * HEAD, count, transposed);
        for (int z = 0; z < VECTORS; z++)
            above = vec_larger(above, top[z] - base[z]);
        if (vec_max(above) > HEADROOM)
            rescale(base, top, total, sum);
        for (int j = 0; j < count; j++)
#pragma unroll
            for (int z = 0; z < VECTORS; z++) {
                vecf p = vec_exp2(score[VECTORS * j + z] - base[z]);
                score[VECTORS * j + z] = p;
                total[z] += p;
            }
        for (int j = 0; b->threshold && j < count; j++)
            for (int z = 0; z < VECTORS; z++)
                score[VECTORS * j + z] *= query_mask(tile, b, z, j0 + j);
        accumulate_pv(sum, score, b->v + j0 * HEAD, count);
    }
    for (int z = 0; z < VECTORS; z++) {
        factor[z] = 1.0f / total[z];
        lengths[z] = base[z] / LOG2_E + log(total[z]);
    }
    store_transposed(o, o_stride, tile, sum, factor);
    for (int i = 0; i < tile->rows; i++)
        lse[(size_t)tile->row[i] * heads] = ((const float *)lengths)[i];
}

/* The same of few rows; shown: two numbers a pair, each row's up to the next VEC. */
static OUTLINED void few_forward(const kv_block *b, const query_tile *tile, __global act *o, int o_stride,
                                 __global float *lse, int heads, __global const act *q, int q_stride,
                                 float scale2, __global float *shown)
{
    float x[LAIP_ATTENTION_FEW_ROWS * HEAD];
    int stride = (b->count + VEC - 1) / VEC * VEC;
    __global float *score = shown + tile->rows * stride;
    load_rows(x, tile, q, q_stride, scale2);
    pair_dots(score, x, tile->rows, b->k, b->count);
    for (int r = 0; r < tile->rows; r++) {
        __global float *mine = score + r * b->count, *p = shown + r * stride;
        vecf top = (vecf)(-1e30f), all = (vecf)(0.0f);
        for (int j = 0; j < b->count; j += VEC)
            top = vec_larger(top, vec_below(VLOAD(mine + j), b->count - j, -1e30f));
        float most = vec_max(top);
        for (int j = 0; j < b->count; j += VEC) {
            vecf each = vec_below(vec_exp2(VLOAD(mine + j) - most), b->count - j, 0.0f);
            all += each;
            if (b->threshold)
                each *= key_mask(tile, b, r, j);
            VSTORE(each, p + j);
        }
        float total = vec_sum(all);
        row_pv(o + (size_t)tile->row[r] * o_stride, p, b->v, b->count, 1.0f / total);
        lse[(size_t)tile->row[r] * heads] = most / LOG2_E + log(total);
    }
}

/* Of the blocks × heads × parts parts of the work, a part being a share of a block's query tiles, a group
 * takes `each` in a row at a time.  The keys and values that a part reads lie dense in the group's share of
 * the workspace, `share` floats, as rows a large power of two apart would share few sets of the caches, and
 * stay there for the next part that reads them. */
ITEM_KERNEL void attention_tile_forward(
    __global const act *restrict q, __global const act *restrict k, __global const act *restrict v,
    __global act *restrict o, __global float *restrict lse, __global const int *restrict q_begin,
    __global const int *restrict k_begin, __global const int *restrict block_sequences_begin,
    __global const int *restrict block_sequences, __global const uint *restrict ids, uint4 stream, int heads,
    int q_stride, int q_col, int kv_stride, int k_col, int v_col, float scale, uint threshold,
    float kept_scale, __global float *restrict workspace, ulong share, int longest, int blocks, int sequences,
    int parts, int each, __global volatile int *tile_counter)
{
    const sequence_lists lists = {q_begin, k_begin,  block_sequences_begin, block_sequences, ids,
                                  stream,  sequences};
    size_t size = (size_t)padded(longest) * HEAD;
    __global float *mine = workspace + get_group_id(0) * share;
    kv_block b = {.k = mine, .v = mine + size, .threshold = threshold, .kept_scale = kept_scale};
    int width = heads * HEAD, near_block = -1, near_head = -1, all = blocks * heads * parts;
    FOR_EACH_TILE (i, (all + each - 1) / each, tile_counter) {
        for (int w = i * each; w < min(all, (i + 1) * each); w++) {
            int t = w / parts / heads, h = w / parts % heads, part = w % parts;
            int rows = block_rows(&lists, t), tiles = (rows + QUERY_TILE - 1) / QUERY_TILE;
            int first = (int)((long)tiles * part / parts), last = (int)((long)tiles * (part + 1) / parts);
            if (first == last)
                continue;
            if (t != near_block || h != near_head) {
                size_t at = (size_t)k_begin[t] * kv_stride + h * HEAD;
                b.count = b.total = k_begin[t + 1] - k_begin[t];
                load_dense(b.k, k + at + k_col, kv_stride, b.count);
                load_dense(b.v, v + at + v_col, kv_stride, b.count);
                near_block = t;
                near_head = h;
            }
            query_cursor cursor = cursor_at(&lists, t, first * QUERY_TILE);
            for (int n = first; n < last; n++) {
                query_tile tile;
                next_tile(&tile, &cursor, &lists, t, h, QUERY_TILE, &b);
                if (is_few(tile.rows, b.count))
                    few_forward(&b, &tile, o + h * HEAD, width, lse + h, heads, q + q_col + h * HEAD,
                                q_stride, scale * LOG2_E, mine + 2 * size);
                else
                    tile_forward(&b, &tile, o + h * HEAD, width, lse + h, heads, q + q_col + h * HEAD,
                                 q_stride, scale * LOG2_E);
            }
        }
    }
    tile_loop_end(tile_counter);
}
