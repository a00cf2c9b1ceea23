/* The packed matrix product for CPU devices: ops/gemm_packed.c.
 *
 * op(A) is copied to panels of MR rows, [panel][k][MR], and op(B) to panels of NR columns, [panel][k][NR],
 * padded with zeros; both of floats, whatever A and B are stored as.  A tile of C, MR × NR, lives in 24
 * vectors of 16 floats: each step of k loads two vectors of B and multiplies them by MR numbers of A, so that
 * the multiply-adds, not the loads, are the limit.  A k too long for the caches goes in blocks: what is not
 * yet the whole sum lies in C, or beside it where that holds halves.  Work-groups have one item, and
 * take pieces of the work as they get free. */
#include "common.h"

#include "gelu.h"
#include "transpose.h"

#define MR 12
#define NR 32
#define AHEAD 24       /* steps of k that B's lines are asked for before they are used */
#define PACK_DEPTH 256 /* steps of k that a packing item handles */

#ifdef B_HALF
typedef half act_b;
#define B_LOAD16(i, p) half_load16((p) + 16 * (i))
#define B_GET(p) vload_half(0, p)
#else
typedef float act_b;
#define B_LOAD16(i, p) load16(i, p)
#define B_GET(p) (*(p))
#endif

/* How the product finds the panels of B: made already, or to be made from B as it is or transposed. */
enum { B_READY, B_PLAIN, B_TRANSPOSED };

enum { HAS_BIAS = 1, HAS_GELU = 2, HAS_PRE = 4, HAS_RESIDUAL = 8, ADD_TO_C = 16 };

/* A as it is, [m, k]; alpha is multiplied in. */
ITEM_KERNEL void gemm_pack_a(__global const act *restrict a, __global float *restrict packed, float alpha,
                             int m, int k)
{
    int first = get_group_id(0) * MR, rows = min(MR, m - first);
    int p0 = get_group_id(1) * PACK_DEPTH, p1 = min(p0 + PACK_DEPTH, k), p = p0;
    __global float *to = packed + (size_t)first * k;
    a += (size_t)first * k;
    for (; rows == MR && p + 16 <= p1; p += 16) {
        float16 v[16];
#pragma unroll
        for (int i = 0; i < 16; i++)
            v[i] = i < MR ? alpha * ACT_LOAD16(0, a + (size_t)i * k + p) : (float16)(0.0f);
        transpose_16x16(v);
#pragma unroll
        for (int q = 0; q < 16; q++) {
            vstore8(v[q].lo, 0, to + (size_t)(p + q) * MR);
            vstore4(v[q].hi.lo, 2, to + (size_t)(p + q) * MR);
        }
    }
    for (; p < p1; p++)
        for (int i = 0; i < MR; i++)
            to[(size_t)p * MR + i] = i < rows ? alpha * ACT_GET(a + (size_t)i * k + p) : 0;
}

/* A transposed, [k, m]. */
ITEM_KERNEL void gemm_pack_a_transposed(__global const act *restrict a, __global float *restrict packed,
                                        float alpha, int m, int k)
{
    int first = get_group_id(0) * MR, rows = min(MR, m - first);
    int p0 = get_group_id(1) * PACK_DEPTH, p1 = min(p0 + PACK_DEPTH, k), p = p0;
    __global float *to = packed + (size_t)first * k;
    for (; p < p1; p++) {
        __global const act *from = a + (size_t)p * m + first;
        if (rows == MR) {
            vstore8(alpha * ACT_LOAD8(0, from), 0, to + (size_t)p * MR);
            vstore4(alpha * ACT_LOAD4(2, from), 2, to + (size_t)p * MR);
            continue;
        }
        for (int i = 0; i < MR; i++)
            to[(size_t)p * MR + i] = i < rows ? alpha * ACT_GET(from + i) : 0;
    }
}

/* Steps p0 … p1 − 1 of a panel of B as it is, [k, n], of which `columns` columns are there, from the first
 * of them on. */
static inline void copy_panel(__global const act_b *restrict b, __global float *restrict to, int columns,
                              int p0, int p1, int n)
{
    for (int p = p0; p < p1; p++, to += NR) {
        __global const act_b *from = b + (size_t)p * n;
        if (columns >= NR) {
            store16(B_LOAD16(0, from), 0, to);
            store16(B_LOAD16(1, from), 1, to);
            continue;
        }
        for (int j = 0; j < NR; j++)
            to[j] = j < columns ? B_GET(from + j) : 0;
    }
}

