/* The packed matrix product of CPU devices: C[m, n] = op(A) op(B).
 *
 * op(B) is packed into panels of 32 columns, [panel][k][32], zeros beyond n.  A work-item owns a panel and a band of
 * rows: in blocks of KC along k it walks tiles of 12 rows × 32 columns, whose sums stay in 24 registers of 16 floats.
 * op(A) is read in place: along a row when it is stored as it is used, down a column when it is stored transposed. */
/* One shape whatever the device's other kernels use. */
#undef LANES
#undef VEC
#define LANES 1
#define VEC 16
#include "common.h"
#include "gelu.h"

#define NR 32
#define KC 384
#if defined(__has_attribute)
#if __has_attribute(min_vector_width)
#define WIDE __attribute__((min_vector_width(512)))
#endif
#endif
#ifndef WIDE
#define WIDE
#endif
#define ITEM_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) WIDE

/* op(B)[p, j] = b[p·ld + j] */
ITEM_KERNEL void gemm_pack_n(__global const float *restrict b, __global float *restrict packed, int n, int k, int ld)
{
    int j0 = (int)get_global_id(0) * NR, p0 = (int)get_global_id(1) * KC, p1 = min(p0 + KC, k), columns = min(NR, n - j0);
    __global float *to = packed + (size_t)j0 * k + (size_t)p0 * NR;
    for (int p = p0; p < p1; p++, to += NR) {
        __global const float *from = b + (size_t)p * ld + j0;
        if (columns == NR) {
            vstore16(vload16(0, from), 0, to);
            vstore16(vload16(1, from), 1, to);
        } else
            for (int j = 0; j < NR; j++)
                to[j] = j < columns ? from[j] : 0.0f;
    }
}

/* op(B)[p, j] = b[j·ld + p]: squares of 16 are turned over in private memory. */
ITEM_KERNEL void gemm_pack_t(__global const float *restrict b, __global float *restrict packed, int n, int k, int ld)
{
    int j0 = (int)get_global_id(0) * NR, p0 = (int)get_global_id(1) * KC, p1 = min(p0 + KC, k), columns = min(NR, n - j0);
    __global float *to = packed + (size_t)j0 * k + (size_t)p0 * NR;
    int p = p0;
    if (columns == NR)
        for (; p + 16 <= p1; p += 16, to += 16 * NR) {
            float t[16 * NR];
            for (int j = 0; j < NR; j++) {
                float16 v = vload16(0, b + (size_t)(j0 + j) * ld + p);
                t[j] = v.s0, t[32 + j] = v.s1, t[64 + j] = v.s2, t[96 + j] = v.s3;
                t[128 + j] = v.s4, t[160 + j] = v.s5, t[192 + j] = v.s6, t[224 + j] = v.s7;
                t[256 + j] = v.s8, t[288 + j] = v.s9, t[320 + j] = v.sa, t[352 + j] = v.sb;
                t[384 + j] = v.sc, t[416 + j] = v.sd, t[448 + j] = v.se, t[480 + j] = v.sf;
            }
            for (int i = 0; i < 32; i++)
                vstore16(vload16(i, t), i, to);
        }
    for (; p < p1; p++, to += NR)
        for (int j = 0; j < NR; j++)
            to[j] = j < columns ? b[(size_t)(j0 + j) * ld + p] : 0.0f;
}

typedef struct epilogue {
    __global float *c, *pre;
    __global const float *bias, *residual;
    int n, flags;
    float alpha;
} epilogue;
#define HAS_BIAS 1
#define HAS_GELU 2
#define HAS_PRE 4
#define HAS_RESIDUAL 8
#define ACCUMULATES 16

inline float16 finish(float16 x, size_t at, int column, epilogue e)
{
    if (e.flags & ACCUMULATES)
        return x;
    if (e.flags & HAS_BIAS)
        x += vload16(0, e.bias + column);
    if (e.flags & HAS_PRE)
        vstore16(x, 0, e.pre + at);
    if (e.flags & HAS_GELU)
        x = vec_gelu(x);
    if (e.flags & HAS_RESIDUAL)
        x += vload16(0, e.residual + at);
    return x;
}

/* One row of a tile, 32 columns from `column`, of which `columns` exist.  The first block of k assigns C (or adds to
 * it when accumulating), the later ones add; the last one ends with the epilogue. */
