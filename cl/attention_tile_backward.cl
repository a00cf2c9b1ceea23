/* The backward of attention on a CPU, in query tiles: attention_tile.h, ops/attention.h.
 *
 * In one pass an item owns a block's keys and a head, and takes the query tiles that read it in their order:
 * it computes their probabilities and products once, into a workspace as wide as the block is long, whence
 * dq, dk and dv.  Where a device has more units than there are blocks and heads it takes two passes: dq, with
 * the query tiles shared out, which leaves each row's mean; then dk and dv, with the keys shared out. */
#include "common.h"

#include "philox.h"

#include "attention_tile.h"

#include "attention_few.h"

/* What the backward has beside the block: the sums of its keys' and values' gradients, dense, that hold
 * nothing yet while overwrite; the workspace for pairs; and each row's mean, which the first of two passes
 * leaves. */
typedef struct gradients {
    __global float *dk, *dv, *pairs, *mean;
    float scale;
    int want, heads, overwrite;
} gradients;

/* Where one head of the matrices begins, and their rows' strides. */
typedef struct head_rows {
    __global const act *q, *dout;
    __global act *dq;
    __global const float *lse;
    int q_stride, dout_stride, dq_stride;
} head_rows;

/* Probabilities (negative where dropout took them) and their gradients, of a query tile against all keys
 * here, to pairs[j][0 or 1][z]; returns in mean what the gradients' sum over the probabilities is.  That is
 * ⟨dO, O⟩ of the row, but of these very numbers, so that the scores' gradients sum up to 0 as they should:
 * see attention_dq. */
static inline void probabilities(const kv_block *b, const gradients *g, const query_tile *tile, vecf *mean,
                                 const vecf *transposed, const vecf *transposed_out, const vecf *l)
{
    vecf all[VECTORS], sum[VECTORS];
    for (int z = 0; z < VECTORS; z++)
        all[z] = sum[z] = (vecf)(0.0f);
    for (int j = 0; j < b->count; j += TILE) {
        vecf s[TILE * VECTORS];
        __global float *to = g->pairs + (size_t)j * 2 * QUERY_TILE;
        tile_dots(s, b->k + j * HEAD, transposed);
#pragma unroll
        for (int r = 0; r < TILE; r++)
#pragma unroll
            for (int z = 0; z < VECTORS; z++)
                VSTORE(vec_exp2(s[VECTORS * r + z] - l[z]), to + r * 2 * QUERY_TILE + z * VEC);
        tile_dots(s, b->v + j * HEAD, transposed_out);
#pragma unroll
        for (int r = 0; r < TILE; r++)
#pragma unroll
            for (int z = 0; z < VECTORS; z++)
                VSTORE(s[VECTORS * r + z], to + (2 * r + 1) * QUERY_TILE + z * VEC);
        for (int r = 0; r < min(TILE, b->count - j); r++)
#pragma unroll
            for (int z = 0; z < VECTORS; z++) {
                __global float *at = to + r * 2 * QUERY_TILE + z * VEC;
                vecf p = VLOAD(at), dp = VLOAD(at + QUERY_TILE);
                all[z] += p;
                if (b->threshold) {
                    vecf mask = query_mask(tile, b, z, j + r);
                    dp *= mask;
                    VSTORE(select(p, -p, mask == (vecf)(0.0f)), at);
                    VSTORE(dp, at + QUERY_TILE);
                }
                sum[z] = fma(p, dp, sum[z]);
            }
    }
    if (g->want & LAIP_WANT_DQ)
        for (int z = 0; z < VECTORS; z++)
            mean[z] = sum[z] / all[z];
}

