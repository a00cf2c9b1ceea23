/* What attention on a CPU is made of: a query tile of QUERY_TILE rows, transposed, so that a vector's
 * elements are queries, against keys and values as they lie, in register tiles of TILE × VECTORS vectors of
 * VEC floats (build options: ops/attention.c).  No sum crosses elements, and no key is ever transposed. */
#include "transpose.h"

#define QUERY_TILE (VEC * VECTORS)
#define KV_TILE 128    /* keys between two looks at the running maximum; a multiple of TILE */
#define HEADROOM 16.0f /* how far a score may be above what powers of 2 are taken over */
#define HEAD_VECS (HEAD / VEC)
#define LOG2_E 1.44269504f
#define UNROLLED static inline __attribute__((always_inline))
#define OUTLINED                                                                                             \
    static __attribute__((noinline)) /* PoCL makes three kernels of each, and would compile it thrice */

static inline int padded(int rows) /* to whole register tiles */
{
    return (rows + TILE - 1) / TILE * TILE;
}

/* Keys and values of one block and head (or of a range of its keys), dense and padded by rows of zeros. */
typedef struct kv_block {
    __global float *k, *v;
    int count, first, total; /* keys here, the first of them among the block's, and how many the block has */
    uint threshold;          /* dropout */
    float kept_scale;
} kv_block;

/* Queries of the sequences of a block, one after the other, and what their dropout masks are made of. */
typedef struct query_tile {
    int rows;            /* in use */
    int row[QUERY_TILE]; /* of the matrices; from `rows` on the first again */
    vecu key0[VECTORS], key1[VECTORS], index[VECTORS];
} query_tile;

/* How far the walk over a block's query rows has come: row `row` of the sequence at place u of the list. */
typedef struct query_cursor {
    int u, row;
} query_cursor;

/* The lists of ops/attention.h; of a block's sequences those from `sequences` on are none of this launch's.
 */
typedef struct sequence_lists {
    __global const int *q_begin, *k_begin, *block_begin, *block_sequences;
    __global const uint *ids; /* dropout: cl/philox.h */
    uint4 stream;
    int sequences;
} sequence_lists;

static inline int sequence_rows(const sequence_lists *l, int u)
{
    int s = l->block_sequences[u];
    return s < l->sequences ? l->q_begin[s + 1] - l->q_begin[s] : 0;
}

static inline int block_rows(const sequence_lists *l, int t)
{
    int rows = 0;
    for (int u = l->block_begin[t]; u < l->block_begin[t + 1]; u++)
        rows += sequence_rows(l, u);
    return rows;
}

static inline query_cursor cursor_at(const sequence_lists *l, int t, int row)
{
    query_cursor c = {l->block_begin[t], row};
    for (; c.u < l->block_begin[t + 1] && c.row >= sequence_rows(l, c.u); c.u++)
        c.row -= sequence_rows(l, c.u);
    return c;
}

/* The next rows of block t, at most `most`, of head h. */
static inline void next_tile(query_tile *tile, query_cursor *c, const sequence_lists *l, int t, int h,
                             int most, const kv_block *b)
{
    int rows = 0;
    for (; c->u < l->block_begin[t + 1] && rows < most; c->u++, c->row = 0) {
        int s = l->block_sequences[c->u], nq = sequence_rows(l, c->u), taken = min(nq - c->row, most - rows);
        uint2 key = b->threshold ? dropout_key(l->stream, l->ids, s) : (uint2)(0);
        for (int i = 0; i < taken; i++) {
            tile->row[rows + i] = l->q_begin[s] + c->row + i;
            ((uint *)tile->key0)[rows + i] = key.x;
            ((uint *)tile->key1)[rows + i] = key.y;
            ((uint *)tile->index)[rows + i] = (uint)(h * nq + c->row + i) * (uint)b->total + (uint)b->first;
        }
        rows += taken;
        if (c->row + taken < nq) {
            c->row += taken;
            break;
        }
    }
    tile->rows = rows;
    for (int i = rows; i < QUERY_TILE; i++)
        tile->row[i] = tile->row[0];
}

/* to[c] = column c of the tile's rows, times factor; rows not in use are 0. */
static inline void load_transposed(vecf *to, const query_tile *tile, __global const act *from, int stride,
                                   float factor)
{
    for (int z = 0; z < VECTORS; z++)
        for (int c = 0; c < HEAD; c += VEC) {
            vecf v[VEC];
#pragma unroll
            for (int i = 0; i < VEC; i++)
                v[i] = VEC * z + i < tile->rows ? ACT_LOAD(from + (size_t)tile->row[VEC * z + i] * stride + c)
                                                : (vecf)(0.0f);
            transpose_square(v);
#pragma unroll
            for (int i = 0; i < VEC; i++)
                to[VECTORS * (c + i) + z] = v[i] * factor;
        }
}

/* The way back, each row times its factor. */
static inline void store_transposed(__global act *to, int stride, const query_tile *tile, const vecf *from,
                                    const vecf *factor)
{
    for (int z = 0; z < VECTORS; z++)
        for (int c = 0; c < HEAD; c += VEC) {
            vecf v[VEC];
#pragma unroll
            for (int i = 0; i < VEC; i++)
                v[i] = from[VECTORS * (c + i) + z] * factor[z];
            transpose_square(v);
#pragma unroll
            for (int i = 0; i < VEC; i++)
                if (VEC * z + i < tile->rows)
                    ACT_STORE(v[i], to + (size_t)tile->row[VEC * z + i] * stride + c);
        }
}