inline void put_row(float16 x0, float16 x1, size_t row, int column, int columns, int first, int last, epilogue e)
{
    size_t at = row * e.n + column;
    x0 *= e.alpha;
    x1 *= e.alpha;
    if (columns == NR) {
        if (!first || (e.flags & ACCUMULATES)) {
            x0 += vload16(0, e.c + at);
            x1 += vload16(0, e.c + at + 16);
        }
        if (last) {
            x0 = finish(x0, at, column, e);
            x1 = finish(x1, at + 16, column + 16, e);
        }
        vstore16(x0, 0, e.c + at);
        vstore16(x1, 0, e.c + at + 16);
        return;
    }
    float x[NR];
    vstore16(x0, 0, x);
    vstore16(x1, 1, x);
    for (int j = 0; j < columns; j++) {
        if (!first || (e.flags & ACCUMULATES))
            x[j] += e.c[at + j];
        if (last && !(e.flags & ACCUMULATES)) {
            if (e.flags & HAS_BIAS)
                x[j] += e.bias[column + j];
            if (e.flags & HAS_PRE)
                e.pre[at + j] = x[j];
        }
    }
    if (last && !(e.flags & ACCUMULATES) && (e.flags & HAS_GELU)) {
        vstore16(vec_gelu(vload16(0, x)), 0, x);
        vstore16(vec_gelu(vload16(1, x)), 1, x);
    }
    for (int j = 0; j < columns; j++)
        e.c[at + j] = last && !(e.flags & ACCUMULATES) && (e.flags & HAS_RESIDUAL) ? x[j] + e.residual[at + j] : x[j];
}

/* A tile of `rows` (a constant where it is called) rows: `down` floats between rows of op(A), `along` along k. */
inline void tile(const int rows, __global const float *a, __global const float *b, size_t down, size_t along, int count,
                 size_t row, int column, int columns, int first, int last, epilogue e)
{
    float16 s0[12], s1[12];
#pragma unroll
    for (int i = 0; i < 12; i++)
        if (i < rows)
            s0[i] = s1[i] = (float16)(0.0f);
    for (int p = 0; p < count; p++, a += along, b += NR) {
        float16 b0 = vload16(0, b), b1 = vload16(1, b);
#pragma unroll
        for (int i = 0; i < 12; i++)
            if (i < rows) {
                float16 x = (float16)(a[i * down]);
                s0[i] = fma(x, b0, s0[i]);
                s1[i] = fma(x, b1, s1[i]);
            }
    }
#pragma unroll
    for (int i = 0; i < 12; i++)
        if (i < rows)
            put_row(s0[i], s1[i], row + i, column, columns, first, last, e);
}

inline void band(__global const float *a, __global const float *packed, epilogue e, int m, int k, size_t down,
                 size_t along, int rows)
{
    int column = (int)get_global_id(0) * NR, columns = min(NR, e.n - column);
    int r0 = (int)get_global_id(1) * rows, r1 = min(r0 + rows, m);
    for (int p = 0; p < k; p += KC) {
        int count = min(KC, k - p), first = p == 0, last = p + count == k, r = r0;
        __global const float *b = packed + (size_t)column * k + (size_t)p * NR;
        __global const float *from = a + (size_t)p * along;
        for (; r + 12 <= r1; r += 12)
            tile(12, from + (size_t)r * down, b, down, along, count, r, column, columns, first, last, e);
        for (; r + 4 <= r1; r += 4)
            tile(4, from + (size_t)r * down, b, down, along, count, r, column, columns, first, last, e);
        for (; r < r1; r++)
            tile(1, from + (size_t)r * down, b, down, along, count, r, column, columns, first, last, e);
    }
}

ITEM_KERNEL void gemm_rows(__global const float *restrict a, __global const float *restrict packed,
                           __global float *restrict c, __global const float *bias, __global float *pre,
                           __global const float *residual, int m, int n, int k, int ld, int rows, int flags, float alpha)
{
    epilogue e = {c, pre, bias, residual, n, flags, alpha};
    band(a, packed, e, m, k, ld, 1, rows);
}

ITEM_KERNEL void gemm_columns(__global const float *restrict a, __global const float *restrict packed,
                              __global float *restrict c, __global const float *bias, __global float *pre,
                              __global const float *residual, int m, int n, int k, int ld, int rows, int flags,
                              float alpha)
{
    epilogue e = {c, pre, bias, residual, n, flags, alpha};
    band(a, packed, e, m, k, 1, ld, rows);
}