/* dq of a query tile; what it adds to dk and dv. */
static OUTLINED void tile_backward(const kv_block *b, const gradients *g, const query_tile *tile,
                                   const head_rows *m)
{
    vecf transposed[VECTORS * HEAD], transposed_out[VECTORS * HEAD], sum[VECTORS * HEAD];
    vecf p[VECTORS * (KV_TILE + TILE)], ds[VECTORS * (KV_TILE + TILE)];
    vecf mean[VECTORS], l[VECTORS], ones[VECTORS];
    float near_q[QUERY_TILE * HEAD], near_out[QUERY_TILE * HEAD];
    load_transposed(transposed, tile, m->q, m->q_stride, g->scale * LOG2_E);
    load_transposed(transposed_out, tile, m->dout, m->dout_stride, 1.0f);
    for (int i = 0; i < QUERY_TILE; i++) {
        size_t at = (size_t)tile->row[i] * g->heads;
        ((float *)l)[i] = i < tile->rows ? m->lse[at] * LOG2_E : 0.0f;
        ((float *)mean)[i] = g->want & LAIP_WANT_DQ ? 0.0f : g->mean[at];
    }
    probabilities(b, g, tile, mean, transposed, transposed_out, l);
    if (g->want == LAIP_WANT_DQ)
        for (int i = 0; i < tile->rows; i++)
            g->mean[(size_t)tile->row[i] * g->heads] = ((const float *)mean)[i];
    if (g->want & LAIP_WANT_DKV) {
        load_rows(near_q, tile, m->q, m->q_stride, 1.0f);
        load_rows(near_out, tile, m->dout, m->dout_stride, 1.0f);
    }
    for (int c = 0; c < VECTORS * HEAD; c++)
        sum[c] = (vecf)(0.0f);
    for (int z = 0; z < VECTORS; z++)
        ones[z] = (vecf)(1.0f);
    for (int j0 = 0; j0 < b->count; j0 += KV_TILE) {
        int count = min(KV_TILE, b->count - j0), whole = padded(count);
        for (int j = 0; j < count; j++) {
            __global const float *at = g->pairs + (size_t)(j0 + j) * 2 * QUERY_TILE;
#pragma unroll
            for (int z = 0; z < VECTORS; z++) {
                vecf each = VLOAD(at + z * VEC);
                ds[VECTORS * j + z] = fabs(each) * (VLOAD(at + QUERY_TILE + z * VEC) - mean[z]) * g->scale;
                p[VECTORS * j + z] = b->threshold ? fmax(each, (vecf)(0.0f)) * b->kept_scale : each;
            }
        }
        for (int j = VECTORS * count; j < VECTORS * whole; j++)
            p[j] = ds[j] = (vecf)(0.0f);
        if (g->want & LAIP_WANT_DQ)
            accumulate_pv(sum, ds, b->k + j0 * HEAD, count);
        if (g->want & LAIP_WANT_DKV) {
            accumulate_dkv(g->dv + j0 * HEAD, whole, p, near_out, tile->rows, g->overwrite);
            accumulate_dkv(g->dk + j0 * HEAD, whole, ds, near_q, tile->rows, g->overwrite);
        }
    }
    if (g->want & LAIP_WANT_DQ)
        store_transposed(m->dq, m->dq_stride, tile, sum, ones);
}

/* The same of few rows; of each pair five numbers, each row's up to the next VEC. */
static OUTLINED void few_backward(const kv_block *b, const gradients *g, const query_tile *tile,
                                  const head_rows *m)
{
    float x[LAIP_ATTENTION_FEW_ROWS * HEAD], out[LAIP_ATTENTION_FEW_ROWS * HEAD];
    int stride = (b->count + VEC - 1) / VEC * VEC, size = tile->rows * stride;
    __global float *p = g->pairs, *ds = p + size, *dp = ds + size, *score = dp + size, *slope = score + size;
    load_rows(x, tile, m->q, m->q_stride, g->scale * LOG2_E);
    load_rows(out, tile, m->dout, m->dout_stride, 1.0f);
    pair_dots(score, x, tile->rows, b->k, b->count);
    pair_dots(slope, out, tile->rows, b->v, b->count);
    for (int r = 0; r < tile->rows; r++) {
        size_t at = (size_t)tile->row[r] * g->heads;
        float l = m->lse[at] * LOG2_E, mean;
        vecf all = (vecf)(0.0f), both = (vecf)(0.0f);
        for (int j = 0; j < b->count; j += VEC) {
            vecf e = vec_below(vec_exp2(VLOAD(score + r * b->count + j) - l), b->count - j, 0.0f);
            vecf d = vec_below(VLOAD(slope + r * b->count + j), b->count - j, 0.0f), mask = (vecf)(1.0f);
            if (b->threshold)
                mask = key_mask(tile, b, r, j);
            d *= mask;
            all += e;
            both = fma(e, d, both);
            VSTORE(e * mask, p + r * stride + j);
            VSTORE(e, ds + r * stride + j);
            VSTORE(d, dp + r * stride + j);
        }
        mean = g->want & LAIP_WANT_DQ ? vec_sum(both) / vec_sum(all) : g->mean[at];
        for (int j = r * stride; j < (r + 1) * stride; j += VEC)
            VSTORE(VLOAD(ds + j) * (VLOAD(dp + j) - mean) * g->scale, ds + j);
        if (g->want & LAIP_WANT_DQ)
            row_pv(m->dq + (size_t)tile->row[r] * m->dq_stride, ds + r * stride, b->k, b->count, 1.0f);
        if (g->want == LAIP_WANT_DQ)
            g->mean[at] = mean;
    }
    if (!(g->want & LAIP_WANT_DKV))
        return;
    load_rows(x, tile, m->q, m->q_stride, 1.0f);
    row_dkv(g->dk, b->count, ds, stride, x, tile->rows, g->overwrite);
    row_dkv(g->dv, b->count, p, stride, out, tile->rows, g->overwrite);
}

