/* C[m, n] = alpha op(A)[m, k] op(B)[k, n] on a matrix unit, with its ends fused: ops/gemm/unit.h.
 *
 * A group makes TILE × TILE of C, each of its waves WAVE_M × WAVE_N of them.  Operands pass through local
 * memory in slabs of MU_DEPTH of k, twice there, so that one is multiplied while the next is on its way
 * through registers, where numbers become the unit's; those that are stored as the unit has them are only
 * moved. op(A) has rows of k where A_ROWS, else A is [k, m]; op(B) has columns of k, B being [n, k], where
 * B_ROWS, else B is [k, n]: a slab looks the same either way, as items load blocks of four rows by four words
 * and transpose them in registers.
 *
 * Row sums of op(A), the gradient of a bias, are added up where A passes through registers, by the groups of
 * C's first columns.
 *
 * Groups of dimension 2 take a slice of k each and leave their sums to gemm_unit_slices, which adds them up
 * in their order.
 *
 * A_STORE and B_STORE say how an operand is stored, C_STORE how C, `pre` and `residual` are:
 * LAIP_STORED_FLOAT, _HALF or _BFLOAT16 (cl/shared.h).  A_ALIGNED, B_ALIGNED: vectors may be read whole. */
#include "common.h"

#include "gelu.h"
#include "matrix_unit.h"
#include "philox.h"
#include "unit_slab.h"

#if VEC != 4
#error gemm_unit.cl is in vectors of 4
#endif

#define ITEMS LAIP_UNIT_ITEMS(TILE)
#define WAVES (ITEMS / MU_LANES)
#define WAVES_DOWN (WAVES >= 16 ? 4 : 2)
#define WAVES_ACROSS (WAVES / WAVES_DOWN)
#define WAVE_M (TILE / WAVES_DOWN)
#define WAVE_N (TILE / WAVES_ACROSS)
#define MS (WAVE_M / MU_M)
#define NS (WAVE_N / MU_N)
#define BLOCKS (2 * TILE / ITEMS) /* an item's, of A's TILE and then B's */
#define VECTORS (4 * 2 * TILE)    /* of a slab */
#define PASSING 64                /* rows of C that pass through local memory at once */

/* What follows the sums of four neighbours in a row of C. */
typedef struct ends {
    __global void *c;
    __global void *pre;
    __global const void *residual;
    __global const float *bias;
    __global const int *row_sequence, *begin;
    __global const uint *ids;
    uint4 stream;
    uint threshold;
    int what, n;
    float alpha, scale;
} ends;

/* The key of the dropout's mask in the rows of a sequence, which an item meets one after another. */
typedef struct mask_key {
    int sequence;
    uint2 key;
} mask_key;

/* cl/dropout.cl, of four neighbours. */
static inline MU_ALWAYS float4 drop(const ends *e, mask_key *mask, float4 v, int row, int col)
{
    int sequence = e->row_sequence[row];
    if (sequence != mask->sequence) {
        mask->sequence = sequence;
        mask->key = dropout_key(e->stream, e->ids, sequence);
    }
    uint first = ((uint)row - (uint)e->begin[sequence]) * (uint)e->n + (uint)col;
    uint4 bits =
        vec_mask_bits((uint4)(mask->key.x), (uint4)(mask->key.y), (uint4)(first) + (uint4)(0, 1, 2, 3));
    return select((float4)(0.0f), v * e->scale, bits >= (uint4)(e->threshold));
}

static inline MU_APART void finish(const ends *e, mask_key *mask, float4 v, int row, int col)
{
    size_t at = (size_t)row * e->n + col;
    int valid = e->n - col;
    bool aligned = e->n % 4 == 0;
    v *= e->alpha;
    if (e->what & LAIP_HAS_BIAS)
        v += widen(load_four(e->bias, LAIP_STORED_FLOAT, col, valid, true), LAIP_STORED_FLOAT);
    if (e->what & LAIP_HAS_PRE)
        store_four(e->pre, C_STORE, at, v, valid, aligned);
    if (e->what & LAIP_HAS_GELU)
        v = vec_gelu(v);
    if (e->what & LAIP_HAS_SLOPE)
        v *= vec_gelu_slope(widen(load_four(e->pre, C_STORE, at, valid, aligned), C_STORE));
    if (e->what & LAIP_HAS_DROPOUT)
        v = drop(e, mask, v, row, col);
    if (e->what & LAIP_HAS_RESIDUAL)
        v += widen(load_four(e->residual, C_STORE, at, valid, aligned), C_STORE);
    if (e->what & LAIP_ADD_TO_C)
        v += widen(load_four(e->c, C_STORE, at, valid, aligned), C_STORE);
    store_four(e->c, C_STORE, at, v, valid, aligned);
}

