/* Matrices stored as halves or bfloat16: every kernel that takes them gives what it gives for floats of the
 * same values, but for the rounding of what it stores, and writes nowhere else. */
#include "support/test.h"

#include "base/half.h"
#include "base/memory.h"
#include "ops/adamw.h"
#include "ops/attention.h"
#include "ops/bias.h"
#include "ops/dropout.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/gather.h"
#include "ops/gelu.h"
#include "ops/gemm/gemm.h"
#include "ops/layernorm.h"
#include "ops/patches.h"
#include "ops/probe.h"
#include "ops/region.h"
#include "support/gradient.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MATS = 24, GUARD = 256, MOST_COLUMNS = 129 };

/* One run of an operation: its matrices, in the order of their making. */
typedef struct run {
    laip_device *d;
    laip_store store;
    int count;
    laip_mat mats[MATS];
    laip_ints ints[MATS];
    int int_count;
} run;

/* What is tested now, and a number as it holds it. */
static laip_store store_now;

static float stored_as(laip_store store, float x)
{
    return store == LAIP_STORE_HALF ? laip_half_value(laip_half_from(x))
                                    : laip_bfloat16_value(laip_bfloat16_from(x));
}

static laip_mat make(run *r, size_t rows, size_t cols, double scale, laip_store store)
{
    assert_true(r->count < MATS);
    laip_mat m = {NULL, rows, cols, store};
    size_t n = rows * cols, bytes = laip_mat_bytes(m);
    unsigned char guard[GUARD];
    float *values = laip_test_random(n, scale, (uint64_t)r->count + 1);
    for (size_t i = 0; i < n; i++)
        values[i] = stored_as(store_now, values[i]);
    memset(guard, 0xa5, sizeof guard);
    m.mem = laip_mem_create(r->d, bytes + GUARD, "tested");
    laip_mat_write(r->d, m, values);
    laip_mem_write(r->d, m.mem, bytes, guard, GUARD);
    laip_test_finish(r->d);
    free(values);
    return r->mats[r->count++] = m;
}

static laip_mat act(run *r, size_t rows, size_t cols, double scale) /* stored as the run says */
{
    return make(r, rows, cols, scale, r->store);
}

static laip_mat plain(run *r, size_t rows, size_t cols, double scale)
{
    return make(r, rows, cols, scale, LAIP_STORE_FLOAT);
}

static laip_ints ints(run *r, size_t count, const int32_t *values)
{
    assert_true(r->int_count < MATS);
    return r->ints[r->int_count++] = laip_test_ints(r->d, count, values);
}

static void free_run(run *r)
{
    for (int i = 0; i < r->count; i++)
        laip_mem_release(r->mats[i].mem);
    for (int i = 0; i < r->int_count; i++)
        laip_mem_release(r->ints[i].mem);
}

static void check_guard(run *r, const char *what, int index)
{
    unsigned char guard[GUARD];
    laip_mem_read(r->d, r->mats[index].mem, laip_mat_bytes(r->mats[index]), guard, GUARD);
    for (int i = 0; i < GUARD; i++)
        if (guard[i] != 0xa5)
            fail_msg("%s: byte %d behind matrix %d was written", what, i, index);
}

static void check_equal(const char *what, run *f, run *h, int index)
{
    laip_mat m = f->mats[index];
    size_t n = m.rows * m.cols;
    float *a = laip_test_read(f->d, m), *b = laip_test_read(h->d, h->mats[index]);
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)a[i]));
    for (size_t i = 0; i < n; i++) {
        /* twice what a number is rounded by, as some of these come from others that were stored */
        double allowed = (fabs((double)a[i]) + most) * (store_now == LAIP_STORE_HALF ? 5e-4 : 4e-3);
        if (!(fabs((double)a[i] - (double)b[i]) <= allowed))
            fail_msg("%s: element %zu of matrix %d (%zu x %zu) is %.7g in 16 bits, %.7g in floats", what, i,
                     index, m.rows, m.cols, (double)b[i], (double)a[i]);
    }
    free(a);
    free(b);
}