/* Of the blocks × heads × parts parts of the work a group takes `each` in a row at a time.  A part is a share
 * of a block's query tiles or, in the pass for dk and dv alone, of its keys.  Keys, values and the sums of
 * their gradients lie dense in the group's share of the workspace, `share` floats behind the `means` means.
 */
ITEM_KERNEL void attention_tile_backward(
    __global const act *restrict q, __global const act *restrict k, __global const act *restrict v,
    __global const act *restrict dout, __global const float *restrict lse, __global float *mean, uint means,
    ulong share, __global act *dq, __global act *dk, __global act *dv, __global const int *restrict q_begin,
    __global const int *restrict k_begin, __global const int *restrict block_sequences_begin,
    __global const int *restrict block_sequences, __global const uint *restrict ids, uint4 stream, int heads,
    int q_stride, int q_col, int kv_stride, int k_col, int v_col, int dq_stride, int dq_col, int dkv_stride,
    int dk_col, int dv_col, int longest, float scale, uint threshold, float kept_scale, int blocks,
    int sequences, int parts, int each, int want, __global volatile int *tile_counter)
{
    const sequence_lists lists = {q_begin, k_begin,  block_sequences_begin, block_sequences, ids,
                                  stream,  sequences};
    size_t size = (size_t)padded(longest) * HEAD;
    __global float *mine = mean + means + get_group_id(0) * share;
    kv_block b = {.k = mine, .v = mine + size, .threshold = threshold, .kept_scale = kept_scale};
    int width = heads * HEAD, all = blocks * heads * parts;
    FOR_EACH_TILE (i, (all + each - 1) / each, tile_counter) {
        for (int w = i * each; w < min(all, (i + 1) * each); w++) {
            int t = w / parts / heads, h = w / parts % heads, part = w % parts, n = 0;
            int rows = block_rows(&lists, t), tiles = (rows + QUERY_TILE - 1) / QUERY_TILE;
            gradients g = {
                mine + 2 * size, mine + 3 * size, mine + 4 * size, mean + h, scale, want, heads, 1};
            head_rows m = {q + q_col + h * HEAD,
                           dout + h * HEAD,
                           dq + dq_col + h * HEAD,
                           lse + h,
                           q_stride,
                           width,
                           dq_stride};
            b.total = b.count = k_begin[t + 1] - k_begin[t];
            b.first = 0;
            if (want == LAIP_WANT_DKV) {
                b.first = (int)((long)b.total * part / parts);
                b.count = (int)((long)b.total * (part + 1) / parts) - b.first;
            } else {
                n = (int)((long)tiles * part / parts);
                tiles = (int)((long)tiles * (part + 1) / parts);
            }
            size_t first = (size_t)(k_begin[t] + b.first);
            load_dense(b.k, k + first * kv_stride + k_col + h * HEAD, kv_stride, b.count);
            load_dense(b.v, v + first * kv_stride + v_col + h * HEAD, kv_stride, b.count);
            query_cursor cursor = cursor_at(&lists, t, n * QUERY_TILE);
            for (; n < tiles && b.count; n++, g.overwrite = 0) {
                query_tile tile;
                next_tile(&tile, &cursor, &lists, t, h, QUERY_TILE, &b);
                if (is_few(tile.rows, b.count))
                    few_backward(&b, &g, &tile, &m);
                else
                    tile_backward(&b, &g, &tile, &m);
            }
            if (!(want & LAIP_WANT_DKV))
                continue;
            if (g.overwrite) /* nobody reads them */
                for (int c = 0; c < b.count * HEAD; c++)
                    g.dk[c] = g.dv[c] = 0.0f;
            store_dense(dk + first * dkv_stride + dk_col + h * HEAD, dkv_stride, g.dk, b.count);
            store_dense(dv + first * dkv_stride + dv_col + h * HEAD, dkv_stride, g.dv, b.count);
        }
    }
    tile_loop_end(tile_counter);
}
