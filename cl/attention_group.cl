/* Attention on a GPU: a work-group owns ROWS rows of one head and walks the other side in tiles of SPAN rows.
 *
 * Item (y, x) of a group, y < ROWS/4 and x < 8, owns the scores of rows 4y … 4y+3 against rows 4x … 4x+3 of
 * the tile, and of what the rows sum up the columns 4x … 4x+3 of every 32.  Scores grow chunk by chunk of the
 * head's columns, both sides transposed over in local memory so that four rows are one vector; then the
 * weights go to local memory too, transposed likewise, and meet the other side's rows as they lie.  What a
 * row becomes does not depend on ROWS.
 *
 * Vectors of four within a transposed tile are permuted by an exclusive or with the column, so that neither
 * transposing nor reading has two items at one bank; that costs no memory, as padding would.
 *
 * What is unrolled is what makes arrays registers: of loops over columns and keys unrolled as well compilers
 * move the loads of all rounds to the front, and then have no registers left.
 *
 * Of a head of more columns a group sums up LAIP_ATTENTION_COLUMNS, and others, which make the same scores
 * again, the rest: for all an item has no registers.
 *
 * HEAD is a multiple of 4, ROWS 32 or 64.  ALIGNED says that all rows begin at a multiple of 16
 * bytes.  Only conditions that are the same for a whole group surround a barrier.  ops/attention.h says what
 * is computed. */
#include "common.h"
#include "philox.h"

#if VEC != 4
#error attention_group.cl is in vectors of 4
#endif

#define SPAN LAIP_ATTENTION_SPAN
#define ITEMS (ROWS * 2)
#define PARTS LAIP_ATTENTION_PARTS(HEAD)
#define VECS (PARTS > 1 ? LAIP_ATTENTION_COLUMNS / 32 : (HEAD + 31) / 32) /* of four columns, an item's */
#define WIDTH (VECS * 32)
#define TILE ((int)get_group_id(2) / PARTS)
#define PART ((int)get_group_id(2) % PARTS * LAIP_ATTENTION_COLUMNS)
#define FORWARD_CHUNK LAIP_ATTENTION_FORWARD_CHUNK
#define BACKWARD_CHUNK LAIP_ATTENTION_BACKWARD_CHUNK
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define FORWARD_STAGE LARGER((ROWS + SPAN) * FORWARD_CHUNK, SPAN * WIDTH)
#define BACKWARD_STAGE LARGER(2 * (ROWS + SPAN) * BACKWARD_CHUNK, SPAN * WIDTH)
/* An item has up to 200 floats at once in registers: two waves of them fit in a SIMD of AMD's. */
#define GROUP_KERNEL __kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) SMALL_SUB_GROUPS

static inline float4 load4(__global const act *from)
{
#ifdef HALF
    return half_load4(from);
#elif ALIGNED
    return *(__global const float4 *)from;
#else
    return vload4(0, from);
#endif
}

static inline void store4(float4 x, __global act *to)
{
#ifdef HALF
    half_store4(x, to);
#elif ALIGNED
    *(__global float4 *)to = x;
#else
    vstore4(x, 0, to);
#endif
}

/* Where the vectors of column vector c4 are moved to within a transposed tile of `chunk` columns. */
static inline int moved(int c4, int chunk)
{
    return (c4 * (32 / chunk)) & 7;
}

/* to[c][r] = from[r·stride + first + c] for `rows` rows and `chunk` columns; 0 beyond `valid` rows and the
 * head. */
static inline WITH_LOCAL void transpose_load(__local float4 *to, int rows, int chunk,
                                             __global const act *from, int stride, int valid, int first)
{
    __local float *flat = (__local float *)to;
    for (int at = get_local_id(0); at < rows * chunk / 4; at += ITEMS) {
        int c4 = at % (chunk / 4), r = at / (chunk / 4), c = first + 4 * c4;
        float4 x = (float4)(0.0f);
        if (r < valid && c < HEAD)
            x = load4(from + (size_t)r * stride + c);
        int place = 4 * c4 * rows + 4 * (r / 4 ^ moved(c4, chunk)) + r % 4;
        flat[place] = x.x;
        flat[place + rows] = x.y;
        flat[place + 2 * rows] = x.z;
        flat[place + 3 * rows] = x.w;
    }
}