/* The tile's rows as they lie. */
static inline void load_rows(float *to, const query_tile *tile, __global const act *from, int stride,
                             float factor)
{
    for (int i = 0; i < tile->rows; i++)
        for (int c = 0; c < HEAD; c += VEC)
            VSTORE(ACT_LOAD(from + (size_t)tile->row[i] * stride + c) * factor, to + i * HEAD + c);
}

/* `rows` rows of the head's columns, `stride` apart, made dense and padded; and back. */
static inline void load_dense(__global float *to, __global const act *from, int stride, int rows)
{
    for (int j = 0; j < rows; j++)
        for (int c = 0; c < HEAD; c += VEC)
            VSTORE(ACT_LOAD(from + (size_t)j * stride + c), to + j * HEAD + c);
    for (int c = rows * HEAD; c < padded(rows) * HEAD; c += VEC)
        VSTORE((vecf)(0.0f), to + c);
}

static inline void store_dense(__global act *to, int stride, __global const float *from, int rows)
{
    for (int j = 0; j < rows; j++)
        for (int c = 0; c < HEAD; c += VEC)
            ACT_STORE(VLOAD(from + j * HEAD + c), to + (size_t)j * stride + c);
}

/* s[r][z] = ⟨row r, transposed rows⟩ of TILE dense rows. */
UNROLLED void tile_dots(vecf *s, __global const float *a, const vecf *transposed)
{
#pragma unroll
    for (int r = 0; r < TILE * VECTORS; r++)
        s[r] = (vecf)(0.0f);
#pragma unroll 2
    for (int c = 0; c < HEAD; c++) {
        vecf b[VECTORS];
#pragma unroll
        for (int z = 0; z < VECTORS; z++)
            b[z] = transposed[VECTORS * c + z];
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            vecf x = (vecf)(a[r * HEAD + c]);
#pragma unroll
            for (int z = 0; z < VECTORS; z++)
                s[VECTORS * r + z] = fma(x, b[z], s[VECTORS * r + z]);
        }
    }
}

/* sum[c][i] += Σ_j w[j][i] · b[j][c] over `count` dense rows. */
static inline void accumulate_pv(vecf *sum, const vecf *w, __global const float *b, int count)
{
    for (int c = 0; c < HEAD; c += TILE) {
        vecf s[TILE * VECTORS];
#pragma unroll
        for (int r = 0; r < TILE * VECTORS; r++)
            s[r] = sum[VECTORS * c + r];
        const vecf *from = w;
        __global const float *row = b + c;
        for (int j = 0; j < count; j++, from += VECTORS, row += HEAD) {
            vecf x[VECTORS];
#pragma unroll
            for (int z = 0; z < VECTORS; z++)
                x[z] = from[z];
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                vecf y = (vecf)(row[r]);
#pragma unroll
                for (int z = 0; z < VECTORS; z++)
                    s[VECTORS * r + z] = fma(y, x[z], s[VECTORS * r + z]);
            }
        }
#pragma unroll
        for (int r = 0; r < TILE * VECTORS; r++)
            sum[VECTORS * c + r] = s[r];
    }
}

/* to[j] (+)= Σ_i w[j][i] · b[i] for TILE rows, over `vectors` vectors of the columns and `rows` rows of b.
 * (Loops end at a constant, as not every compiler unrolls those of an argument once it is known.) */
UNROLLED void dkv_tile(__global float *to, const float *w, const float *b, int vectors, int rows,
                       int overwrite)
{
    vecf s[TILE * VECTORS];
#pragma unroll
    for (int r = 0; r < TILE; r++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            s[VECTORS * r + v] = overwrite || v >= vectors ? (vecf)(0.0f) : VLOAD(to + r * HEAD + VEC * v);
    for (int i = 0; i < rows; i++, b += HEAD, w++) {
        vecf x[VECTORS];
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            if (v < vectors)
                x[v] = VLOAD(b + VEC * v);
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            vecf y = (vecf)(w[r * QUERY_TILE]);
#pragma unroll
            for (int v = 0; v < VECTORS; v++)
                if (v < vectors)
                    s[VECTORS * r + v] = fma(y, x[v], s[VECTORS * r + v]);
        }
    }
#pragma unroll
    for (int r = 0; r < TILE; r++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            if (v < vectors)
                VSTORE(s[VECTORS * r + v], to + r * HEAD + VEC * v);
}

/* The same for `count` rows, a multiple of TILE, and all columns. */
static inline void accumulate_dkv(__global float *to, int count, const vecf *weight, const float *b, int rows,
                                  int overwrite)
{
    const float *w = (const float *)weight;
    for (int j = 0; j < count; j += TILE) {
        for (int v = 0; v + VECTORS <= HEAD_VECS; v += VECTORS)
            dkv_tile(to + j * HEAD + VEC * v, w + j * QUERY_TILE, b + VEC * v, VECTORS, rows, overwrite);
#if HEAD / VEC % VECTORS
        dkv_tile(to + j * HEAD + VEC * (HEAD_VECS - HEAD_VECS % VECTORS), w + j * QUERY_TILE,
                 b + VEC * (HEAD_VECS - HEAD_VECS % VECTORS), HEAD_VECS % VECTORS, rows, overwrite);
#endif
    }
}

/* The dropout's factors of the tile's queries z·VEC … at key j of those here. */
static inline vecf query_mask(const query_tile *tile, const kv_block *b, int z, int j)
{
    vecu bits = vec_mask_bits(tile->key0[z], tile->key1[z], tile->index[z] + (vecu)((uint)j));
    return select((vecf)(0.0f), (vecf)(b->kept_scale), bits >= (vecu)(b->threshold));
}
