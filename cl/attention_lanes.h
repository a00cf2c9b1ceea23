/* What both directions of attention with queries as lanes are made of: products of a band of 32 queries,
 * transposed over, with dense rows; the same of one query, with the head's columns as lanes; masks. */
#include "transpose.h"

#define LANE 32        /* queries of an item at once: two vectors */
#define TILE 8         /* rows of a register tile */
#define BLOCK 128      /* keys between two looks at the largest score */
#define FEW 8          /* rows that are not worth a band */
#define HEADROOM 16.0f /* how far a score may be above what powers of 2 are taken over */
#define HEAD_VECS (HEAD / 16)
#define LOG2_E 1.44269504f

/* to[c] = column c of 32 rows, times factor; rows from `rows` on are 0. */
static inline void transpose_load(float16 *to, __global const act *from, int stride, int rows, float factor)
{
    for (int z = 0; z < 2; z++)
        for (int c = 0; c < HEAD; c += 16) {
            float16 v[16];
#pragma unroll
            for (int i = 0; i < 16; i++)
                v[i] = 16 * z + i < rows ? ACT_LOAD16(0, from + (size_t)(16 * z + i) * stride + c)
                                         : (float16)(0.0f);
            transpose_square(v);
#pragma unroll
            for (int q = 0; q < 16; q++)
                to[2 * (c + q) + z] = v[q] * factor;
        }
}

/* The way back, each row times its factor. */
static inline void transpose_store(__global act *to, int stride, const float16 *from, const float16 *factor,
                                   int rows)
{
    for (int z = 0; z < 2; z++)
        for (int c = 0; c < HEAD; c += 16) {
            float16 v[16];
#pragma unroll
            for (int q = 0; q < 16; q++)
                v[q] = from[2 * (c + q) + z] * factor[z];
            transpose_square(v);
#pragma unroll
            for (int i = 0; i < 16; i++)
                if (16 * z + i < rows)
                    ACT_STORE16(v[i], 0, to + (size_t)(16 * z + i) * stride + c);
        }
}

/* s0[r], s1[r] = ⟨row r, transposed rows⟩ of TILE dense rows. */
static inline __attribute__((always_inline)) void tile_dots(float16 *s0, float16 *s1, __global const float *a,
                                                            const float16 *transposed)
{
#pragma unroll
    for (int r = 0; r < TILE; r++)
        s0[r] = s1[r] = (float16)(0.0f);
    for (int c = 0; c < HEAD; c++) {
        float16 b0 = transposed[2 * c], b1 = transposed[2 * c + 1];
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            float16 x = (float16)(a[r * HEAD + c]);
            s0[r] = fma(x, b0, s0[r]);
            s1[r] = fma(x, b1, s1[r]);
        }
    }
}

/* s[0], s[1] = the same of one row, in parts, as one sum after the other is slow. */
static inline void one_dot(float16 *s, __global const float *a, const float16 *transposed)
{
    float16 s0[4], s1[4];
#pragma unroll
    for (int r = 0; r < 4; r++)
        s0[r] = s1[r] = (float16)(0.0f);
    for (int c = 0; c < HEAD; c += 4) {
#pragma unroll
        for (int r = 0; r < 4; r++) {
            float16 x = (float16)(a[c + r]);
            s0[r] = fma(x, transposed[2 * (c + r)], s0[r]);
            s1[r] = fma(x, transposed[2 * (c + r) + 1], s1[r]);
        }
    }
    s[0] = (s0[0] + s0[1]) + (s0[2] + s0[3]);
    s[1] = (s1[0] + s1[1]) + (s1[2] + s1[3]);
}

/* sum[c][i] += Σ_j w[j][i] · b[j][c] over `count` dense rows. */
static inline void accumulate_pv(float16 *sum, const float16 *w, __global const float *b, int count)
{
    for (int c = 0; c < HEAD; c += TILE) {
        float16 s0[TILE], s1[TILE];
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            s0[r] = sum[2 * (c + r)];
            s1[r] = sum[2 * (c + r) + 1];
        }
        for (int j = 0; j < count; j++) {
            float16 b0 = w[2 * j], b1 = w[2 * j + 1];
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                float16 x = (float16)(b[j * HEAD + c + r]);
                s0[r] = fma(x, b0, s0[r]);
                s1[r] = fma(x, b1, s1[r]);
            }
        }
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            sum[2 * (c + r)] = s0[r];
            sum[2 * (c + r) + 1] = s1[r];
        }
    }
}