static void check(laip_device *d, const char *what, void (*body)(run *r))
{
    run f = {.d = d}, h = {.d = d, .store = store_now};
    body(&f);
    body(&h);
    laip_test_finish(d);
    assert_int_equal(f.count, h.count);
    for (int i = 0; i < f.count; i++) {
        check_guard(&f, what, i);
        check_guard(&h, what, i);
        check_equal(what, &f, &h, i);
    }
    free_run(&f);
    free_run(&h);
}

static size_t rows_now, cols_now;

static void elementwise(run *r)
{
    size_t rows = rows_now, cols = cols_now;
    laip_mat x = act(r, rows, cols, 1), y = act(r, rows, cols, 1), z = act(r, rows, cols, 1);
    laip_mat db = plain(r, 1, cols, 1), wide = plain(r, rows, cols, 1), partials;
    laip_gelu_forward(r->d, y, x);
    laip_gelu_backward(r->d, z, z, x);
    partials = laip_mat_create(r->d, 1, laip_bias_partials(r->d, rows, cols));
    laip_bias_gradient(r->d, db, x, partials);
    laip_mem_release(partials.mem);
    laip_convert(r->d, wide, z);
    laip_convert(r->d, x, wide);
    laip_mat zero = act(r, rows, cols, 1), erased = act(r, rows, cols, 1), copied = act(r, rows, cols, 1);
    laip_clear(r->d, zero);
    laip_mat_zero(r->d, erased);
    laip_mat_copy(r->d, copied, y);
}

static void norm(run *r)
{
    size_t rows = rows_now, cols = cols_now;
    laip_mat x = act(r, rows, cols, 1), y = act(r, rows, cols, 1), dy = act(r, rows, cols, 1);
    laip_mat dx = act(r, rows, cols, 1), added = act(r, rows, cols, 1);
    laip_mat weight = plain(r, 1, cols, 1), bias = plain(r, 1, cols, 1), stats = plain(r, rows, 2, 1);
    laip_mat dweight = plain(r, 1, cols, 1), dbias = plain(r, 1, cols, 1), none = {0};
    laip_mat partials = laip_mat_create(r->d, 1, laip_layernorm_partials(r->d, rows, cols));
    laip_layernorm_forward(r->d, y, stats, x, weight, bias, 1e-6f);
    laip_layernorm_backward(r->d, dx, false, dweight, dbias, dy, x, stats, weight, partials);
    laip_layernorm_backward(r->d, added, true, none, none, dy, x, stats, weight, partials);
    laip_test_finish(r->d);
    laip_mem_release(partials.mem);
}

static void rows_by_index(run *r)
{
    enum { FROM = 7, TO = 5 };
    static const int32_t index[TO] = {3, -1, 0, 6, 3}, target[] = {0, 3, 6}, begin[] = {0, 1, 3, 4},
                         source[] = {2, 0, 4, 3};
    size_t cols = cols_now;
    laip_mat x = act(r, FROM, cols, 1), y = act(r, TO, cols, 1), sum = act(r, FROM, cols, 1),
             gradient = plain(r, FROM, cols, 1);
    laip_ints i = ints(r, TO, index), t = ints(r, 3, target), b = ints(r, 4, begin), s = ints(r, 4, source);
    laip_gather_rows(r->d, y, x, i);
    laip_scatter_rows(r->d, sum, y, t, b, s, 3);
    laip_scatter_rows(r->d, gradient, y, t, b, s, 3);
    laip_mat word = act(r, FROM, cols, 1), place = plain(r, FROM, cols, 1), type = plain(r, 2, cols, 1);
    laip_mat e = act(r, 3, cols, 1);
    laip_embedding_forward(r->d, e, t, t, word, place, type);
    static const int32_t first[] = {0, 2, TO}, of[TO] = {0, 0, 1, 1, 1}, key[] = {5, 6, 7, 8};
    laip_mat dropped = act(r, TO, cols, 1), added = act(r, TO, cols, 1);
    laip_ints row = ints(r, TO, of), start = ints(r, 3, first), keys = ints(r, 4, key);
    laip_dropout_mask mask = {row, start, keys, laip_rng_fold(1, 2, 3), 0.3f};
    laip_dropout(r->d, dropped, y, (laip_mat){0}, &mask);
    laip_dropout(r->d, added, y, dropped, &mask);
}