/* to[r][c] = from[r·stride + PART + c] for SPAN rows of WIDTH columns; 0 beyond `valid` rows and the head. */
static inline WITH_LOCAL void lay(__local float4 *to, __global const act *from, int stride, int valid)
{
#pragma unroll 2
    for (int at = get_local_id(0); at < SPAN * WIDTH / 4; at += ITEMS) {
        int c = PART + at % (WIDTH / 4) * 4, r = at / (WIDTH / 4);
        float4 x = (float4)(0.0f);
        if (r < valid && c < HEAD)
            x = load4(from + (size_t)r * stride + c);
        to[at] = x;
    }
}

/* s[i] += the products of own row 4y+i with rows 4x … 4x+3, over the columns of a chunk; in order, so that a
 * pair's product is the same to the bit whichever side owns it. */
static inline WITH_LOCAL void dots(float4 *s, __local const float4 *own, __local const float4 *other,
                                   int chunk, int y, int x)
{
#pragma unroll 1
    for (int c4 = 0; c4 < chunk / 4; c4++) {
        int own_at = 4 * c4 * (ROWS / 4) + (y ^ moved(c4, chunk)),
            other_at = 4 * c4 * (SPAN / 4) + (x ^ moved(c4, chunk));
#pragma unroll
        for (int c = 0; c < 4; c++) {
            float4 a = own[own_at + c * (ROWS / 4)], b = other[other_at + c * (SPAN / 4)];
            s[0] = fma((float4)(a.x), b, s[0]);
            s[1] = fma((float4)(a.y), b, s[1]);
            s[2] = fma((float4)(a.z), b, s[2]);
            s[3] = fma((float4)(a.w), b, s[3]);
        }
    }
}

/* The item's 4 × 4 weights, for gather: w[j][i] transposed, moved by j's vector. */
static inline WITH_LOCAL void put(__local float4 *w, const float4 *s, int y, int x)
{
    int at = 4 * x * (ROWS / 4) + (y ^ x);
    w[at] = (float4)(s[0].x, s[1].x, s[2].x, s[3].x);
    w[at + ROWS / 4] = (float4)(s[0].y, s[1].y, s[2].y, s[3].y);
    w[at + 2 * (ROWS / 4)] = (float4)(s[0].z, s[1].z, s[2].z, s[3].z);
    w[at + 3 * (ROWS / 4)] = (float4)(s[0].w, s[1].w, s[2].w, s[3].w);
}

/* sum[i][·] += Σ_j w[j][4y+i] · rows[j][·] over `count` rows (and as far as the next multiple of 4, where w
 * is 0). */
static inline WITH_LOCAL void accumulate_pv(float4 (*sum)[VECS], __local const float4 *w,
                                            __local const float4 *rows, int count, int y, int x)
{
#pragma unroll 1
    for (int j4 = 0; 4 * j4 < count; j4++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            float4 a = w[(4 * j4 + j) * (ROWS / 4) + (y ^ j4)];
#pragma unroll
            for (int n = 0; n < VECS; n++) {
                float4 b = rows[(4 * j4 + j) * (WIDTH / 4) + 8 * n + x];
                sum[0][n] = fma((float4)(a.x), b, sum[0][n]);
                sum[1][n] = fma((float4)(a.y), b, sum[1][n]);
                sum[2][n] = fma((float4)(a.z), b, sum[2][n]);
                sum[3][n] = fma((float4)(a.w), b, sum[3][n]);
            }
        }
    }
}

static inline void clear(float4 (*sum)[VECS])
{
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int n = 0; n < VECS; n++)
            sum[i][n] = (float4)(0.0f);
}

