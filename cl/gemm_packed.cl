/* The packed matrix product for CPU devices: ops/gemm/packed.c.
 *
 * op(A) is copied to panels of MR rows, [panel][k][MR], and op(B) to panels of NR columns, [panel][k][NR],
 * padded with zeros; both of floats, whatever A and B are stored as.  A tile of C, MR × NR, lives in
 * MR × NR / VEC registers: each step of k loads NR / VEC vectors of B and multiplies them by MR numbers of A,
 * so that the multiply-adds, not the loads, are the limit.  VEC, MR and NR are build options: which of them
 * suit a device's registers is measured (ops/gemm/tile.c).  A k too long for the caches goes in blocks: what
 * is not yet the whole sum lies in C, or beside it where that holds halves.  Work-groups have one item, and
 * take tasks as they get free. */
#include "common.h"

#include "gelu.h"
#include "transpose.h"

#define NV (NR / VEC)          /* vectors of a row of the tile */
#define LINES ((NR + 15) / 16) /* cache lines of a step of a panel of B */
#define AHEAD 24               /* steps of k that B's lines are prefetched before they are used */
#define A_AHEAD 2048 /* floats that A's are: it comes from the last-level cache, B from a nearer one */

#ifdef B_HALF
typedef number16 act_b;
#define B_LOAD(p) HALF_LOAD(p)
#define B_GET(p) number_get(p)
#else
typedef float act_b;
#define B_LOAD(p) VLOAD(p)
#define B_GET(p) (*(p))
#endif

/* The first `count` elements of v, a constant where this is inlined. */
static inline __attribute__((always_inline)) void store_first(vecf v, int count, __global float *to)
{
    float part[VEC];
    VSTORE(v, part);
    int done = 0;
#if VEC > 8
    if (count >= 8) {
        vstore8(vload8(0, part), 0, to);
        done = 8;
    }
#endif
#if VEC > 4
    if (count - done >= 4) {
        vstore4(vload4(0, part + done), 0, to + done);
        done += 4;
    }
#endif
#pragma unroll
    for (int i = 0; i < 3; i++)
        if (done + i < count)
            to[done + i] = part[done + i];
}

/* A as it is, [m, k]; alpha is multiplied in.  Steps of k run faster than panels, so that the groups that
 * follow each other go along A's rows. */
ITEM_KERNEL void gemm_pack_a(__global const act *restrict a, __global float *restrict packed, float alpha,
                             int m, int k)
{
    int first = get_group_id(1) * MR, rows = min(MR, m - first);
    int p0 = get_group_id(0) * LAIP_PACK_DEPTH, p1 = min(p0 + LAIP_PACK_DEPTH, k), p = p0;
    __global float *to = packed + (size_t)first * k;
    a += (size_t)first * k;
    for (; rows == MR && p + VEC <= p1; p += VEC) {
#pragma unroll
        for (int r = 0; r < MR; r += VEC) {
            vecf v[VEC];
#pragma unroll
            for (int i = 0; i < VEC; i++)
                v[i] = r + i < MR ? alpha * ACT_LOAD(a + (size_t)(r + i) * k + p) : (vecf)(0.0f);
            transpose_square(v);
#pragma unroll
            for (int q = 0; q < VEC; q++)
                if (MR - r >= VEC)
                    VSTORE(v[q], to + (size_t)(p + q) * MR + r);
                else
                    store_first(v[q], MR - r, to + (size_t)(p + q) * MR + r);
        }
    }
    for (; p < p1; p++)
        for (int i = 0; i < MR; i++)
            to[(size_t)p * MR + i] = i < rows ? alpha * ACT_GET(a + (size_t)i * k + p) : 0;
}

/* A transposed, [k, m]; panels run faster, for the same reason. */
ITEM_KERNEL void gemm_pack_a_transposed(__global const act *restrict a, __global float *restrict packed,
                                        float alpha, int m, int k)
{
    int first = get_group_id(0) * MR, rows = min(MR, m - first);
    int p0 = get_group_id(1) * LAIP_PACK_DEPTH, p1 = min(p0 + LAIP_PACK_DEPTH, k), p = p0;
    __global float *to = packed + (size_t)first * k + (size_t)p0 * MR;
    for (; p < p1; p++, to += MR) {
        __global const act *from = a + (size_t)p * m + first;
        if (rows == MR) {
#pragma unroll
            for (int i = 0; i + 4 <= MR; i += 4)
                vstore4(alpha * ACT_LOAD4(0, from + i), 0, to + i);
#pragma unroll
            for (int i = MR / 4 * 4; i < MR; i++)
                to[i] = alpha * ACT_GET(from + i);
            continue;
        }
        for (int i = 0; i < MR; i++)
            to[i] = i < rows ? alpha * ACT_GET(from + i) : 0;
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
#pragma unroll
            for (int j = 0; j < NR; j += VEC)
                VSTORE(B_LOAD(from + j), to + j);
            continue;
        }
        for (int j = 0; j < NR; j++)
            to[j] = j < columns ? B_GET(from + j) : 0;
    }
}

