/* What attention on a matrix unit does with rows and tiles: attention_unit.cl. */
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
#define MOST_TILES SUM_TILES(FORWARD_ROWS)
/* DO(i) for a wave's tiles of `rows` rows: with constants, as unit_slab.h says. */
#define DO_TILE(DO, i)                                                                                       \
    if ((i) < SUM_TILES(rows))                                                                               \
    DO(i)
#define DO_TWO_TILES(DO, i) DO_TILE(DO, i) DO_TILE(DO, (i) + 1)
#define DO_FOUR_TILES(DO, i) DO_TWO_TILES(DO, i) DO_TWO_TILES(DO, (i) + 2)
#if MOST_TILES == 1
#define FOR_TILES(DO) DO_TILE(DO, 0)
#elif MOST_TILES == 2
#define FOR_TILES(DO) DO_TWO_TILES(DO, 0)
#elif MOST_TILES == 4
#define FOR_TILES(DO) DO_FOUR_TILES(DO, 0)
#elif MOST_TILES == 8
#define FOR_TILES(DO) DO_FOUR_TILES(DO, 0) DO_FOUR_TILES(DO, 4)
#else
#error attention_unit.cl: tiles of a wave
#endif
#if defined MU_BF16 || defined MU_F16 || defined MU_TF32
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

/* DO(e, of) for the item's vectors of four in a float8 x, x.of: two, or one. */
#if MU_EACH == 2
#define FOR_HALVES(DO) DO(0, lo) DO(1, hi)
#else
#define FOR_HALVES(DO) DO(0, lo)
#endif

/* scores[rows × SPAN] = own · otherᵀ */
static inline MU_ALWAYS void dots(__local float4 *scores, int rows, __local const uint4 *own,
                                  __local const uint4 *other)
{
    int lane = get_local_id(0) % MU_LANES, wave = get_local_id(0) / MU_LANES;
    for (int t = wave; t < rows / MU_M * (SPAN / MU_N); t += WAVES) {
        int row = t / (SPAN / MU_N) * MU_M, col = t % (SPAN / MU_N) * MU_N;
        mu_sums s = (mu_sums)(0.0f);
#pragma unroll MU_UNROLL
        for (int c = 0; c < CHUNKS; c++)
#pragma unroll MU_UNROLL
            for (int part = 0; part < MU_PARTS; part++)
                s = mu_mad(mu_load_a(own + c * 4 * rows, row, part, lane),
                           mu_load_b(other + c * 4 * SPAN, col, part, lane), s);
#define KEEP_SCORE(i)                                                                                        \
    {                                                                                                        \
        int r = row + mu_row(0x##i, lane), c = col + mu_col(0x##i, lane);                                    \
        ((__local float *)(scores + score_at(rows, r, c / EACH, c / 4 % MU_EACH)))[c % 4] = s.s##i;          \
    }
        MU_FOR_SUMS(KEEP_SCORE)
#undef KEEP_SCORE
    }
}

static inline MU_ALWAYS void clear_tiles(mu_sums *sums, int rows)
{
#define CLEAR(i) sums[i] = (mu_sums)(0.0f);
    FOR_TILES(CLEAR)
#undef CLEAR
}

/* The wave's tile i: its first row, and column. */
static inline MU_ALWAYS int tile_row(int rows, int i)
{
    return (get_local_id(0) / MU_LANES * SUM_TILES(rows) + i) / ACROSS * MU_M;
}
static inline MU_ALWAYS int tile_col(int rows, int i)
{
    return (get_local_id(0) / MU_LANES * SUM_TILES(rows) + i) % ACROSS * MU_N;
}

static inline MU_ALWAYS mu_sums accumulate_tile(mu_sums s, int row, int col, __local const float4 *weights,
                                                __local const uint4 *transposed, __local const float *shrink)
{
    int lane = get_local_id(0) % MU_LANES;
    if (shrink) {
#define SHRINK(q) s.s##q *= shrink[row + mu_row(0x##q, lane)];
        MU_FOR_SUMS(SHRINK)
#undef SHRINK
    }
#pragma unroll MU_UNROLL
    for (int part = 0; part < MU_PARTS; part++)
        s = mu_mad(mu_load_a((__local const uint4 *)weights, row, part, lane),
                   mu_load_b(transposed, col, part, lane), s);
    return s;
}

/* sums += weights[rows × SPAN] · transposed[WIDTH × SPAN]ᵀ, after their rows were multiplied by shrink (NULL:
 * not) */
static inline MU_ALWAYS void accumulate_pv(mu_sums *sums, int rows, __local const float4 *weights,
                                           __local const uint4 *transposed, __local const float *shrink)
{
#define ACCUMULATE(i)                                                                                        \
    sums[i] = accumulate_tile(sums[i], tile_row(rows, i), tile_col(rows, i), weights, transposed, shrink);
    FOR_TILES(ACCUMULATE)
#undef ACCUMULATE
}

/* Own rows of `valid` times factor[row] (NULL: all times scale). */
static inline MU_ALWAYS void write_tile(__global void *to, size_t first, int stride, mu_sums s, int row,
                                        int col, int valid, __local const float *factor, float scale)
{
    int lane = get_local_id(0) % MU_LANES;
#define WRITE_ONE(q)                                                                                         \
    {                                                                                                        \
        int r = row + mu_row(0x##q, lane), c = col + mu_col(0x##q, lane);                                    \
        if (r < valid && c < HEAD)                                                                           \
            store_one(to, STORE, first + (size_t)r * stride + c, s.s##q * (factor ? factor[r] : scale));     \
    }
    MU_FOR_SUMS(WRITE_ONE)
#undef WRITE_ONE
}

static inline MU_ALWAYS void write_rows(__global void *to, size_t first, int stride, const mu_sums *sums,
                                        int rows, int valid, __local const float *factor, float scale)
{
#define WRITE(i)                                                                                             \
    write_tile(to, first, stride, sums[i], tile_row(rows, i), tile_col(rows, i), valid, factor, scale);
    FOR_TILES(WRITE)
#undef WRITE
}

static inline float4 below(float4 x, int first, int count, float other)
{
    int4 lane = (int4)(first, first + 1, first + 2, first + 3);
    return select((float4)(other), x, lane < (int4)(count));
}

/* from[i · stride] of four, 0 beyond `valid`. */
static inline MU_ALWAYS float4 four(__global const float *from, int stride, int valid)
{
    return (float4)(valid > 0 ? from[0] : 0.0f, valid > 1 ? from[stride] : 0.0f,
                    valid > 2 ? from[2 * stride] : 0.0f, valid > 3 ? from[3 * stride] : 0.0f);
}

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
    int lane = get_local_id(0) % MU_LANES;
#define REST_OF(q) sum_parts(rest, row + mu_row(0x##q, lane)) / sum_parts(all, row + mu_row(0x##q, lane))
#define TAKE_REST(q) sums_i.s##q -= REST_OF(q) * others_i.s##q;
#define TAKE_RESTS(i)                                                                                        \
    {                                                                                                        \
        int row = tile_row(rows, i);                                                                         \
        mu_sums sums_i = sums[i], others_i = others[i];                                                      \
        MU_FOR_SUMS(TAKE_REST)                                                                               \
        sums[i] = sums_i;                                                                                    \
    }
    FOR_TILES(TAKE_RESTS)
#undef TAKE_RESTS
}
#endif