/* B transposed, [n, k], likewise. */
static inline void turn_panel(__global const act_b *restrict b, __global float *restrict to, int columns,
                              int p0, int p1, int k)
{
    int p = p0;
    for (; columns >= NR && p + 16 <= p1; p += 16, to += 16 * NR)
        for (int half_panel = 0; half_panel < NR; half_panel += 16) {
            float16 v[16];
#pragma unroll
            for (int j = 0; j < 16; j++)
                v[j] = B_LOAD16(0, b + (size_t)(half_panel + j) * k + p);
            transpose_16x16(v);
#pragma unroll
            for (int q = 0; q < 16; q++)
                store16(v[q], 0, to + q * NR + half_panel);
        }
    for (; p < p1; p++, to += NR)
        for (int j = 0; j < NR; j++)
            to[j] = j < columns ? B_GET(b + (size_t)j * k + p) : 0;
}

/* Asks for lines i0 … i1 − 1 of the 2 × depth that steps p … p + depth − 1 of a panel lie on. */
static inline void prefetch_panel(int how, __global const act_b *b, int column, int p, int i0, int i1, int n,
                                  int k)
{
    if (how == B_PLAIN)
        for (int i = i0; i < i1; i++)
            PREFETCH_LATER(b + (size_t)(p + i / 2) * n + column * NR + i % 2 * 16);
    if (how == B_TRANSPOSED)
        for (int i = i0; i < i1; i++)
            PREFETCH_LATER(b + (size_t)(column * NR + i % NR) * k + p + i / NR * 16);
}

ITEM_KERNEL void gemm_pack_b(__global const act_b *restrict b, __global float *restrict packed, int n, int k)
{
    int first = get_group_id(0) * NR, p0 = get_group_id(1) * PACK_DEPTH, p1 = min(p0 + PACK_DEPTH, k);
    copy_panel(b + first, packed + (size_t)first * k + (size_t)p0 * NR, n - first, p0, p1, n);
}

ITEM_KERNEL void gemm_pack_b_transposed(__global const act_b *restrict b, __global float *restrict packed,
                                        int n, int k)
{
    int first = get_group_id(0) * NR, p0 = get_group_id(1) * PACK_DEPTH, p1 = min(p0 + PACK_DEPTH, k);
    turn_panel(b + (size_t)first * k, packed + (size_t)first * k + (size_t)p0 * NR, n - first, p0, p1, k);
}

/* Up to 16 elements of a row, the rest zeros; and back. */
static inline float16 load_part(__global const float *from, int count)
{
    if (count >= 16)
        return load16(0, from);
    float part[16];
    for (int j = 0; j < 16; j++)
        part[j] = j < count ? from[j] : 0;
    return load16(0, part);
}

static inline void store_part(float16 v, __global float *to, int count)
{
    if (count >= 16) {
        store16(v, 0, to);
        return;
    }
    float part[16];
    store16(v, 0, part);
    for (int j = 0; j < count; j++)
        to[j] = part[j];
}

#ifdef HALF
static inline float16 load_acts(__global const act *from, int count)
{
    if (count >= 16)
        return ACT_LOAD16(0, from);
    float part[16];
    for (int j = 0; j < 16; j++)
        part[j] = j < count ? ACT_GET(from + j) : 0;
    return load16(0, part);
}

static inline void store_acts(float16 v, __global act *to, int count)
{
    if (count >= 16) {
        ACT_STORE16(v, 0, to);
        return;
    }
    float part[16];
    store16(v, 0, part);
    for (int j = 0; j < count; j++)
        ACT_PUT(part[j], to + j);
}
#else
#define load_acts load_part
#define store_acts store_part
#endif

typedef struct ends {
    __global float *sums; /* like C, which it is where C holds floats */
    __global act *c, *pre;
    __global const float *bias;
    __global const act *residual;
    int n, what; /* C's row length; HAS_ and ADD_ bits */
} ends;

/* v is what this block of k adds to `count` elements of C from `at` on: with what the blocks before it left,
 * if it is not the first, it becomes what the next one finds or, if it is the last, goes through the
 * epilogue. */
static inline void put(float16 v, const ends *e, size_t at, int column, int count, bool first, bool last)
{
    if (!first)
        v += load_part(e->sums + at, count);
    else if (e->what & ADD_TO_C)
        v += load_acts(e->c + at, count);
    if (!last) {
        store_part(v, e->sums + at, count);
        return;
    }
    if (e->what & HAS_BIAS)
        v += load_part(e->bias + column, count);
    if (e->what & HAS_PRE)
        store_acts(v, e->pre + at, count);
    if (e->what & HAS_GELU)
        v = vec_gelu(v);
    if (e->what & HAS_RESIDUAL)
        v += load_acts(e->residual + at, count);
    store_acts(v, e->c + at, count);
}

