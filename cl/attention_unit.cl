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

#define ITEMS LAIP_ATTENTION_UNIT_ITEMS(MU_LANES)
#define WAVES (ITEMS / MU_LANES)
#define WIDTH ((HEAD + 31) / 32 * 32)
#define CHUNKS (WIDTH / MU_DEPTH) /* slabs of a row of the head */
#define SPAN MU_DEPTH             /* so that weights are one slab */
#define EACH (4 * MU_EACH)        /* weights of an item's vector */
#define ACROSS (WIDTH / MU_N)
#define FORWARD_ROWS LAIP_ATTENTION_UNIT_FORWARD_ROWS
#define BACKWARD_ROWS LAIP_ATTENTION_UNIT_BACKWARD_ROWS
#define SUM_TILES(rows) ((rows) / MU_M * ACROSS / WAVES) /* of MU_M × MU_N, a wave's */
#if MU_EACH == 2 || defined MU_TF32
#define COARSE /* factors have fewer bits than sums */
#endif
#define UNIT_KERNEL MU_KERNEL __attribute__((reqd_work_group_size(ITEMS, 1, 1)))

/* Rows of the head as the unit's: `count` of them, 0 beyond `valid`. */
static inline MU_ALWAYS void lay_rows(__local uint4 *slabs, int count, __global const void *from,
                                      size_t first, int stride, int valid)
{
    for (int at = get_local_id(0); at < count * CHUNKS; at += ITEMS) {
        int chunk = at / count, place = at % count, row = place / 4 * 4, v = place % 4;
        block f;
        fetch(&f, from, STORE, true, ALIGNED, first, stride, row, valid, chunk * MU_DEPTH + v * EACH, HEAD);
        keep(slabs + chunk * 4 * count, &f, STORE, true, row, v);
    }
}

/* SPAN rows of the head transposed: a slab of WIDTH rows. */
static inline MU_ALWAYS void lay_transposed(__local uint4 *slab, __global const void *from, size_t first,
                                            int stride, int valid)
{
    for (int at = get_local_id(0); at < WIDTH; at += ITEMS) {
        int row = at / 4 * 4, v = at % 4;
        block f;
        fetch(&f, from, STORE, false, ALIGNED, first, stride, row, HEAD, v * EACH, valid);
        keep(slab, &f, STORE, false, row, v);
    }
}

/* Vector e of MU_EACH of the item's EACH scores of row r, of `rows`. */
static inline MU_ALWAYS int score_at(int rows, int r, int v, int e)
{
    return e * 4 * rows + mu_at(r, v);
}

/* scores[rows × SPAN] = own · otherᵀ */
static inline MU_ALWAYS void dots(__local float4 *scores, int rows, __local const uint4 *own,
                                  __local const uint4 *other)
{
    int lane = get_local_id(0) % MU_LANES, wave = get_local_id(0) / MU_LANES;
    for (int t = wave; t < rows / MU_M * (SPAN / MU_N); t += WAVES) {
        int row = t / (SPAN / MU_N) * MU_M, col = t % (SPAN / MU_N) * MU_N;
        mu_sums s = (mu_sums)(0.0f);
        float each[MU_SUMS];
#pragma unroll MU_UNROLL
        for (int c = 0; c < CHUNKS; c++)
#pragma unroll MU_UNROLL
            for (int part = 0; part < MU_PARTS; part++)
                s = mu_mad(mu_load_a(own + c * 4 * rows, row, part, lane),
                           mu_load_b(other + c * 4 * SPAN, col, part, lane), s);
        MU_EACH_SUM(s, each);
#pragma unroll MU_UNROLL
        for (int i = 0; i < MU_SUMS; i++) {
            int r = row + mu_row(i, lane), c = col + mu_col(i, lane);
            ((__local float *)(scores + score_at(rows, r, c / EACH, c / 4 % MU_EACH)))[c % 4] = each[i];
        }
    }
}

/* sums += weights[rows × SPAN] · transposed[WIDTH × SPAN]ᵀ, after their rows were multiplied by shrink (NULL:
 * not) */