/* B transposed, [n, k], likewise. */
static inline void transpose_panel(__global const act_b *restrict b, __global float *restrict to, int columns,
                                   int p0, int p1, int k)
{
    int p = p0;
    for (; columns >= NR && p + VEC <= p1; p += VEC, to += VEC * NR)
        for (int j = 0; j < NR; j += VEC) {
            vecf v[VEC];
#pragma unroll
            for (int i = 0; i < VEC; i++)
                v[i] = B_LOAD(b + (size_t)(j + i) * k + p);
            transpose_square(v);
#pragma unroll
            for (int q = 0; q < VEC; q++)
                VSTORE(v[q], to + q * NR + j);
        }
    for (; p < p1; p++, to += NR)
        for (int j = 0; j < NR; j++)
            to[j] = j < columns ? B_GET(b + (size_t)j * k + p) : 0;
}

/* The cache lines that `depth` steps of a panel lie on. */
static inline int panel_lines(int how, int depth)
{
    return how == LAIP_B_PLAIN ? depth * LINES : (depth + 15) / 16 * NR;
}

/* Prefetches lines i0 … i1 − 1 of those that the steps of a panel from p on lie on. */
static inline void prefetch_panel(int how, __global const act_b *b, int column, int p, int i0, int i1, int n,
                                  int k)
{
    if (how == LAIP_B_PLAIN)
        for (int i = i0; i < i1; i++)
            PREFETCH_LATER(b + (size_t)(p + i / LINES) * n + column * NR + i % LINES * 16);
    if (how == LAIP_B_TRANSPOSED)
        for (int i = i0; i < i1; i++)
            PREFETCH_LATER(b + (size_t)(column * NR + i % NR) * k + p + i / NR * 16);
}

ITEM_KERNEL void gemm_pack_b(__global const act_b *restrict b, __global float *restrict packed, int n, int k)
{
    int first = get_group_id(0) * NR, p0 = get_group_id(1) * LAIP_PACK_DEPTH,
        p1 = min(p0 + LAIP_PACK_DEPTH, k);
    copy_panel(b + first, packed + (size_t)first * k + (size_t)p0 * NR, n - first, p0, p1, n);
}

ITEM_KERNEL void gemm_pack_b_transposed(__global const act_b *restrict b, __global float *restrict packed,
                                        int n, int k)
{
    int first = get_group_id(0) * NR, p0 = get_group_id(1) * LAIP_PACK_DEPTH,
        p1 = min(p0 + LAIP_PACK_DEPTH, k);
    transpose_panel(b + (size_t)first * k, packed + (size_t)first * k + (size_t)p0 * NR, n - first, p0, p1,
                    k);
}

/* Up to VEC elements of a row, the rest zeros; and back. */
static inline vecf load_part(__global const float *from, int count)
{
    if (count >= VEC)
        return VLOAD(from);
    float part[VEC];
    for (int j = 0; j < VEC; j++)
        part[j] = j < count ? from[j] : 0;
    return VLOAD(part);
}

static inline void store_part(vecf v, __global float *to, int count)
{
    if (count >= VEC) {
        VSTORE(v, to);
        return;
    }
    float part[VEC];
    VSTORE(v, part);
    for (int j = 0; j < count; j++)
        to[j] = part[j];
}

#ifdef HALF
static inline vecf load_acts(__global const act *from, int count)
{
    if (count >= VEC)
        return ACT_LOAD(from);
    float part[VEC];
    for (int j = 0; j < VEC; j++)
        part[j] = j < count ? ACT_GET(from + j) : 0;
    return VLOAD(part);
}