/* rows (a constant where this is inlined: the accumulators must become registers) of a tile, of which `valid`
 * are of C: the sum over `depth` steps of k, one block of it. */
static inline __attribute__((always_inline)) void
tile(const int rows, int valid, __global const float *restrict a, __global const float *restrict b,
     int b_step, int depth, const ends *e, int row, int column, bool first, bool last)
{
    float16 low[MR], high[MR];
    int count = e->n - column;
    size_t at = (size_t)row * e->n + column;
#pragma unroll
    for (int i = 0; i < rows; i++) {
        low[i] = high[i] = 0;
        WRITE_SOON(e->c + at + (size_t)min(i, valid - 1) * e->n);
        WRITE_SOON(e->c + at + (size_t)min(i, valid - 1) * e->n + 16);
    }
    for (int p = 0; p < depth; p++) {
        float16 b0 = load16(0, b), b1 = load16(1, b);
        PREFETCH(b + AHEAD * b_step);
        PREFETCH(b + AHEAD * b_step + 16);
        PREFETCH(a + 2 * AHEAD * MR);
#pragma unroll
        for (int i = 0; i < rows; i++) {
            low[i] = fma((float16)(a[i]), b0, low[i]);
            high[i] = fma((float16)(a[i]), b1, high[i]);
        }
        a += MR;
        b += b_step;
    }
#pragma unroll
    for (int i = 0; i < rows; i++) {
        if (i < valid) {
            put(low[i], e, at + (size_t)i * e->n, column, count, first, last);
            if (count > 16)
                put(high[i], e, at + (size_t)i * e->n + 16, column + 16, count - 16, first, last);
        }
    }
}

/* The work is cut into pieces of one column panel and `band` row panels, column panels running faster, so
 * that the pieces that follow each other read the same rows; the last `cut` of these once more, by `panels`
 * row panels, so that the groups end together.  Where B is not ready, a piece first makes its panel of B in
 * the group's part of the room, one block of k, which stays in a second-level cache while the rows go past
 * it. b_panel and b_step are the distances of panels and of steps of k in `ready`: k × NR and NR when packed,
 * NR and n where B is read in place. */
ITEM_KERNEL void gemm_packed(__global const float *restrict a, int how, __global const float *restrict ready,
                             ulong b_panel, int b_step, __global const act_b *restrict b,
                             __global float *room, __global float *sums, __global act *c,
                             __global const float *bias, __global act *pre, __global const act *residual,
                             int what, int m, int n, int k, int block, int band, int cut, int panels,
                             __global volatile int *tile_counter)
{
    int columns = (n + NR - 1) / NR, row_panels = (m + MR - 1) / MR, bands = (row_panels + band - 1) / band;
    int last_band = (bands - 1) * band, uncut = bands * columns - cut;
    int pieces = uncut + cut * ((row_panels - last_band + panels - 1) / panels);
    ends e = {sums, c, pre, bias, residual, n, what};
    if (how != B_READY)
        room += get_group_id(0) * NR * block;
    FOR_EACH_TILE (i, pieces, tile_counter) {
        bool whole = i < uncut;
        int column = whole ? i % columns : columns - cut + (i - uncut) % cut;
        int begin = MR * (whole ? i / columns * band : last_band + (i - uncut) / cut * panels);
        int end = min(begin + MR * (whole ? band : panels), m);
        for (int p = 0; p < k; p += block) {
            int depth = min(block, k - p);
            bool first = p == 0, last = p + block >= k;
            __global const float *from_b = ready + column * b_panel + (size_t)p * b_step;
            if (how == B_PLAIN)
                copy_panel(b + column * NR, room, n - column * NR, p, p + depth, n);
            if (how == B_TRANSPOSED)
                turn_panel(b + (size_t)column * NR * k, room, n - column * NR, p, p + depth, k);
            if (how != B_READY)
                from_b = room;
            for (int row = begin; row < end; row += MR) {
                __global const float *from_a = a + (size_t)row * k + (size_t)p * MR;
                int valid = min(MR, end - row), at = column * NR;
                int share = 2 * block * MR / (end - begin) + 1, asked = (row - begin) / MR * share;
                prefetch_panel(how, b, last ? column + get_num_groups(0) : column, last ? 0 : p + block,
                               asked, min(asked + share, 2 * block), n, k);
                if (valid > 8)
                    tile(12, valid, from_a, from_b, b_step, depth, &e, row, at, first, last);
                else if (valid > 4)
                    tile(8, valid, from_a, from_b, b_step, depth, &e, row, at, first, last);
                else
                    tile(4, valid, from_a, from_b, b_step, depth, &e, row, at, first, last);
            }
        }
    }
    tile_loop_end(tile_counter);
}