/* Where column c of row r lies when C's tile passes through local memory to become whole vectors. */
static inline MU_ALWAYS int sum_at(int r, int c)
{
    return r * TILE + (c ^ ((r ^ r >> 2) & 3) * 8);
}

#if !A_ROWS
/* Where a group's row sums go: those of rows below `rows`, assigned, or added but for those that are skipped.
 */
typedef struct row_sums_out {
    __global float *to;
    int rows, first_skipped, end_skipped, adds;
} row_sums_out;

/* From what each item has of its blocks' four rows; four items share them. */
static inline MU_ALWAYS void write_row_sums(__local float *passing, const float4 *total, int row0,
                                            row_sums_out o)
{
    int item = get_local_id(0);
#pragma unroll MU_UNROLL
    for (int i = 0; i < BLOCKS; i++) {
        int block = item + i * ITEMS, row = block / 4 * 4;
        if (row < TILE)
            vstore4(total[i], 0, passing + block % 4 * TILE + row);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int r = item; r < TILE; r += ITEMS) {
        int row = row0 + r;
        float sum = (passing[r] + passing[TILE + r]) + (passing[2 * TILE + r] + passing[3 * TILE + r]);
        if (row < o.rows && !o.adds)
            o.to[row] = sum;
        else if (row < o.rows && (row < o.first_skipped || row >= o.end_skipped))
            o.to[row] += sum;
    }
}
#endif