static void pictures(run *r)
{
    enum { IMAGES = 2, SIDE = 12, PATCH = 3, P = 16 };
    laip_mat pixels = plain(r, IMAGES, 3 * SIDE * SIDE, 1),
             columns = act(r, IMAGES * P, 3 * PATCH * PATCH, 1);
    laip_patches(r->d, columns, pixels, SIDE, SIDE, PATCH);
    size_t cols = cols_now;
    laip_mat patches = act(r, IMAGES * P, cols, 1), cls = plain(r, 1, cols, 1),
             places = plain(r, P + 1, cols, 1);
    laip_mat x = act(r, IMAGES * (P + 1), cols, 1), dpatches = act(r, IMAGES * P, cols, 1);
    laip_mat dcls = plain(r, 1, cols, 1), dplaces = plain(r, P + 1, cols, 1);
    laip_image_tokens_forward(r->d, x, patches, cls, places);
    laip_image_tokens_backward(r->d, dpatches, dcls, dplaces, x);
    static const int32_t owner[] = {0, 1, 1}, first[] = {0, 1, 3};
    laip_ints own = ints(r, 3, owner), begin = ints(r, IMAGES + 1, first);
    laip_mat weight = plain(r, 3, P, 0.1), total = plain(r, 3, 2, 1), back = plain(r, 3, P, 1),
             dfore = plain(r, 3, P, 1);
    laip_mat region = act(r, 3, cols, 1), dregion = act(r, 3, cols, 0.1), dimage = act(r, x.rows, cols, 1);
    laip_region_pool(r->d, region, weight, x, own);
    laip_region_backward(r->d, dfore, dimage, dregion,
                         &(laip_region){.weight = weight,
                                        .total = total,
                                        .back = back,
                                        .image = x,
                                        .owner = own,
                                        .first = begin,
                                        .images = IMAGES});
}

typedef struct gemm_case {
    bool ta, tb, half_a, half_b, half_c;
    size_t m, n, k;
    int ends; /* 1: bias, GELU and its input; 2: bias and residual; 3: added to C */
} gemm_case;
static gemm_case gemm_now;

static void product(run *r)
{
    const gemm_case *g = &gemm_now;
    laip_mat a =
        make(r, g->ta ? g->k : g->m, g->ta ? g->m : g->k, 1, g->half_a ? r->store : LAIP_STORE_FLOAT);
    laip_mat b = make(r, g->tb ? g->n : g->k, g->tb ? g->k : g->n, 1 / sqrt((double)g->k),
                      g->half_b ? r->store : LAIP_STORE_FLOAT);
    laip_mat c = make(r, g->m, g->n, 1, g->half_c ? r->store : LAIP_STORE_FLOAT), bias = plain(r, 1, g->n, 1);
    laip_mat other = make(r, g->m, g->n, 1, g->half_c ? r->store : LAIP_STORE_FLOAT), none = {0};
    laip_epilogue e = {.bias = g->ends == 1 || g->ends == 2 ? bias : none,
                       .activation = g->ends == 1 ? LAIP_GELU : LAIP_LINEAR,
                       .pre = g->ends == 1 ? other : none,
                       .residual = g->ends == 2 ? other : none};
    laip_gemm(r->d, g->ta, g->tb, 0.5f, a, b, g->ends == 3 ? 1 : 0, c, g->ends == 3 ? NULL : &e);
}

