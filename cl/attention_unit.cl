/* Attention on a matrix unit: a work-group owns ROWS rows of one head (queries, or keys in dkv) and walks the
 * other side in tiles of SPAN rows.  What the group owns rests in local memory as the unit's rows, a tile
 * passes through; scores go to local memory as floats, where vectors of 4 · MU_EACH of a row belong to an
 * item: it turns them into weights, in place, which the unit multiplies by the tile's other side, read once
 * more and transposed. Sums stay in registers.  ops/attention.h says what is computed.
 *
 * HEAD is a multiple of 4 up to LAIP_ATTENTION_UNIT_HEAD.  STORE: LAIP_STORED_FLOAT, _HALF or _BFLOAT16.
 * ALIGNED: all rows begin at whole vectors.  Only conditions that are the same for a whole group surround a
 * barrier. */
#include "common.h"

#include "matrix_unit.h"
#include "philox.h"
#include "unit_slab.h"

#if VEC != 4
#error attention_unit.cl is in vectors of 4
#endif

#include "attention_unit.h"

/* An item has vector VECTOR of row VECTOR_ROW(0) and, where there are more rows than that, of VECTOR_ROW(1).
 */
#define VECTOR ((int)get_local_id(0) % 4)
#define VECTOR_ROW(i) (((int)get_local_id(0) + (i)*ITEMS) / 4)
#if 4 * FORWARD_ROWS == ITEMS
#define FOR_VECTORS(DO) DO(0)
#elif 4 * FORWARD_ROWS == 2 * ITEMS
#define FOR_VECTORS(DO) DO(0) DO(1)
#else
#error attention_unit.cl: vectors of an item
#endif

/* Of a row so far: the largest score, and the item's part of the sum of exponentials. */
typedef struct row_state {
    float most, total;
} row_state;

typedef struct dropout_mask {
    uint2 key;
    uint threshold;
    float kept_scale;
} dropout_mask;

static inline MU_ALWAYS float largest_of(__local const float4 *scores, int r, float scale, int count)
{
    float largest = -1e30f;
#define LARGER(e, of)                                                                                        \
    largest = fmax(largest, vec_max(below(scores[score_at(FORWARD_ROWS, r, VECTOR, e)] * scale,              \
                                          VECTOR * EACH + 4 * e, count, -1e30f)));
    FOR_HALVES(LARGER)
#undef LARGER
    return largest;
}

/* The item's scores of row r become weights, in place.  index: of the mask of the tile's first key. */
static inline MU_ALWAYS void weigh(__local float4 *scores, __local const float *parts, __local float *per_row,
                                   int r, row_state *state, float scale, int count, dropout_mask mask,
                                   uint index)
{
    float larger = fmax(fmax(fmax(parts[4 * r], parts[4 * r + 1]), fmax(parts[4 * r + 2], parts[4 * r + 3])),
                        state->most);
    float shrink = vec_exp((float4)(state->most - larger)).x;
    float8 p = (float8)(0.0f);
    state->most = larger;
    state->total *= shrink;
#define WEIGHT(e, of)                                                                                        \
    p.of = below(vec_exp(scores[score_at(FORWARD_ROWS, r, VECTOR, e)] * scale - larger),                     \
                 VECTOR * EACH + 4 * e, count, 0.0f);                                                        \
    state->total += vec_sum(p.of);                                                                           \
    if (mask.threshold)                                                                                      \
        p.of *= dropout_factors(mask.key.x, mask.key.y, index + VECTOR * EACH + 4 * e, 1, mask.threshold,    \
                                mask.kept_scale);
    FOR_HALVES(WEIGHT)
#undef WEIGHT
    ((__local uint4 *)scores)[mu_at(r, VECTOR)] = mu_pack(p.lo, p.hi);
    if (VECTOR == 0)
        per_row[r] = shrink;
}

static inline MU_ALWAYS void end_row(__local const float *parts, __local float *per_row, int r, float most,
                                     __global float *lse, int rows)
{
    if (VECTOR == 0) {
        float all = sum_parts(parts, r);
        per_row[r] = 1.0f / all;
        if (r < rows)
            *lse = most + log(all);
    }
}