/* sums [slices, m, n], and [slices, m] of row sums, where there are several slices; else they are C's. */
MU_KERNEL __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
gemm_unit(__global const void *restrict a, __global const void *restrict b, __global void *c,
          __global float *restrict sums, __global const float *restrict bias, __global void *pre,
          __global const void *residual, int what, float alpha, int m, int n, int k, int slice,
          __global float *row_sums, int first_skipped, int end_skipped,
          __global const int *restrict row_sequence, __global const int *restrict begin,
          __global const uint *restrict ids, uint4 stream, uint threshold, float scale)
{
    __local uint4 slabs[2][VECTORS];
    int item = get_local_id(0), lane = item % MU_LANES, wave = item / MU_LANES, now = 0;
    int row0 = get_group_id(0) * TILE, col0 = get_group_id(1) * TILE;
    int z = get_group_id(2), k0 = z * slice, k1 = min(k, k0 + slice);
    int wave_row = wave / WAVES_ACROSS * WAVE_M, wave_col = wave % WAVES_ACROSS * WAVE_N;
    block f[BLOCKS];
    mu_sums s[MS][NS];
#pragma unroll MU_UNROLL
    for (int i = 0; i < MS; i++)
#pragma unroll MU_UNROLL
        for (int j = 0; j < NS; j++)
            s[i][j] = (mu_sums)(0.0f);
#if !A_ROWS
    int summing = what & LAIP_HAS_ROW_SUMS && get_group_id(1) == 0;
    float4 total[BLOCKS];
#pragma unroll MU_UNROLL
    for (int i = 0; i < BLOCKS; i++)
        total[i] = (float4)(0.0f);
#endif
    for (int at = k0 - MU_DEPTH; at < k1; at += MU_DEPTH) {
        bool more = at + MU_DEPTH < k1;
        if (more) {
#pragma unroll MU_UNROLL
            for (int i = 0; i < BLOCKS; i++) {
                int block = item + i * ITEMS, row = block / 4 * 4,
                    kk = at + MU_DEPTH + block % 4 * 4 * MU_EACH;
                if (row < TILE)
                    fetch(&f[i], a, A_STORE, A_ROWS, A_ALIGNED, 0, A_ROWS ? k : m, row0 + row, m, kk, k1);
                else
                    fetch(&f[i], b, B_STORE, B_ROWS, B_ALIGNED, 0, B_ROWS ? k : n, col0 + row - TILE, n, kk,
                          k1);
            }
        }
        if (at >= k0) {
#pragma unroll 1
            for (int part = 0; part < MU_PARTS; part++) {
                mu_b right[NS];
#pragma unroll MU_UNROLL
                for (int j = 0; j < NS; j++)
                    right[j] = mu_load_b(slabs[now], TILE + wave_col + j * MU_N, part, lane);
#pragma unroll MU_UNROLL
                for (int i = 0; i < MS; i++) {
                    mu_a left = mu_load_a(slabs[now], wave_row + i * MU_M, part, lane);
#pragma unroll MU_UNROLL
                    for (int j = 0; j < NS; j++)
                        s[i][j] = mu_mad(left, right[j], s[i][j]);
                }
            }
        }
        now ^= 1;
        if (more) {
#pragma unroll MU_UNROLL
            for (int i = 0; i < BLOCKS; i++) {
                int block = item + i * ITEMS, row = block / 4 * 4;
                if (row < TILE) {
#if !A_ROWS
                    if (summing)
                        total[i] += sum_of(&f[i], A_STORE);
#endif
                    keep(slabs[now], &f[i], A_STORE, A_ROWS, row, block % 4);
                } else
                    keep(slabs[now], &f[i], B_STORE, B_ROWS, row, block % 4);
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    int apart = get_num_groups(2) > 1;
    __local float *passing = (__local float *)slabs[0];
#if !A_ROWS
    row_sums_out o = {apart ? sums + ((size_t)get_num_groups(2) * n + z) * m : row_sums,
                      what & LAIP_HAS_ROW_SUMS && get_group_id(1) == 0 ? m : 0, first_skipped, end_skipped,
                      !apart};
    write_row_sums(passing, total, row0, o);
#endif
    for (int first = 0; first < TILE; first += PASSING) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (wave_row / PASSING == first / PASSING) {
#pragma unroll MU_UNROLL
            for (int i = 0; i < MS; i++)
#pragma unroll MU_UNROLL
                for (int j = 0; j < NS; j++) {
                    float each[MU_SUMS];
                    MU_EACH_SUM(s[i][j], each);
#pragma unroll MU_UNROLL
                    for (int q = 0; q < MU_SUMS; q++)
                        passing[sum_at(wave_row - first + i * MU_M + mu_row(q, lane),
                                       wave_col + j * MU_N + mu_col(q, lane))] = each[q];
                }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        ends e = {c, pre, residual, bias, row_sequence, begin, ids, stream, threshold, what, n, alpha, scale};
        mask_key mask; /* set by parts: a constant is a symbol to Intel's compiler */
        mask.sequence = -1;
        for (int at = item; at < PASSING * TILE / 4; at += ITEMS) {
            int r = at / (TILE / 4), row = row0 + first + r, col = at % (TILE / 4) * 4;
            float4 v = *(__local const float4 *)(passing + sum_at(r, col));
            col += col0;
            if (row < m && col < n) {
                if (apart)
                    store_four(sums, LAIP_STORED_FLOAT, ((size_t)z * m + row) * n + col, v, n - col,
                               n % 4 == 0);
                else
                    finish(&e, &mask, v, row, col);
            }
        }
    }
}

/* C from the sums of `slices` slices.  An item has four columns of a row. */
FLAT_KERNEL void gemm_unit_slices(__global void *c, __global const float *restrict sums,
                                  __global const float *restrict bias, __global void *pre,
                                  __global const void *residual, int what, float alpha, int m, int n,
                                  int slices, __global float *row_sums, int first_skipped, int end_skipped,
                                  __global const int *restrict row_sequence,
                                  __global const int *restrict begin, __global const uint *restrict ids,
                                  uint4 stream, uint threshold, float scale)
{
    int row = get_group_id(1), first = 4 * (int)get_global_id(0);
    ends e = {c, pre, residual, bias, row_sequence, begin, ids, stream, threshold, what, n, alpha, scale};
    mask_key mask;
    mask.sequence = -1;
    if (first < n) {
        float4 v = (float4)(0.0f);
        for (int z = 0; z < slices; z++)
            v += widen(
                load_four(sums, LAIP_STORED_FLOAT, ((size_t)z * m + row) * n + first, n - first, n % 4 == 0),
                LAIP_STORED_FLOAT);
        finish(&e, &mask, v, row, first);
    }
    if (first == 0 && what & LAIP_HAS_ROW_SUMS && (row < first_skipped || row >= end_skipped)) {
        float sum = row_sums[row];
        for (int z = 0; z < slices; z++)
            sum += sums[(size_t)slices * m * n + (size_t)z * m + row];
        row_sums[row] = sum;
    }
}