static void products(laip_device *d, const char *gemm)
{
    static const size_t sizes[][3] = {{1, 1, 1},    {13, 33, 17},   {12, 32, 16},    {25, 64, 769},
                                      {97, 31, 40}, {20, 64, 5000}, {20, 161, 5000}, {25, 161, 71},
                                      {0, 3, 2},    {5, 7, 0}};
    laip_gemm_force(d, gemm);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int bits = 1; bits < 8; bits++)
            for (int ends = 0; ends < 4; ends++) {
                bool ta = (bits + ends) % 2, tb = (bits / 2 + ends / 2 + (int)s) % 2;
                gemm_now = (gemm_case){ta,          tb,          bits & 1,    bits & 2, bits & 4,
                                       sizes[s][0], sizes[s][1], sizes[s][2], ends};
                char what[96];
                snprintf(what, sizeof what, "%s: %zux%zux%zu, ends %d, halves %d, transposed %d%d", gemm,
                         sizes[s][0], sizes[s][1], sizes[s][2], ends, bits, ta, tb);
                check(d, what, product);
            }
}

typedef struct sides {
    int head, heads;
    int32_t q[4], k[4];
    float dropout;
} sides;
static sides sides_now;

static void attend(run *r)
{
    const sides *s = &sides_now;
    static const int32_t of[] = {0, 1, 1}, block_sequences_begin[] = {0, 1, 3}, block_sequences[] = {0, 1, 2},
                         key[] = {1, 2, 3, 4, 5, 6};
    size_t D = (size_t)s->head * (size_t)s->heads;
    size_t queries = (size_t)s->q[3], keys = (size_t)s->k[2], longest = 0, block = 0;
    double pairs = 0;
    for (int i = 0; i < 3; i++) {
        size_t n = (size_t)(s->q[i + 1] - s->q[i]), m = (size_t)(s->k[of[i] + 1] - s->k[of[i]]);
        longest = n > longest ? n : longest;
        block = m > block ? m : block;
        pairs += (double)(n * m);
    }
    laip_mat q = act(r, queries, D + 4, 1), kv = act(r, keys, 2 * D, 1), o = act(r, queries, D, 1);
    laip_mat lse = plain(r, queries, (size_t)s->heads, 1), dout = act(r, queries, D, 1);
    laip_mat dq = act(r, queries, D + 4, 1), dkv = act(r, keys, 2 * D, 1), fore = plain(r, 3, block - 1, 1);
    laip_attention a = {.heads = s->heads,
                        .head_size = s->head,
                        .sequences = 3,
                        .blocks = 2,
                        .query_rows = queries,
                        .key_rows = keys,
                        .longest_query = longest,
                        .longest_block = block,
                        .q_begin = ints(r, 4, s->q),
                        .kv_of = ints(r, 3, of),
                        .k_begin = ints(r, 3, s->k),
                        .block_sequences_begin = ints(r, 3, block_sequences_begin),
                        .block_sequences = ints(r, 3, block_sequences),
                        .ids = ints(r, 6, key),
                        .dropout = s->dropout,
                        .score_count = pairs};
    laip_mat scratch =
        laip_mat_create(r->d, 1, laip_attention_scratch(r->d, s->heads, s->head, queries, 2, block));
    laip_heads hq = {q, 4}, hk = {kv, 0}, hv = {kv, D};
    laip_attention_forward(r->d, &a, o, lse, hq, hk, hv);
    laip_attention_backward(r->d, &a,
                            &(laip_attention_gradients){.dq = {dq, 4},
                                                        .dk = {dkv, 0},
                                                        .dv = {dkv, D},
                                                        .dout = dout,
                                                        .q = hq,
                                                        .k = hk,
                                                        .v = hv,
                                                        .o = o,
                                                        .lse = lse,
                                                        .scratch = scratch});
    if (s->k[1] - s->k[0] == s->k[2] - s->k[1]) { /* probes want blocks of equal length */
        laip_mat g = act(r, 3, D, 1), back = plain(r, 3, block - 1, 1), dfore = plain(r, 3, block - 1, 1);
        laip_mat scores = laip_mat_create(r->d, 3 * (size_t)s->heads, block);
        laip_probe_forward(r->d, &a, 3, fore, hq, hk, lse);
        laip_probe_backward_attention(r->d, &a, 3, back, g, hv);
        laip_probe_gradient(r->d, &a, 3, dfore, (laip_heads){dq, 4}, (laip_heads){dkv, 0}, hq, hk, lse,
                            scores);
        laip_test_finish(r->d);
        laip_mem_release(scores.mem);
    }
    laip_test_finish(r->d);
    laip_mem_release(scratch.mem);
}

