/* From numbers as they are stored to a matrix unit's rows in local memory, and back: `store` is
 * LAIP_STORED_FLOAT, _HALF or _BFLOAT16, a constant wherever these are called. */

/* Four neighbours from number `at` on, of which `valid` are there, 0 for the rest: floats in all of the
 * vector, 16 bits in its first half.  aligned: they lie at a multiple of their size. */
static inline MU_ALWAYS uint4 load_four(__global const void *from, int store, size_t at, int valid,
                                        bool aligned)
{
    if (store == LAIP_STORED_FLOAT) {
        __global const uint *p = (__global const uint *)from + at;
        if (valid >= 4)
            return aligned ? *(__global const uint4 *)p : vload4(0, p);
        return (uint4)(valid > 0 ? p[0] : 0u, valid > 1 ? p[1] : 0u, valid > 2 ? p[2] : 0u, 0u);
    }
    __global const ushort *p = (__global const ushort *)from + at;
    if (valid >= 4 && aligned)
        return (uint4)(*(__global const uint2 *)p, 0u, 0u);
    ushort4 x =
        (ushort4)(valid > 0 ? p[0] : 0, valid > 1 ? p[1] : 0, valid > 2 ? p[2] : 0, valid > 3 ? p[3] : 0);
    return (uint4)(as_uint2(x), 0u, 0u);
}

/* Eight neighbours of 16 bits. */
static inline MU_ALWAYS uint4 load_eight(__global const void *from, size_t at, int valid, bool aligned)
{
    if (valid >= 8 && aligned)
        return *(__global const uint4 *)((__global const ushort *)from + at);
    return (uint4)(load_four(from, LAIP_STORED_HALF, at, valid, false).xy,
                   load_four(from, LAIP_STORED_HALF, at + 4, valid - 4, false).xy);
}

/* The numbers of load_four. */
static inline MU_ALWAYS float4 widen(uint4 x, int store)
{
    if (store == LAIP_STORED_FLOAT)
        return as_float4(x);
    if (store == LAIP_STORED_BFLOAT16)
        return as_float4((uint4)(x.x << 16, x.x & 0xffff0000u, x.y << 16, x.y & 0xffff0000u));
    ushort4 bits = as_ushort4(x.xy);
    return vload_half4(0, (const half *)&bits);
}

/* To number `at` and its neighbours, `valid` of the four. */
static inline MU_ALWAYS void store_four(__global void *to, int store, size_t at, float4 x, int valid,
                                        bool aligned)
{
    if (store == LAIP_STORED_FLOAT) {
        __global float *p = (__global float *)to + at;
        if (valid >= 4 && aligned) {
            *(__global float4 *)p = x;
            return;
        }
        float each[4];
        vstore4(x, 0, each);
        for (int i = 0; i < 4; i++)
            if (i < valid)
                p[i] = each[i];
        return;
    }
    __global ushort *p = (__global ushort *)to + at;
    uint2 pairs = store == LAIP_STORED_BFLOAT16 ? (uint2)(mu_bfloat_pair(x.x, x.y), mu_bfloat_pair(x.z, x.w))
                                                : (uint2)(mu_half_pair(x.x, x.y), mu_half_pair(x.z, x.w));
    if (valid >= 4 && aligned) {
        *(__global uint2 *)p = pairs;
        return;
    }
    ushort each[4];
    vstore4(as_ushort4(pairs), 0, each);
    for (int i = 0; i < 4; i++)
        if (i < valid)
            p[i] = each[i];
}

static inline MU_ALWAYS void store_one(__global void *to, int store, size_t at, float x)
{
    if (store == LAIP_STORED_FLOAT)
        ((__global float *)to)[at] = x;
    else if (store == LAIP_STORED_BFLOAT16)
        ((__global ushort *)to)[at] = (ushort)mu_bfloat(x);
    else
        ((__global ushort *)to)[at] = (ushort)mu_half_pair(x, 0.0f);
}

/* Of two words the two lower halves, and the two upper ones. */
static inline MU_ALWAYS uint lows(uint first, uint second)
{
    return (first & 0xffffu) | second << 16;
}
static inline MU_ALWAYS uint highs(uint first, uint second)
{
    return first >> 16 | (second & 0xffff0000u);
}

/* Four rows by 4 · MU_EACH of k as they are stored, in vectors of four numbers (halves: in x.xy); but eight
 * neighbours of a row, of 16 bits, are one vector.
 *
 * Indices into it are constants as they are written, not as a loop unrolls: Intel's compiler takes private
 * arrays apart before it unrolls, and what it cannot take apart then may end in memory. */
typedef struct block {
    uint4 x[4 * MU_EACH];
} block;

#define FOR_FOUR(DO) DO(0) DO(1) DO(2) DO(3)
#if MU_EACH == 2
#define FOR_BLOCK(DO) FOR_FOUR(DO) DO(4) DO(5) DO(6) DO(7)
#else
#define FOR_BLOCK(DO) FOR_FOUR(DO)
#endif