static inline MU_ALWAYS void accumulate_pv(mu_sums *sums, int rows, __local const float4 *weights,
                                           __local const uint4 *transposed, __local const float *shrink)
{
    int lane = get_local_id(0) % MU_LANES, wave = get_local_id(0) / MU_LANES;
#pragma unroll MU_UNROLL
    for (int i = 0; i < SUM_TILES(rows); i++) {
        int t = wave * SUM_TILES(rows) + i, row = t / ACROSS * MU_M, col = t % ACROSS * MU_N;
        if (shrink) {
            float each[MU_SUMS];
            MU_EACH_SUM(sums[i], each);
#pragma unroll MU_UNROLL
            for (int q = 0; q < MU_SUMS; q++)
                each[q] *= shrink[row + mu_row(q, lane)];
            sums[i] = MU_SUMS_OF(each);
        }
#pragma unroll MU_UNROLL
        for (int part = 0; part < MU_PARTS; part++)
            sums[i] = mu_mad(mu_load_a((__local const uint4 *)weights, row, part, lane),
                             mu_load_b(transposed, col, part, lane), sums[i]);
    }
}

/* Own rows of `valid` times factor[row] (NULL: all times scale). */
static inline MU_ALWAYS void write_rows(__global void *to, size_t first, int stride, const mu_sums *sums,
                                        int rows, int valid, __local const float *factor, float scale)
{
    int lane = get_local_id(0) % MU_LANES, wave = get_local_id(0) / MU_LANES;
#pragma unroll MU_UNROLL
    for (int i = 0; i < SUM_TILES(rows); i++) {
        int t = wave * SUM_TILES(rows) + i;
        float each[MU_SUMS];
        MU_EACH_SUM(sums[i], each);
#pragma unroll MU_UNROLL
        for (int q = 0; q < MU_SUMS; q++) {
            int r = t / ACROSS * MU_M + mu_row(q, lane), c = t % ACROSS * MU_N + mu_col(q, lane);
            if (r < valid && c < HEAD)
                store_one(to, STORE, first + (size_t)r * stride + c, each[q] * (factor ? factor[r] : scale));
        }
    }
}

static inline float4 below(float4 x, int first, int count, float other)
{
    int4 lane = (int4)(first, first + 1, first + 2, first + 3);
    return select((float4)(other), x, lane < (int4)(count));
}

/* The dropout's factors of four pairs, at index, index + step, … */
static inline MU_ALWAYS float4 mask4(uint key0, uint key1, uint index, uint step, uint threshold,
                                     float kept_scale)
{
    uint4 bits = vec_mask_bits(key0, key1, (uint4)(index, index + step, index + 2 * step, index + 3 * step));
    return select((float4)(0.0f), (float4)(kept_scale), bits >= (uint4)(threshold));
}

/* Vectors of a group's rows that are an item's: place i is row VECTOR_ROW(i), vector VECTOR(i). */
#define VECTORS(rows) ((4 * (rows) + ITEMS - 1) / ITEMS)
#define VECTOR_ROW(i) (((int)get_local_id(0) + (i)*ITEMS) / 4)
#define VECTOR(i) ((int)get_local_id(0) % 4)
#define FOR_VECTORS(i, rows)                                                                                 \
    for (int i = 0; i < VECTORS(rows); i++)                                                                  \
        if (VECTOR_ROW(i) < (rows))

/* What four items have put into parts for row r. */
static inline WITH_LOCAL float sum_parts(__local const float *parts, int r)
{
    return (parts[4 * r] + parts[4 * r + 1]) + (parts[4 * r + 2] + parts[4 * r + 3]);
}