UNIT_KERNEL void attention_unit_forward(__global const void *restrict q, __global const void *restrict k,
                                        __global const void *restrict v, __global void *restrict o,
                                        __global float *restrict lse, __global const int *restrict q_begin,
                                        __global const int *restrict kv_of,
                                        __global const int *restrict k_begin,
                                        __global const uint *restrict ids, uint4 stream, int heads,
                                        int q_stride, int q_col, int kv_stride, int k_col, int v_col,
                                        float scale, uint threshold, float kept_scale)
{
    __local uint4 own[4 * FORWARD_ROWS * CHUNKS], tile[4 * (SPAN * CHUNKS > WIDTH ? SPAN * CHUNKS : WIDTH)];
    __local float4 scores[4 * FORWARD_ROWS * MU_EACH];
    __local float parts[4 * FORWARD_ROWS], per_row[FORWARD_ROWS];
    int s = get_group_id(0), h = get_group_id(1), t = kv_of[s], first = (int)get_group_id(2) * FORWARD_ROWS;
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    int rows = min(FORWARD_ROWS, nq - first);
    dropout_mask mask = {threshold ? dropout_key(stream, ids, s) : (uint2)(0), threshold, kept_scale};
    mu_sums sums[MOST_TILES];
    row_state state[2];
    if (rows <= 0)
        return;
    size_t r0 = q0 + first;
    lay_rows(own, FORWARD_ROWS, q, r0 * q_stride + q_col + h * HEAD, q_stride, rows);
    clear_tiles(sums, FORWARD_ROWS);
    state[0] = state[1] = (row_state){-1e30f, 0.0f};
    for (int j0 = 0; j0 < nk; j0 += SPAN) {
        int count = min(SPAN, nk - j0);
        size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
        barrier(CLK_LOCAL_MEM_FENCE);
        lay_rows(tile, SPAN, k, at + k_col, kv_stride, count);
        barrier(CLK_LOCAL_MEM_FENCE);
        dots(scores, FORWARD_ROWS, own, tile);
        barrier(CLK_LOCAL_MEM_FENCE);
        lay_transposed(tile, v, at + v_col, kv_stride, count);
#define LARGEST(i) parts[4 * VECTOR_ROW(i) + VECTOR] = largest_of(scores, VECTOR_ROW(i), scale, count);
        FOR_VECTORS(LARGEST)
        barrier(CLK_LOCAL_MEM_FENCE);
#define WEIGH(i)                                                                                             \
    weigh(scores, parts, per_row, VECTOR_ROW(i), &state[i], scale, count, mask,                              \
          (uint)((h * nq + first + VECTOR_ROW(i)) * nk + j0));
        FOR_VECTORS(WEIGH)
        barrier(CLK_LOCAL_MEM_FENCE);
        accumulate_pv(sums, FORWARD_ROWS, scores, tile, per_row);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#define KEEP_TOTAL(i) parts[4 * VECTOR_ROW(i) + VECTOR] = state[i].total;
    FOR_VECTORS(KEEP_TOTAL)
    barrier(CLK_LOCAL_MEM_FENCE);
#define END_ROW(i)                                                                                           \
    end_row(parts, per_row, VECTOR_ROW(i), state[i].most, lse + (r0 + VECTOR_ROW(i)) * heads + h, rows);
    FOR_VECTORS(END_ROW)
    barrier(CLK_LOCAL_MEM_FENCE);
    write_rows(o, (r0 * heads + h) * HEAD, heads * HEAD, sums, FORWARD_ROWS, rows, per_row, 1.0f);
}

/* Sets delta[r, h] = ⟨dO, O⟩, and adds to it what the scores' gradients of a row should sum up to and do not
 * for rounding, as attention_dq does.  Of coarse factors that rest is not small beside what the gradients
 * leave of each other, so that it is taken out of dq as well: dq −= rest · Σ_j p_j k_j. */
UNIT_KERNEL void attention_unit_dq(__global const void *restrict q, __global const void *restrict k,
                                   __global const void *restrict v, __global const void *restrict dout,
                                   __global const void *restrict o, __global const float *restrict lse,
                                   __global float *restrict delta, __global void *restrict dq,
                                   __global const int *restrict q_begin, __global const int *restrict kv_of,
                                   __global const int *restrict k_begin, __global const uint *restrict ids,
                                   uint4 stream, int heads, int q_stride, int q_col, int kv_stride, int k_col,
                                   int v_col, int dq_stride, int dq_col, float scale, uint threshold,
                                   float kept_scale)
{
    enum { ROWS = BACKWARD_ROWS };
    __local uint4 queries[4 * ROWS * CHUNKS], outs[4 * ROWS * CHUNKS], keys[4 * SPAN * CHUNKS];
    __local uint4 values[4 * (SPAN * CHUNKS > WIDTH ? SPAN * CHUNKS : WIDTH)];
    __local float4 scores[4 * ROWS * MU_EACH], slopes[4 * ROWS * MU_EACH];
    /* of a row, and of the four items of a row */
    __local float means[ROWS], lses[ROWS], parts[4 * ROWS], alls[4 * ROWS];
    int s = get_group_id(0), h = get_group_id(1), t = kv_of[s], first = (int)get_group_id(2) * ROWS;
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0,
        width = heads * HEAD;
    int rows = min(ROWS, nq - first);
    uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
    mu_sums sums[MOST_TILES];
#ifdef COARSE
    mu_sums mean_key[MOST_TILES]; /* Σ_j p_j k_j */
#endif
    if (rows <= 0)
        return;
    int r = VECTOR_ROW(0), vector = VECTOR;
    int mine = r < ROWS, inside = r < rows; /* PoCL 3.1 loses a bool at a barrier */
    size_t r0 = q0 + first, head = r0 * width + h * HEAD;
    lay_rows(queries, ROWS, q, r0 * q_stride + q_col + h * HEAD, q_stride, rows);
    lay_rows(outs, ROWS, dout, head, width, rows);
    clear_tiles(sums, ROWS);
#ifdef COARSE
    clear_tiles(mean_key, ROWS);
#endif
    if (mine) {
        float4 sum = (float4)(0.0f);
        for (int c = 4 * vector; c < HEAD && inside; c += 16) {
            size_t at = head + (size_t)r * width + c;
            sum = fma(widen(load_four(dout, STORE, at, 4, ALIGNED), STORE),
                      widen(load_four(o, STORE, at, 4, ALIGNED), STORE), sum);
        }
        parts[4 * r + vector] = vec_sum(sum);
        if (vector == 0)
            lses[r] = inside ? lse[(r0 + r) * heads + h] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (mine && vector == 0)
        means[r] = sum_parts(parts, r);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (mine)
        parts[4 * r + vector] = alls[4 * r + vector] = 0.0f;
    for (int j0 = 0; j0 < nk; j0 += SPAN) {
        int count = min(SPAN, nk - j0);
        size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
        barrier(CLK_LOCAL_MEM_FENCE);
        lay_rows(keys, SPAN, k, at + k_col, kv_stride, count);
        lay_rows(values, SPAN, v, at + v_col, kv_stride, count);
        barrier(CLK_LOCAL_MEM_FENCE);
        dots(scores, ROWS, queries, keys);
        dots(slopes, ROWS, outs, values);
        barrier(CLK_LOCAL_MEM_FENCE);
        lay_transposed(values, k, at + k_col, kv_stride, count);
        if (mine) {
            float8 p = (float8)(0.0f), ds = (float8)(0.0f);
            float all = 0.0f, left = 0.0f;
#define SLOPE_OF_QUERY(e, of)                                                                                \
    {                                                                                                        \
        int place = score_at(ROWS, r, vector, e), j = vector * EACH + 4 * e;                                 \
        p.of = below(vec_exp(fma(scores[place], (float4)(scale), (float4)(-lses[r]))), j, count, 0.0f);      \
        ds.of = slopes[place];                                                                               \
        if (threshold)                                                                                       \
            ds.of *= dropout_factors(key.x, key.y, (uint)((h * nq + first + r) * nk + j0 + j), 1, threshold, \
                                     kept_scale);                                                            \
        ds.of = p.of * (ds.of - means[r]);                                                                   \
        all += vec_sum(p.of);                                                                                \
        left += vec_sum(ds.of);                                                                              \
    }
            FOR_HALVES(SLOPE_OF_QUERY)
            ((__local uint4 *)scores)[mu_at(r, vector)] = mu_pack(ds.lo, ds.hi);
#ifdef COARSE
            ((__local uint4 *)slopes)[mu_at(r, vector)] = mu_pack(p.lo, p.hi);
#endif
            parts[4 * r + vector] += left;
            alls[4 * r + vector] += all;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        accumulate_pv(sums, ROWS, scores, values, 0);
#ifdef COARSE
        accumulate_pv(mean_key, ROWS, slopes, values, 0);
#endif
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#ifdef COARSE
    take_rests(sums, mean_key, ROWS, parts, alls);
#endif
    write_rows(dq, r0 * dq_stride + dq_col + h * HEAD, dq_stride, sums, ROWS, rows, 0, scale);
    if (inside && mine && vector == 0)
        delta[(r0 + r) * heads + h] = means[r] + sum_parts(parts, r) / sum_parts(alls, r);
}

/* Here the group owns keys; the sequences that read them follow one another in their order. */
UNIT_KERNEL void
attention_unit_dkv(__global const void *restrict q, __global const void *restrict k,
                   __global const void *restrict v, __global const void *restrict dout,
                   __global const float *restrict lse, __global const float *restrict delta,
                   __global void *dk, __global void *dv, __global const int *restrict q_begin,
                   __global const int *restrict k_begin, __global const int *restrict block_sequences_begin,
                   __global const int *restrict block_sequences, __global const uint *restrict ids,
                   uint4 stream, int heads, int q_stride, int q_col, int kv_stride, int k_col, int v_col,
                   int dkv_stride, int dk_col, int dv_col, float scale, uint threshold, float kept_scale)
{
    enum { ROWS = BACKWARD_ROWS };
    __local uint4 keys[4 * ROWS * CHUNKS], values[4 * ROWS * CHUNKS];
    __local uint4 queries[4 * (SPAN * CHUNKS > WIDTH ? SPAN * CHUNKS : WIDTH)];
    __local uint4 outs[4 * (SPAN * CHUNKS > WIDTH ? SPAN * CHUNKS : WIDTH)];
    __local float4 scores[4 * ROWS * MU_EACH], slopes[4 * ROWS * MU_EACH];
    int t = get_group_id(0), h = get_group_id(1), k0 = k_begin[t], nk = k_begin[t + 1] - k0,
        width = heads * HEAD;
    int first = (int)get_group_id(2) * ROWS, rows = min(ROWS, nk - first),
        last = block_sequences_begin[t + 1];
    mu_sums sum_k[MOST_TILES], sum_v[MOST_TILES];
    if (rows <= 0)
        return;
    int r = VECTOR_ROW(0), vector = VECTOR;
    size_t r0 = k0 + first;
    lay_rows(keys, ROWS, k, r0 * kv_stride + k_col + h * HEAD, kv_stride, rows);
    lay_rows(values, ROWS, v, r0 * kv_stride + v_col + h * HEAD, kv_stride, rows);
    clear_tiles(sum_k, ROWS);
    clear_tiles(sum_v, ROWS);
    for (int u = block_sequences_begin[t]; u < last; u++) {
        int s = block_sequences[u], q0 = q_begin[s], nq = q_begin[s + 1] - q0;
        uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
        for (int i0 = 0; i0 < nq; i0 += SPAN) {
            int count = min(SPAN, nq - i0);
            size_t at = q0 + i0;
            barrier(CLK_LOCAL_MEM_FENCE);
            lay_rows(queries, SPAN, q, at * q_stride + q_col + h * HEAD, q_stride, count);
            lay_rows(outs, SPAN, dout, at * width + h * HEAD, width, count);
            barrier(CLK_LOCAL_MEM_FENCE);
            dots(scores, ROWS, keys, queries);
            dots(slopes, ROWS, values, outs);
            barrier(CLK_LOCAL_MEM_FENCE);
            lay_transposed(queries, q, at * q_stride + q_col + h * HEAD, q_stride, count);
            lay_transposed(outs, dout, at * width + h * HEAD, width, count);
            if (r < ROWS) {
                float8 p = (float8)(0.0f), ds = (float8)(0.0f);
#define SLOPE_OF_KEY(e, of)                                                                                  \
    {                                                                                                        \
        int place = score_at(ROWS, r, vector, e), i = vector * EACH + 4 * e;                                 \
        size_t row = (at + i) * heads + h;                                                                   \
        float4 mask = (float4)(1.0f);                                                                        \
        if (threshold)                                                                                       \
            mask = dropout_factors(key.x, key.y, (uint)((h * nq + i0 + i) * nk + first + r), (uint)nk,       \
                                   threshold, kept_scale);                                                   \
        p.of = below(vec_exp(fma(scores[place], (float4)(scale), -four(lse + row, heads, count - i))), i,    \
                     count, 0);                                                                              \
        ds.of = p.of * fma(slopes[place], mask, -four(delta + row, heads, count - i));                       \
        p.of *= mask;                                                                                        \
    }
                FOR_HALVES(SLOPE_OF_KEY)
                ((__local uint4 *)scores)[mu_at(r, vector)] = mu_pack(p.lo, p.hi);
                ((__local uint4 *)slopes)[mu_at(r, vector)] = mu_pack(ds.lo, ds.hi);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            accumulate_pv(sum_v, ROWS, scores, outs, 0);
            accumulate_pv(sum_k, ROWS, slopes, queries, 0);
        }
    }
    write_rows(dk, r0 * dkv_stride + dk_col + h * HEAD, dkv_stride, sum_k, ROWS, rows, 0, scale);
    write_rows(dv, r0 * dkv_stride + dv_col + h * HEAD, dkv_stride, sum_v, ROWS, rows, 0, 1.0f);
}