static inline MU_ALWAYS void fetch(block *f, __global const void *from, int store, bool rows, bool aligned,
                                   size_t first, int stride, int row, int row_end, int k, int k_end)
{
    if (rows && store != LAIP_STORED_FLOAT && MU_EACH == 2) {
#define OF_ROW(i)                                                                                            \
    f->x[i] = row + i < row_end                                                                              \
                  ? load_eight(from, first + (size_t)(row + i) * stride + k, k_end - k, aligned)             \
                  : (uint4)(0u);
        FOR_FOUR(OF_ROW)
#undef OF_ROW
    } else if (rows) {
#define OF_ROW(i)                                                                                            \
    f->x[i] =                                                                                                \
        row + i / MU_EACH < row_end                                                                          \
            ? load_four(from, store, first + (size_t)(row + i / MU_EACH) * stride + k + 4 * (i % MU_EACH),   \
                        k_end - k - 4 * (i % MU_EACH), aligned)                                              \
            : (uint4)(0u);
        FOR_BLOCK(OF_ROW)
#undef OF_ROW
    } else {
#define OF_COLUMN(i)                                                                                         \
    f->x[i] = k + i < k_end                                                                                  \
                  ? load_four(from, store, first + (size_t)(k + i) * stride + row, row_end - row, aligned)   \
                  : (uint4)(0u);
        FOR_BLOCK(OF_COLUMN)
#undef OF_COLUMN
    }
}

/* Of a block of columns of k, the sum over k: of each of its four rows. */
static inline MU_ALWAYS float4 sum_of(const block *f, int store)
{
    float4 sum = (float4)(0.0f);
#define ADD(i) sum += widen(f->x[i], store);
    FOR_BLOCK(ADD)
#undef ADD
    return sum;
}

/* How the unit's own numbers are stored. */
#if defined MU_F16 && MU_EACH == 2
#define MU_STORE LAIP_STORED_HALF
#elif defined MU_BF16 && MU_EACH == 2
#define MU_STORE LAIP_STORED_BFLOAT16
#else
#define MU_STORE 0
#endif

/* To rows `row` … row + 3, vector v, of the slab. */
static inline MU_ALWAYS void keep(__local uint4 *slab, const block *f, int store, bool rows, int row, int v)
{
    const uint4 *x = f->x;
    if (store == MU_STORE && rows) {
#define MOVE(i) slab[mu_at(row + i, v)] = x[i];
        FOR_FOUR(MOVE)
#undef MOVE
    } else if (store == MU_STORE) {
#if MU_EACH == 2
        slab[mu_at(row, v)] =
            (uint4)(lows(x[0].x, x[1].x), lows(x[2].x, x[3].x), lows(x[4].x, x[5].x), lows(x[6].x, x[7].x));
        slab[mu_at(row + 1, v)] = (uint4)(highs(x[0].x, x[1].x), highs(x[2].x, x[3].x), highs(x[4].x, x[5].x),
                                          highs(x[6].x, x[7].x));
        slab[mu_at(row + 2, v)] =
            (uint4)(lows(x[0].y, x[1].y), lows(x[2].y, x[3].y), lows(x[4].y, x[5].y), lows(x[6].y, x[7].y));
        slab[mu_at(row + 3, v)] = (uint4)(highs(x[0].y, x[1].y), highs(x[2].y, x[3].y), highs(x[4].y, x[5].y),
                                          highs(x[6].y, x[7].y));
#endif
    } else if (rows) {
        bool eight = store != LAIP_STORED_FLOAT && MU_EACH == 2;
#define CONVERT(i)                                                                                           \
    slab[mu_at(row + i, v)] =                                                                                \
        mu_pack(widen(eight ? (uint4)(x[i].xy, 0u, 0u) : x[MU_EACH * i], store),                             \
                widen(eight ? (uint4)(x[i].zw, 0u, 0u) : x[MU_EACH * i + MU_EACH - 1], store));
        FOR_FOUR(CONVERT)
#undef CONVERT
    } else {
        float4 y[4 * MU_EACH];
#define WIDEN(i) y[i] = widen(x[i], store);
        FOR_BLOCK(WIDEN)
#undef WIDEN
        const float4 *z = y + 4 * (MU_EACH - 1);
        slab[mu_at(row, v)] =
            mu_pack((float4)(y[0].x, y[1].x, y[2].x, y[3].x), (float4)(z[0].x, z[1].x, z[2].x, z[3].x));
        slab[mu_at(row + 1, v)] =
            mu_pack((float4)(y[0].y, y[1].y, y[2].y, y[3].y), (float4)(z[0].y, z[1].y, z[2].y, z[3].y));
        slab[mu_at(row + 2, v)] =
            mu_pack((float4)(y[0].z, y[1].z, y[2].z, y[3].z), (float4)(z[0].z, z[1].z, z[2].z, z[3].z));
        slab[mu_at(row + 3, v)] =
            mu_pack((float4)(y[0].w, y[1].w, y[2].w, y[3].w), (float4)(z[0].w, z[1].w, z[2].w, z[3].w));
    }
}