#ifdef COARSE
/* sums −= others · Σ rest[row] / Σ all[row] */
static inline MU_ALWAYS void take_rests(mu_sums *sums, const mu_sums *others, int rows,
                                        __local const float *rest, __local const float *all)
{
    int lane = get_local_id(0) % MU_LANES, wave = get_local_id(0) / MU_LANES;
#pragma unroll MU_UNROLL
    for (int i = 0; i < SUM_TILES(rows); i++) {
        int row = (wave * SUM_TILES(rows) + i) / ACROSS * MU_M;
        float each[MU_SUMS], other[MU_SUMS];
        MU_EACH_SUM(sums[i], each);
        MU_EACH_SUM(others[i], other);
#pragma unroll MU_UNROLL
        for (int q = 0; q < MU_SUMS; q++) {
            int r = row + mu_row(q, lane);
            each[q] -= sum_parts(rest, r) / sum_parts(all, r) * other[q];
        }
        sums[i] = MU_SUMS_OF(each);
    }
}
#endif

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
    uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
    mu_sums sums[SUM_TILES(FORWARD_ROWS)];
    float most[VECTORS(FORWARD_ROWS)], total[VECTORS(FORWARD_ROWS)];
    if (rows <= 0)
        return;
    size_t r0 = q0 + first;
    lay_rows(own, FORWARD_ROWS, q, r0 * q_stride + q_col + h * HEAD, q_stride, rows);