static void attention(laip_device *d)
{
    static const sides all[] = {
        {16, 2, {0, 1, 18, 35}, {0, 33, 66}, 0},      /* few queries */
        {32, 3, {0, 40, 41, 98}, {0, 99, 198}, 0},    /* queries as elements */
        {64, 8, {0, 33, 66, 70}, {0, 97, 120}, 0.2f}, /* the backward in one pass */
        {7, 1, {0, 2, 5, 9}, {0, 5, 10}, 0},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char what[64];
        sides_now = all[i];
        snprintf(what, sizeof what, "attention, heads %d of %d", all[i].heads, all[i].head);
        check(d, what, attend);
    }
}

/* The masters' values, which split again into the same two numbers. */
static void join(run *r, laip_mat high, laip_mat low, float *values)
{
    uint16_t bits[2][MOST_COLUMNS];
    laip_mem_read(r->d, high.mem, 0, bits[0], high.cols * sizeof **bits);
    laip_mem_read(r->d, low.mem, 0, bits[1], low.cols * sizeof **bits);
    for (size_t i = 0; i < high.cols; i++) {
        laip_split_float s = {bits[0][i], bits[1][i]}, again;
        bool halves = r->store == LAIP_STORE_HALF;
        values[i] = halves ? laip_float_join(s) : laip_bfloat16_join(s);
        again = halves ? laip_float_split(values[i]) : laip_bfloat16_split(values[i]);
        assert_int_equal(again.high, s.high);
        if (!halves || (s.low | again.low) & 0x7fff) /* a half may be -0 */
            assert_int_equal(again.low, s.low);
    }
}

static void masters(run *r)
{
    laip_mat p = act(r, 1, cols_now, 1), m = act(r, 1, cols_now, 1);
    laip_mat g = plain(r, 1, cols_now, 1), first = plain(r, 1, cols_now, 1),
             second = plain(r, 1, cols_now, 0);
    laip_mat low[2] = {{0}, {0}};
    for (int i = 0; i < 2 && r->store; i++) {
        low[i] = laip_mat_create_stored(r->d, 1, cols_now, r->store);
        laip_mat_zero(r->d, low[i]);
    }
    laip_adamw o = {.lr = 1e-5f, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f};
    float values[LAIP_REPORT_SIZE] = {0};
    values[LAIP_REPORT_FACTOR] = 1;
    values[LAIP_REPORT_INVERSE1] = 10;
    values[LAIP_REPORT_INVERSE2] = 1000;
    laip_mat report = plain(r, 1, LAIP_REPORT_SIZE, 1);
    laip_mat_write(r->d, report, values);
    laip_mat before = plain(r, 1, cols_now, 1), after = plain(r, 1, cols_now, 1),
             moved = plain(r, 1, cols_now, 1);
    float *x = laip_test_read(r->d, p), *y = laip_test_read(r->d, m);
    laip_mat_write(r->d, before, x);
    /* far smaller than a half of 1 tells apart: only the masters see it */
    for (int i = 0; i < 5; i++)
        laip_adamw_step(r->d, p, low[0], g, first, second, report, &o);
    laip_ema_update(r->d, m, low[1], p, low[0], 0.999f);
    laip_mat *targets[] = {&after, &moved};
    laip_mat now[] = {p, m};
    for (int k = 0; k < 2; k++) {
        laip_mat_read(r->d, now[k], y);
        if (r->store)
            join(r, now[k], low[k], y);
        for (size_t i = 0; i < cols_now; i++) {
            y[i] = (y[i] - (k ? 0 : x[i])) * (k ? 1 : 1e3f); /* of the step what is left of it */
        }
        laip_mat_write(r->d, *targets[k], y);
    }
    laip_test_finish(r->d);
    laip_mem_release(low[0].mem);
    laip_mem_release(low[1].mem);
    free(x);
    free(y);
}