static inline void store_acts(vecf v, __global act *to, int count)
{
    if (count >= VEC) {
        ACT_STORE(v, to);
        return;
    }
    float part[VEC];
    VSTORE(v, part);
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
static inline void put(vecf v, const ends *e, size_t at, int column, int count, bool first, bool last)
{
    if (!first)
        v += load_part(e->sums + at, count);
    else if (e->what & LAIP_ADD_TO_C)
        v += load_acts(e->c + at, count);
    if (!last) {
        store_part(v, e->sums + at, count);
        return;
    }
    if (e->what & LAIP_HAS_BIAS)
        v += load_part(e->bias + column, count);
    if (e->what & LAIP_HAS_PRE)
        store_acts(v, e->pre + at, count);
    if (e->what & LAIP_HAS_GELU)
        v = vec_gelu(v);
    if (e->what & LAIP_HAS_RESIDUAL)
        v += load_acts(e->residual + at, count);
    store_acts(v, e->c + at, count);
}

/* The sums of a tile, of which `valid` rows are of C, from there to C: a loop, for code that is unrolled here
 * takes drivers long to compile. */
static inline void put_tile(const float *sums, int valid, const ends *e, int row, int column, bool first,
                            bool last)
{
    for (int i = 0; i < valid; i++)
        for (int j = 0; j < min(NR, e->n - column); j += VEC)
            put(VLOAD(sums + i * NR + j), e, (size_t)(row + i) * e->n + column + j, column + j,
                e->n - column - j, first, last);
}

/* The sums of `rows` rows of a tile (a constant where this is inlined: the accumulators must become
 * registers) over `depth` steps of k, one block of it. */
static inline __attribute__((always_inline)) void tile(const int rows, __global const float *restrict a,
                                                       __global const float *restrict b, int b_step,
                                                       int depth, float *sums)
{
    vecf sum[MR][NV];
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int j = 0; j < NV; j++)
            sum[i][j] = 0;
    for (int p = 0; p < depth; p++) {
        vecf v[NV];
#pragma unroll
        for (int j = 0; j < NV; j++)
            v[j] = VLOAD(b + VEC * j);
#pragma unroll
        for (int j = 0; j < LINES; j++)
            PREFETCH(b + AHEAD * b_step + 16 * j);
        PREFETCH(a + A_AHEAD);
#pragma unroll
        for (int i = 0; i < rows; i++) {
#pragma unroll
            for (int j = 0; j < NV; j++)
                sum[i][j] = fma((vecf)(a[i]), v[j], sum[i][j]);
        }
        a += MR;
        b += b_step;
    }
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int j = 0; j < NV; j++)
            VSTORE(sum[i][j], sums + i * NR + VEC * j);
}

/* Tiles of fewer rows, for the last of a panel: what is not there costs nothing. */
#define ROWS_2 ((2 * MR + 2) / 3)
#define ROWS_1 ((MR + 2) / 3)

/* The work is cut into tasks of one column panel and `band` row panels, column panels running faster, so
 * that the tasks that follow each other read the same rows; the last `cut` of these once more, by `panels`
 * row panels, so that the groups end together.  Where B is not ready, a task first makes its panel of B in
 * the group's part of the workspace, one block of k, which stays in a second-level cache while the rows go
 * past it. b_panel and b_step are the distances of panels and of steps of k in `ready`: k × NR and NR when
 * packed, NR and n where B is read in place. */
ITEM_KERNEL void gemm_packed(__global const float *restrict a, int how, __global const float *restrict ready,
                             ulong b_panel, int b_step, __global const act_b *restrict b,
                             __global float *workspace, __global float *sums, __global act *c,
                             __global const float *bias, __global act *pre, __global const act *residual,
                             int what, int m, int n, int k, int block, int band, int cut, int panels,
                             __global volatile int *tile_counter)
{
    int columns = (n + NR - 1) / NR, row_panels = (m + MR - 1) / MR, bands = (row_panels + band - 1) / band;
    int last_band = (bands - 1) * band, uncut = bands * columns - cut;
    int tasks = uncut + cut * ((row_panels - last_band + panels - 1) / panels);
    float tile_sums[MR * NR];
    ends e = {sums, c, pre, bias, residual, n, what};
    if (how != LAIP_B_READY)
        workspace += get_group_id(0) * NR * block;
    FOR_EACH_TILE (i, tasks, tile_counter) {
        bool whole = i < uncut;
        int column = whole ? i % columns : columns - cut + (i - uncut) % cut;
        int begin = MR * (whole ? i / columns * band : last_band + (i - uncut) / cut * panels);
        int end = min(begin + MR * (whole ? band : panels), m), lines = panel_lines(how, block);
        for (int p = 0; p < k; p += block) {
            int depth = min(block, k - p);
            bool first = p == 0, last = p + block >= k;
            __global const float *from_b = ready + column * b_panel + (size_t)p * b_step;
            if (how == LAIP_B_PLAIN)
                copy_panel(b + column * NR, workspace, n - column * NR, p, p + depth, n);
            if (how == LAIP_B_TRANSPOSED)
                transpose_panel(b + (size_t)column * NR * k, workspace, n - column * NR, p, p + depth, k);
            if (how != LAIP_B_READY)
                from_b = workspace;
            for (int row = begin; row < end; row += MR) {
                __global const float *from_a = a + (size_t)row * k + (size_t)p * MR;
                int valid = min(MR, end - row), at = column * NR;
                int share = lines * MR / (end - begin) + 1, asked = (row - begin) / MR * share;
                prefetch_panel(how, b, last ? column + get_num_groups(0) : column, last ? 0 : p + block,
                               asked, min(asked + share, lines), n, k);
                for (int r = 0; r < valid; r++)
                    for (int j = 0; j < LINES; j++)
                        PREFETCH_WRITE(c + (size_t)(row + r) * n + at + 16 * j);
                if (valid > ROWS_2)
                    tile(MR, from_a, from_b, b_step, depth, tile_sums);
                else if (valid > ROWS_1)
                    tile(ROWS_2, from_a, from_b, b_step, depth, tile_sums);
                else
                    tile(ROWS_1, from_a, from_b, b_step, depth, tile_sums);
                put_tile(tile_sums, valid, &e, row, at, first, last);
            }
        }
    }
    tile_loop_end(tile_counter);
}