#pragma unroll MU_UNROLL
    for (int i = 0; i < SUM_TILES(FORWARD_ROWS); i++)
        sums[i] = (mu_sums)(0.0f);
    FOR_VECTORS(i, FORWARD_ROWS)
    {
        most[i] = -1e30f;
        total[i] = 0.0f;
    }
    for (int j0 = 0; j0 < nk; j0 += SPAN) {
        int count = min(SPAN, nk - j0);
        size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
        barrier(CLK_LOCAL_MEM_FENCE);
        lay_rows(tile, SPAN, k, at + k_col, kv_stride, count);
        barrier(CLK_LOCAL_MEM_FENCE);
        dots(scores, FORWARD_ROWS, own, tile);
        barrier(CLK_LOCAL_MEM_FENCE);
        lay_transposed(tile, v, at + v_col, kv_stride, count);
        FOR_VECTORS(i, FORWARD_ROWS)
        {
            float largest = -1e30f;
            for (int e = 0; e < MU_EACH; e++)
                largest =
                    fmax(largest,
                         vec_max(below(scores[score_at(FORWARD_ROWS, VECTOR_ROW(i), VECTOR(i), e)] * scale,
                                       VECTOR(i) * EACH + 4 * e, count, -1e30f)));
            parts[VECTOR_ROW(i) * 4 + VECTOR(i)] = largest;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        FOR_VECTORS(i, FORWARD_ROWS)
        {
            int r = VECTOR_ROW(i), vector = VECTOR(i), j = j0 + vector * EACH;
            float larger =
                fmax(fmax(fmax(parts[4 * r], parts[4 * r + 1]), fmax(parts[4 * r + 2], parts[4 * r + 3])),
                     most[i]);
            float shrink = vec_exp((float4)(most[i] - larger)).x;
            float4 p[2];
            total[i] *= shrink;
            for (int e = 0; e < MU_EACH; e++) {
                p[e] = below(vec_exp(scores[score_at(FORWARD_ROWS, r, vector, e)] * scale - larger),
                             vector * EACH + 4 * e, count, 0.0f);
                total[i] += vec_sum(p[e]);
                if (threshold)
                    p[e] *= mask4(key.x, key.y, (uint)((h * nq + first + r) * nk + j + 4 * e), 1, threshold,
                                  kept_scale);
            }
            ((__local uint4 *)scores)[mu_at(r, vector)] = mu_pack(p[0], p[MU_EACH - 1]);
            most[i] = larger;
            if (vector == 0)
                per_row[r] = shrink;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        accumulate_pv(sums, FORWARD_ROWS, scores, tile, per_row);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    FOR_VECTORS(i, FORWARD_ROWS) parts[VECTOR_ROW(i) * 4 + VECTOR(i)] = total[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    FOR_VECTORS(i, FORWARD_ROWS)
    {
        int r = VECTOR_ROW(i);
        if (VECTOR(i) == 0) {
            float all = sum_parts(parts, r);
            per_row[r] = 1.0f / all;
            if (r < rows)
                lse[(r0 + r) * heads + h] = most[i] + log(all);
        }
    }
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
    mu_sums sums[SUM_TILES(ROWS)];
#ifdef COARSE
    mu_sums mean_key[SUM_TILES(ROWS)]; /* Σ_j p_j k_j */
#endif
    if (rows <= 0)
        return;
    int r = VECTOR_ROW(0), vector = VECTOR(0);
    int mine = r < ROWS, inside = r < rows; /* PoCL 3.1 loses a bool at a barrier */
    size_t r0 = q0 + first, head = r0 * width + h * HEAD;
    lay_rows(queries, ROWS, q, r0 * q_stride + q_col + h * HEAD, q_stride, rows);
    lay_rows(outs, ROWS, dout, head, width, rows);
#pragma unroll MU_UNROLL
    for (int i = 0; i < SUM_TILES(ROWS); i++) {
        sums[i] = (mu_sums)(0.0f);
#ifdef COARSE
        mean_key[i] = (mu_sums)(0.0f);
#endif
    }
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
            float4 ds[2], weight[2];
            float all = 0.0f, left = 0.0f;
            for (int e = 0; e < MU_EACH; e++) {
                int place = score_at(ROWS, r, vector, e), j = vector * EACH + 4 * e;
                float4 p =
                    below(vec_exp(fma(scores[place], (float4)(scale), (float4)(-lses[r]))), j, count, 0.0f);
                float4 dp = slopes[place];
                if (threshold)
                    dp *= mask4(key.x, key.y, (uint)((h * nq + first + r) * nk + j0 + j), 1, threshold,
                                kept_scale);
                ds[e] = p * (dp - means[r]);
                weight[e] = p;
                all += vec_sum(p);
                left += vec_sum(ds[e]);
            }
            ((__local uint4 *)scores)[mu_at(r, vector)] = mu_pack(ds[0], ds[MU_EACH - 1]);
#ifdef COARSE
            ((__local uint4 *)slopes)[mu_at(r, vector)] = mu_pack(weight[0], weight[MU_EACH - 1]);
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
    mu_sums sum_k[SUM_TILES(ROWS)], sum_v[SUM_TILES(ROWS)];
    if (rows <= 0)
        return;
    int r = VECTOR_ROW(0), vector = VECTOR(0);
    size_t r0 = k0 + first;
    lay_rows(keys, ROWS, k, r0 * kv_stride + k_col + h * HEAD, kv_stride, rows);
    lay_rows(values, ROWS, v, r0 * kv_stride + v_col + h * HEAD, kv_stride, rows);
#pragma unroll MU_UNROLL
    for (int i = 0; i < SUM_TILES(ROWS); i++) {
        sum_k[i] = (mu_sums)(0.0f);
        sum_v[i] = (mu_sums)(0.0f);
    }
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
                float4 p[2], ds[2];
                for (int e = 0; e < MU_EACH; e++) {
                    int place = score_at(ROWS, r, vector, e), i = vector * EACH + 4 * e;
                    float l[4], mean[4];
                    for (int z = 0; z < 4; z++) {
                        size_t row = (at + i + z) * heads + h;
                        l[z] = i + z < count ? lse[row] : 0.0f;
                        mean[z] = i + z < count ? delta[row] : 0.0f;
                    }
                    float4 mask = (float4)(1.0f);
                    if (threshold)
                        mask = mask4(key.x, key.y, (uint)((h * nq + i0 + i) * nk + first + r), (uint)nk,
                                     threshold, kept_scale);
                    p[e] = below(vec_exp(fma(scores[place], (float4)(scale), -vload4(0, l))), i, count, 0.0f);
                    ds[e] = p[e] * fma(slopes[place], mask, -vload4(0, mean));
                    p[e] *= mask;
                }
                ((__local uint4 *)scores)[mu_at(r, vector)] = mu_pack(p[0], p[MU_EACH - 1]);
                ((__local uint4 *)slopes)[mu_at(r, vector)] = mu_pack(ds[0], ds[MU_EACH - 1]);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            accumulate_pv(sum_v, ROWS, scores, outs, 0);
            accumulate_pv(sum_k, ROWS, slopes, queries, 0);
        }
    }
    write_rows(dk, r0 * dkv_stride + dk_col + h * HEAD, dkv_stride, sum_k, ROWS, rows, 0, scale);
    write_rows(dv, r0 * dkv_stride + dv_col + h * HEAD, dkv_stride, sum_v, ROWS, rows, 0, 1.0f);
}