/* Half of 1 + 2^-9 - 2^-22 and 1 + 2^-10: a hair below the tie of two halves, to which the low half rounds
 * up.  What both then hold belongs to the even one of the two. */
static void tie(laip_device *d)
{
    enum { N = 37 };
    laip_mat all[4];
    const float values[4] = {1 + 0x1p-9f, -0x1p-10f, 1 + 0x1p-10f, 0}, expected[2] = {1 + 0x1p-9f, -2};
    float x[N];
    for (int k = 0; k < 4; k++) {
        all[k] = laip_mat_create_stored(d, 1, N, LAIP_STORE_HALF);
        for (int i = 0; i < N; i++)
            x[i] = values[k];
        laip_mat_write(d, all[k], x);
    }
    laip_ema_update(d, all[0], all[1], all[2], all[3], 0.5f);
    for (int k = 0; k < 2; k++) {
        laip_mat_read(d, all[k], x);
        laip_test_finish(d);
        for (int i = 0; i < N; i++)
            if (x[i] != expected[k])
                fail_msg("half %d of master %d is %.9g, expected %.9g", k, i, (double)x[i],
                         (double)expected[k]);
    }
    for (int k = 0; k < 4; k++)
        laip_mem_release(all[k].mem);
}

/* In one kind of numbers of 16 bits. */
static void in_store(laip_device *d, laip_store store)
{
    static const size_t sizes[][2] = {{1, 1}, {3, 7}, {5, 16}, {37, 96}, {33, 129}};
    store_now = store;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        rows_now = sizes[i][0];
        cols_now = sizes[i][1];
        check(d, "elementwise", elementwise);
        check(d, "layernorm", norm);
        check(d, "rows by index", rows_by_index);
        check(d, "pictures", pictures);
        check(d, "masters", masters);
    }
    tie(d);
    const laip_traits *t = laip_device_traits(d);
    if (t->lanes > 1 || t->vector > 4) /* vectors of 4 are loaded as a graphics device's are */
        attention(d);
    if (t->lanes == 1 && t->vector < 16)
        return; /* products have vectors of their own */
    products(d, "clblast");
    if (t->lanes == 1)
        products(d, "packed");
}

static void body(laip_device *d)
{
    in_store(d, LAIP_STORE_HALF);
    in_store(d, LAIP_STORE_BFLOAT16);
}

static void all(void **state)
{
    (void)state;
    laip_test_shapes(body);
}

static void refused(void **state)
{
    laip_error error;
    laip_device *d;
    (void)state;
    assert_ok(laip_device_open(&d, NULL, 0, &error), error);
    laip_mat x = laip_mat_create(d, 2, 3), y = laip_mat_create_stored(d, 2, 3, LAIP_STORE_HALF);
    laip_gelu_forward(d, y, x);
    assert_false(laip_device_ok(d, &error));
    assert_non_null(strstr(error.text, "gelu_forward"));
    laip_mem_release(x.mem);
    laip_mem_release(y.mem);
    laip_device_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refused), cmocka_unit_test(all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