/* Own rows 4y … of `valid` times factor, to to[r·stride + PART + …]. */
static inline void write_rows(__global act *to, int stride, float4 (*sum)[VECS], float4 factor, int valid,
                              int y, int x)
{
    float each[4] = {factor.x, factor.y, factor.z, factor.w};
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int n = 0; n < VECS; n++)
            if (4 * y + i < valid && PART + 32 * n + 4 * x < HEAD)
                store4(sum[i][n] * each[i], to + (size_t)(4 * y + i) * stride + PART + 32 * n + 4 * x);
}

/* from[r·stride] of own rows 4y …, 0 beyond `valid`. */
static inline float4 four(__global const float *from, int stride, int first, int valid)
{
    float each[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
        each[i] = first + i < valid ? from[(size_t)(first + i) * stride] : 0.0f;
    return vload4(0, each);
}

/* The sum over x of what the items of four rows have put into parts. */
static inline WITH_LOCAL float4 sum_parts(__local const float4 *parts, int y)
{
    float4 sum = parts[y];
#pragma unroll
    for (int n = 1; n < 8; n++)
        sum += parts[n * (ROWS / 4) + y];
    return sum;
}

static inline float4 below(float4 x, int first, int count, float other)
{
    int4 lane = (int4)(first, first + 1, first + 2, first + 3);
    return select((float4)(other), x, lane < (int4)(count));
}

GROUP_KERNEL void attention_group_forward(__global const act *restrict q, __global const act *restrict k,
                                          __global const act *restrict v, __global act *restrict o,
                                          __global float *restrict lse, __global const int *restrict q_begin,
                                          __global const int *restrict kv_of,
                                          __global const int *restrict k_begin,
                                          __global const uint *restrict ids, uint4 stream, int heads,
                                          int q_stride, int q_col, int kv_stride, int k_col, int v_col,
                                          float scale, uint threshold, float kept_scale)
{
    __local float4 stage[FORWARD_STAGE / 4], weights[SPAN * ROWS / 4], parts[8 * ROWS / 4];
    int s = get_group_id(0), h = get_group_id(1), t = kv_of[s], first = TILE * ROWS;
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    int rows = min(ROWS, nq - first), y = get_local_id(0) / 8, x = get_local_id(0) % 8;
    uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
    uint key0 = key.x, key1 = key.y;
    __local float4 *others = stage + ROWS * FORWARD_CHUNK / 4;
    float4 sum[4][VECS], most = (float4)(-1e30f), total = (float4)(0.0f);
    if (rows <= 0)
        return;
    q += (size_t)(q0 + first) * q_stride + q_col + h * HEAD;
    clear(sum);
    for (int j0 = 0; j0 < nk; j0 += SPAN) {
        int count = min(SPAN, nk - j0);
        size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
        float4 p[4] = {(float4)(0.0f), (float4)(0.0f), (float4)(0.0f), (float4)(0.0f)};
        for (int c = 0; c < HEAD; c += FORWARD_CHUNK) {
            barrier(CLK_LOCAL_MEM_FENCE);
            transpose_load(stage, ROWS, FORWARD_CHUNK, q, q_stride, rows, c);
            transpose_load(others, SPAN, FORWARD_CHUNK, k + at + k_col, kv_stride, count, c);
            barrier(CLK_LOCAL_MEM_FENCE);
            dots(p, stage, others, FORWARD_CHUNK, y, x);
        }
#pragma unroll
        for (int i = 0; i < 4; i++)
            p[i] = below(p[i] * scale, 4 * x, count, -1e30f);
        parts[x * (ROWS / 4) + y] = (float4)(vec_max(p[0]), vec_max(p[1]), vec_max(p[2]), vec_max(p[3]));
        barrier(CLK_LOCAL_MEM_FENCE);
        float4 larger = most;
#pragma unroll
        for (int n = 0; n < 8; n++)
            larger = fmax(larger, parts[n * (ROWS / 4) + y]);
        float4 shrink = vec_exp(most - larger);
        most = larger;
        p[0] = below(vec_exp(p[0] - larger.x), 4 * x, count, 0.0f);
        p[1] = below(vec_exp(p[1] - larger.y), 4 * x, count, 0.0f);
        p[2] = below(vec_exp(p[2] - larger.z), 4 * x, count, 0.0f);
        p[3] = below(vec_exp(p[3] - larger.w), 4 * x, count, 0.0f);
        total = fma(total, shrink, (float4)(vec_sum(p[0]), vec_sum(p[1]), vec_sum(p[2]), vec_sum(p[3])));
        if (threshold)
#pragma unroll
            for (int i = 0; i < 4; i++)
                p[i] *= dropout_factors(key0, key1, (uint)((h * nq + first + 4 * y + i) * nk + j0 + 4 * x), 1,
                                        threshold, kept_scale);
        put(weights, p, y, x);
        lay(stage, v + at + v_col, kv_stride, count);
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int n = 0; n < VECS; n++) {
            sum[0][n] *= shrink.x;
            sum[1][n] *= shrink.y;
            sum[2][n] *= shrink.z;
            sum[3][n] *= shrink.w;
        }
        accumulate_pv(sum, weights, stage, count, y, x);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    parts[x * (ROWS / 4) + y] = total;
    barrier(CLK_LOCAL_MEM_FENCE);
    total = sum_parts(parts, y);
    size_t r = q0 + first;
    write_rows(o + (r * heads + h) * HEAD, heads * HEAD, sum, 1.0f / total, rows, y, x);
    most += log(total);
    if (x == 0 && PART == 0) {
        float each[4] = {most.x, most.y, most.z, most.w};
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (4 * y + i < rows)
                lse[(r + 4 * y + i) * heads + h] = each[i];
    }
}

/* The gradient of four scores, from their probabilities, their products and the row's (the rows') mean. */
static inline float4 slope(float4 p, float4 dp, float4 mask, float4 mean)
{
    return p * fma(dp, mask, -mean);
}

/* Sets delta[r, h] = ⟨dO, O⟩, and adds to it what the scores' gradients of a row should sum up to and do not
 * for rounding, as attention_dq does. */
GROUP_KERNEL void attention_group_dq(__global const act *restrict q, __global const act *restrict k,
                                     __global const act *restrict v, __global const act *restrict dout,
                                     __global const act *restrict o, __global const float *restrict lse,
                                     __global float *restrict delta, __global act *restrict dq,
                                     __global const int *restrict q_begin, __global const int *restrict kv_of,
                                     __global const int *restrict k_begin, __global const uint *restrict ids,
                                     uint4 stream, int heads, int q_stride, int q_col, int kv_stride,
                                     int k_col, int v_col, int dq_stride, int dq_col, float scale,
                                     uint threshold, float kept_scale)
{
    __local float4 stage[BACKWARD_STAGE / 4], weights[SPAN * ROWS / 4], parts[8 * ROWS / 4];
    int s = get_group_id(0), h = get_group_id(1), t = kv_of[s], first = TILE * ROWS;
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0,
        width = heads * HEAD;
    int rows = min(ROWS, nq - first), y = get_local_id(0) / 8, x = get_local_id(0) % 8;
    uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
    uint key0 = key.x, key1 = key.y;
    __local float4 *outs = stage + ROWS * BACKWARD_CHUNK / 4, *keys = outs + ROWS * BACKWARD_CHUNK / 4;
    __local float4 *values = keys + SPAN * BACKWARD_CHUNK / 4;
    float4 sum[4][VECS], left = (float4)(0.0f), all = (float4)(0.0f);
    if (rows <= 0)
        return;
    size_t r0 = q0 + first;
    q += r0 * q_stride + q_col + h * HEAD;
    dout += r0 * width + h * HEAD;
    o += r0 * width + h * HEAD;
    float each[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        float4 part = (float4)(0.0f);
        for (int c = 4 * x; c < HEAD && 4 * y + i < rows; c += 32) {
            size_t at = (size_t)(4 * y + i) * width + c;
            part = fma(load4(dout + at), load4(o + at), part);
        }
        each[i] = vec_sum(part);
    }
    parts[x * (ROWS / 4) + y] = vload4(0, each);
    barrier(CLK_LOCAL_MEM_FENCE);
    float4 mean = sum_parts(parts, y), l = four(lse + r0 * heads + h, heads, 4 * y, rows);
    float means[4] = {mean.x, mean.y, mean.z, mean.w}, ls[4] = {l.x, l.y, l.z, l.w}, lefts[4], alls[4];
    clear(sum);
    for (int j0 = 0; j0 < nk; j0 += SPAN) {
        int count = min(SPAN, nk - j0);
        size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
        float4 p[4] = {(float4)(0.0f), (float4)(0.0f), (float4)(0.0f), (float4)(0.0f)};
        float4 dp[4] = {(float4)(0.0f), (float4)(0.0f), (float4)(0.0f), (float4)(0.0f)};
        for (int c = 0; c < HEAD; c += BACKWARD_CHUNK) {
            barrier(CLK_LOCAL_MEM_FENCE);
            transpose_load(stage, ROWS, BACKWARD_CHUNK, q, q_stride, rows, c);
            transpose_load(outs, ROWS, BACKWARD_CHUNK, dout, width, rows, c);
            transpose_load(keys, SPAN, BACKWARD_CHUNK, k + at + k_col, kv_stride, count, c);
            transpose_load(values, SPAN, BACKWARD_CHUNK, v + at + v_col, kv_stride, count, c);
            barrier(CLK_LOCAL_MEM_FENCE);
            dots(p, stage, keys, BACKWARD_CHUNK, y, x);
            dots(dp, outs, values, BACKWARD_CHUNK, y, x);
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            float4 mask = (float4)(1.0f);
            if (threshold)
                mask = dropout_factors(key0, key1, (uint)((h * nq + first + 4 * y + i) * nk + j0 + 4 * x), 1,
                                       threshold, kept_scale);
            p[i] = below(vec_exp(fma(p[i], (float4)(scale), (float4)(-ls[i]))), 4 * x, count, 0.0f);
            dp[i] = slope(p[i], dp[i], mask, (float4)(means[i]));
            alls[i] = vec_sum(p[i]);
            lefts[i] = vec_sum(dp[i]);
        }
        all += vload4(0, alls);
        left += vload4(0, lefts);
        put(weights, dp, y, x);
        barrier(CLK_LOCAL_MEM_FENCE);
        lay(stage, k + at + k_col, kv_stride, count);
        barrier(CLK_LOCAL_MEM_FENCE);
        accumulate_pv(sum, weights, stage, count, y, x);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    parts[x * (ROWS / 4) + y] = left;
    barrier(CLK_LOCAL_MEM_FENCE);
    left = sum_parts(parts, y);
    barrier(CLK_LOCAL_MEM_FENCE);
    parts[x * (ROWS / 4) + y] = all;
    barrier(CLK_LOCAL_MEM_FENCE);
    mean += left / sum_parts(parts, y);
    write_rows(dq + r0 * dq_stride + dq_col + h * HEAD, dq_stride, sum, (float4)(scale), rows, y, x);
    vstore4(mean, 0, means);
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (x == 0 && PART == 0 && 4 * y + i < rows)
            delta[(r0 + 4 * y + i) * heads + h] = means[i];
}

/* Here the group owns keys; its sequences follow one another in their order. */
GROUP_KERNEL void
attention_group_dkv(__global const act *restrict q, __global const act *restrict k,
                    __global const act *restrict v, __global const act *restrict dout,
                    __global const float *restrict lse, __global const float *restrict delta,
                    __global act *dk, __global act *dv, __global const int *restrict q_begin,
                    __global const int *restrict k_begin, __global const int *restrict block_sequences_begin,
                    __global const int *restrict block_sequences, __global const uint *restrict ids,
                    uint4 stream, int heads, int q_stride, int q_col, int kv_stride, int k_col, int v_col,
                    int dkv_stride, int dk_col, int dv_col, float scale, uint threshold, float kept_scale)
{
    __local float4 stage[BACKWARD_STAGE / 4], weights[SPAN * ROWS / 4];
    int t = get_group_id(0), h = get_group_id(1), k0 = k_begin[t], nk = k_begin[t + 1] - k0,
        width = heads * HEAD;
    int first = TILE * ROWS, rows = min(ROWS, nk - first);
    int y = get_local_id(0) / 8, x = get_local_id(0) % 8, last = block_sequences_begin[t + 1];
    __local float4 *values = stage + ROWS * BACKWARD_CHUNK / 4, *queries = values + ROWS * BACKWARD_CHUNK / 4;
    __local float4 *outs = queries + SPAN * BACKWARD_CHUNK / 4;
    float4 sum_k[4][VECS], sum_v[4][VECS];
    if (rows <= 0)
        return;
    size_t r0 = k0 + first;
    k += r0 * kv_stride + k_col + h * HEAD;
    v += r0 * kv_stride + v_col + h * HEAD;
    clear(sum_k);
    clear(sum_v);
    for (int u = block_sequences_begin[t]; u < last; u++) {
        int s = block_sequences[u], q0 = q_begin[s], nq = q_begin[s + 1] - q0;
        uint2 key = threshold ? dropout_key(stream, ids, s) : (uint2)(0);
        uint key0 = key.x, key1 = key.y;
        for (int i0 = 0; i0 < nq; i0 += SPAN) {
            int count = min(SPAN, nq - i0);
            size_t at = q0 + i0;
            __global const act *mine = q + at * q_stride + q_col + h * HEAD,
                               *g = dout + at * width + h * HEAD;
            float4 p[4] = {(float4)(0.0f), (float4)(0.0f), (float4)(0.0f), (float4)(0.0f)};
            float4 dp[4] = {(float4)(0.0f), (float4)(0.0f), (float4)(0.0f), (float4)(0.0f)};
            for (int c = 0; c < HEAD; c += BACKWARD_CHUNK) {
                barrier(CLK_LOCAL_MEM_FENCE);
                transpose_load(stage, ROWS, BACKWARD_CHUNK, k, kv_stride, rows, c);
                transpose_load(values, ROWS, BACKWARD_CHUNK, v, kv_stride, rows, c);
                transpose_load(queries, SPAN, BACKWARD_CHUNK, mine, q_stride, count, c);
                transpose_load(outs, SPAN, BACKWARD_CHUNK, g, width, count, c);
                barrier(CLK_LOCAL_MEM_FENCE);
                dots(p, stage, queries, BACKWARD_CHUNK, y, x);
                dots(dp, values, outs, BACKWARD_CHUNK, y, x);
            }
            float4 l = four(lse + at * heads + h, heads, 4 * x, count);
            float4 mean = four(delta + at * heads + h, heads, 4 * x, count);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                float4 mask = (float4)(1.0f);
                if (threshold)
                    mask = dropout_factors(key0, key1, (uint)((h * nq + i0 + 4 * x) * nk + first + 4 * y + j),
                                           (uint)nk, threshold, kept_scale);
                p[j] = below(vec_exp(fma(p[j], (float4)(scale), -l)), 4 * x, count, 0.0f);
                dp[j] = slope(p[j], dp[j], mask, mean);
                p[j] *= mask;
            }
            put(weights, p, y, x);
            barrier(CLK_LOCAL_MEM_FENCE);
            lay(stage, g, width, count);
            barrier(CLK_LOCAL_MEM_FENCE);
            accumulate_pv(sum_v, weights, stage, count, y, x);
            barrier(CLK_LOCAL_MEM_FENCE);
            put(weights, dp, y, x);
            lay(stage, mine, q_stride, count);
            barrier(CLK_LOCAL_MEM_FENCE);
            accumulate_pv(sum_k, weights, stage, count, y, x);
        }
    }
    write_rows(dk + r0 * dkv_stride + dk_col + h * HEAD, dkv_stride, sum_k, (float4)(scale), rows, y, x);
    write_rows(dv + r0 * dkv_stride + dv_col + h * HEAD, dkv_stride, sum_v, (float4)(1.0f), rows, y, x);
}