/* to[j] (+)= Σ_i w[j][i] · b[i] for `count` rows of the head's columns, over `lanes` rows of b; dense. */
static inline void accumulate_dkv(__global float *to, int count, const float16 *weight, const float16 *b,
                                  int lanes, int overwrite)
{
    const float *w = (const float *)weight;
    for (int j = 0; j < count; j += TILE)
        for (int v = 0; v < HEAD_VECS; v += 2) {
            int second = v + 1 < HEAD_VECS, rows = min(TILE, count - j);
            float16 s0[TILE], s1[TILE];
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                __global const float *old = to + (j + min(r, rows - 1)) * HEAD;
                s0[r] = overwrite ? (float16)(0.0f) : load16(v, old);
                s1[r] = overwrite || !second ? (float16)(0.0f) : load16(v + 1, old);
            }
            for (int i = 0; i < lanes; i++) {
                float16 b0 = b[i * HEAD_VECS + v], b1 = b[i * HEAD_VECS + v + second];
#pragma unroll
                for (int r = 0; r < TILE; r++) {
                    float16 x = (float16)(w[(j + r) * LANE + i]);
                    s0[r] = fma(x, b0, s0[r]);
                    s1[r] = fma(x, b1, s1[r]);
                }
            }
#pragma unroll
            for (int r = 0; r < TILE; r++)
                if (r < rows) {
                    store16(s0[r], v, to + (j + r) * HEAD);
                    if (second)
                        store16(s1[r], v + 1, to + (j + r) * HEAD);
                }
        }
}

/* `rows` rows of the head's columns, from and to where they lie `stride` apart. */
static inline void fetch(__global float *to, __global const act *from, int stride, int rows)
{
    for (int j = 0; j < rows; j++)
        for (int v = 0; v < HEAD_VECS; v++)
            store16(ACT_LOAD16(v, from + (size_t)j * stride), v, to + j * HEAD);
}

static inline void put_back(__global act *to, int stride, __global const float *from, int rows)
{
    for (int j = 0; j < rows; j++)
        for (int v = 0; v < HEAD_VECS; v++)
            ACT_STORE16(load16(v, from + j * HEAD), v, to + (size_t)j * stride);
}

static inline void fetch_rows(float16 *to, __global const act *from, int stride, int rows)
{
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < HEAD_VECS; v++)
            to[i * HEAD_VECS + v] = ACT_LOAD16(v, from + (size_t)i * stride);
}

static inline void clear(float16 *x)
{
    for (int c = 0; c < 2 * HEAD; c++)
        x[c] = (float16)(0.0f);
}

/* The dropout's factors of 16 probabilities. */
static inline float16 mask16(uint key0, uint key1, uint16 index, uint threshold, float kept_scale)
{
    return select((float16)(0.0f), (float16)(kept_scale),
                  vec_mask_bits(key0, key1, index) >= (uint16)(threshold));
}

/* Of 16 queries, `first` and on, at key j; and of 16 keys, j and on, for one query. */
static inline float16 mask_queries(uint key0, uint key1, int first, int j, int keys, uint threshold,
                                   float kept_scale)
{
    return mask16(key0, key1, (as_uint16(LANES16) + (uint)first) * (uint)keys + (uint)j, threshold,
                  kept_scale);
}

static inline float16 mask_keys(uint key0, uint key1, int query, int j, int keys, uint threshold,
                                float kept_scale)
{
    return mask16(key0, key1, as_uint16(LANES16) + (uint)query * (uint)keys + (uint)j, threshold, kept_scale);
}

/* Rows of queries that read a block's nk keys and values, which lie dense. */
typedef struct kv_tile {
    __global const float *k, *v;
    __global float *kept; /* room for nk numbers, up to the next 16 */
    int nk, index;        /* index: of the first row's probability of key 0, over nk */
    uint key0, key1, threshold;
    float kept_scale;
} kv_tile;

/* Lane i: the sum over v[i].  A turn that adds as it goes has half of the moves. */
static inline __attribute__((always_inline)) float16 sums16(float16 *v)
{
#pragma unroll
    for (int half_count = 8; half_count > 0; half_count /= 2) {
#pragma unroll
        for (int i = 0; i < half_count; i++) {
            float16 a = v[i], b = v[i + half_count];
            v[i] = (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6,
                             b.s6, a.s7, b.s7) +
                   (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se,
                             b.se, a.sf, b.sf);
        }
    }
    return v[0];
}

/* ⟨row j, x⟩ of dense rows j … j + 15 (from `count` on the last again). */
static inline __attribute__((always_inline)) float16 row_dots(__global const float *a, int j, int count,
                                                              const float16 *x)
{
    float16 part[16];
#pragma unroll
    for (int r = 0; r < 16; r++) {
        __global const float *row = a + min(j + r, count - 1) * HEAD;
        part[r] = load16(0, row) * x[0];
        for (int v = 1; v < HEAD_VECS; v++)
            part[r] = fma(load16(v, row), x[v], part[r]);
    }
    return sums16(part);
}

/* sum += Σ_j w[j] · row j of `count` dense rows. */
static inline void row_accumulate_pv(float16 *sum, __global const float *w, __global const float *a,
                                     int count)
{
    for (int j = 0; j < count; j++)
        for (int v = 0; v < HEAD_VECS; v++)
            sum[v] = fma((float16)(w[j]), load16(v, a + j * HEAD), sum[v]);
}

/* to[j] += w[j] · x for `count` dense rows. */
static inline void row_accumulate_dkv(__global float *to, int count, __global const float *w,
                                      const float16 *x)
{
    for (int j = 0; j < count; j++)
        for (int v = 0; v < HEAD_VECS; v++)
            store16(fma((float16)(w[j]), x[v], load16(v, to + j * HEAD)), v, to + j * HEAD);
}
