/* The matrix product against double precision: transpositions, sizes, epilogues. */
#include "support/test.h"

#include "base/memory.h"
#include "ops/gemm/internal.h"
#include "support/device.h"
#include "support/dropout.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WITH_BIAS = 1, WITH_GELU = 2, WITH_PRE = 4, WITH_RESIDUAL = 8, WITH_BETA = 16, WITH_DROPOUT = 32 };

typedef struct problem {
    bool ta, tb;
    size_t m, n, k;
    float alpha;
    int with;
} problem;

typedef struct operands {
    float *a, *b, *c, *bias, *residual;
    laip_mat ma, mb, mc, mbias, mpre, mresidual;
    laip_test_mask mask;
} operands;

static operands make(laip_device *d, const problem *p)
{
    operands o = {.a = laip_test_random(p->m * p->k + 1, 1, 1), .b = laip_test_random(p->k * p->n + 1, 1, 2)};
    o.c = laip_test_random(p->m * p->n, 1, 3);
    o.bias = laip_test_random(p->n, 1, 4);
    o.residual = laip_test_random(p->m * p->n, 1, 5);
    if (!(p->with & WITH_BETA)) /* what C holds must not matter, not even if it is no number */
        for (size_t i = 0; i < p->m * p->n; i++)
            o.c[i] = NAN;
    o.ma = laip_test_mat(d, p->ta ? p->k : p->m, p->ta ? p->m : p->k, o.a);
    o.mb = laip_test_mat(d, p->tb ? p->n : p->k, p->tb ? p->k : p->n, o.b);
    o.mc = laip_test_mat(d, p->m, p->n, o.c);
    o.mbias = laip_test_mat(d, 1, p->n, o.bias);
    o.mpre = laip_test_mat(d, p->m, p->n, o.residual);
    o.mresidual = laip_test_mat(d, p->m, p->n, o.residual);
    if (p->with & WITH_DROPOUT)
        o.mask = laip_test_mask_create(d, p->m, p->n, 0.1f);
    return o;
}

static void release(operands *o)
{
    float *host[] = {o->a, o->b, o->c, o->bias, o->residual};
    laip_mat *mats[] = {&o->ma, &o->mb, &o->mc, &o->mbias, &o->mpre, &o->mresidual};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
    for (size_t i = 0; i < sizeof mats / sizeof *mats; i++)
        laip_mem_release(mats[i]->mem);
    laip_test_mask_free(&o->mask);
}

/* The expected C, and what was there before the activation. */
static void expect(const problem *p, const operands *o, double *c, double *pre)
{
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            double sum = 0;
            for (size_t q = 0; q < p->k; q++)
                sum += (double)(p->ta ? o->a[q * p->m + i] : o->a[i * p->k + q]) *
                       (double)(p->tb ? o->b[j * p->k + q] : o->b[q * p->n + j]);
            double x = (double)p->alpha * sum + (p->with & WITH_BIAS ? (double)o->bias[j] : 0);
            pre[i * p->n + j] = x;
            if (p->with & WITH_GELU)
                x = 0.5 * x * (1 + erf(x / sqrt(2)));
            x *= p->with & WITH_DROPOUT ? o->mask.factor[i * p->n + j] : 1;
            x += p->with & WITH_RESIDUAL ? (double)o->residual[i * p->n + j] : 0;
            c[i * p->n + j] = x + (p->with & WITH_BETA ? (double)o->c[i * p->n + j] : 0);
        }
}

static void near_all(const problem *p, const float *got, const double *want, const char *what)
{
    /* partial sums of k products grow like their root, and each is rounded */
    double bound = 1.2e-6 * (4 + sqrt((double)p->k)) + 5e-8 * (double)p->k;
    for (size_t i = 0; i < p->m * p->n; i++)
        if (!(fabs((double)got[i] - want[i]) <= bound * fmax(1, fabs(want[i]))))
            fail_msg("%s of %s%s %zu x %zu x %zu, ends %d: element (%zu, %zu) is %.9g, expected %.9g", what,
                     p->ta ? "T" : "N", p->tb ? "T" : "N", p->m, p->n, p->k, p->with, i / p->n, i % p->n,
                     (double)got[i], want[i]);
}

static void try(laip_device *d, problem p)
{
    if (p.alpha == 0)
        p.alpha = 1;
    operands o = make(d, &p);
    laip_epilogue e = {.activation = p.with & WITH_GELU ? LAIP_GELU : LAIP_LINEAR};
    if (p.with & WITH_BIAS)
        e.bias = o.mbias;
    if (p.with & WITH_PRE)
        e.pre = o.mpre;
    if (p.with & WITH_RESIDUAL)
        e.residual = o.mresidual;
    if (p.with & WITH_DROPOUT)
        e.dropout = &o.mask.mask;
    laip_gemm(d, p.ta, p.tb, p.alpha, o.ma, o.mb, p.with & WITH_BETA ? 1 : 0, o.mc, &e);
    float *got = laip_test_read(d, o.mc), *got_pre = laip_test_read(d, o.mpre);
    double *c = laip_alloc(p.m * p.n, sizeof *c), *pre = laip_alloc(p.m * p.n, sizeof *pre);
    expect(&p, &o, c, pre);
    near_all(&p, got, c, "product");
    if (p.with & WITH_PRE)
        near_all(&p, got_pre, pre, "value before the activation");
    free(got);
    free(got_pre);
    free(c);
    free(pre);
    release(&o);
}

static const int ends[] = {
    0,
    WITH_BETA,
    WITH_BIAS,
    WITH_RESIDUAL,
    WITH_BIAS | WITH_RESIDUAL,
    WITH_BIAS | WITH_GELU,
    WITH_BIAS | WITH_GELU | WITH_PRE,
    WITH_BIAS | WITH_GELU | WITH_PRE | WITH_RESIDUAL,
    WITH_BIAS | WITH_DROPOUT | WITH_RESIDUAL,
};
enum { ENDS = sizeof ends / sizeof *ends };

static void all_transpositions(laip_device *d, size_t m, size_t n, size_t k, int with)
{
    for (int t = 0; t < 4; t++)
        try(d, (problem){.ta = t & 1, .tb = t & 2, .m = m, .n = n, .k = k, .with = with});
}

static bool is_tile(const laip_gemm_implementation *row)
{
    return row->family && strcmp(row->family, "packed") == 0;
}

/* Every tile, those too that this device would not choose: 1 and 2, one short of and past a tile, primes, and
 * sizes of several tiles; all transpositions and epilogues. */
static void tiles(void **state)
{
    laip_device *d = laip_test_packed_device();
    (void)state;
    for (const laip_gemm_implementation *row = laip_gemm_table; row->name; row++) {
        if (!is_tile(row))
            continue;
        size_t mr = (size_t)row->tile.rows, nr = (size_t)row->tile.columns, v = (size_t)row->tile.vector;
        const size_t m[] = {1, mr - 1, mr, mr + 1, 2 * mr, 3 * mr + 2, 53};
        const size_t n[] = {1, nr - 1, nr, nr + 1, 2 * nr, 2 * nr + v + 1, 71};
        const size_t k[] = {1, v - 1, v, v + 1, 29, 257};
        laip_gemm_force(d, row->name);
        for (size_t i = 0; i < 42; i++)
            all_transpositions(d, m[i % 7], n[(i + i / 7) % 7], k[i % 6], ends[i % ENDS]);
        all_transpositions(d, 2 * mr + 1, 5 * nr + 1, 3079, WITH_BETA);
        laip_gemm_state_of(d)->depth = 64; /* blocks of k, which a device may choose as short */
        for (int i = 0; i < ENDS; i++)
            all_transpositions(d, mr + 1, 5 * nr - 1, 173, ends[i]);
        laip_gemm_state_of(d)->depth = 0;
    }
    laip_gemm_force(d, "auto");
}

/* The same on numbers of 16 bits against the reference on the same, which rounds only what it writes. */
static void like_reference(laip_device *d, const laip_gemm_implementation *row, size_t m, size_t n, size_t k,
                           int bits, laip_store stored)
{
    bool ta = bits & 1, tb = bits & 2, half[3] = {bits & 4, bits & 8, bits & 16};
    laip_mat x[4];
    for (int i = 0; i < 4; i++) {
        size_t rows = i    ? i == 1 ? tb ? n : k : m
                      : ta ? k
                           : m,
               cols = i    ? i == 1 ? tb ? k : n : n
                      : ta ? m
                           : k;
        x[i] = laip_mat_create_stored(d, rows, cols, half[i < 2 ? i : 2] ? stored : LAIP_STORE_FLOAT);
        float *values = laip_test_random(rows * cols, 1, (uint64_t)(i < 2 ? i : 2));
        laip_mat_write(d, x[i], values);
        free(values);
    }
    for (int i = 0; i < 2; i++) {
        laip_gemm_force(d, i ? row->name : "reference");
        laip_gemm(d, ta, tb, 0.5f, x[0], x[1], bits & 32 ? 1 : 0, x[2 + i], NULL);
    }
    float *want = laip_test_read(d, x[2]), *got = laip_test_read(d, x[3]);
    for (size_t i = 0; i < m * n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= (!half[2]                    ? 3e-5
                                                         : stored == LAIP_STORE_HALF ? 1.2e-3
                                                                                     : 9.6e-3) *
                                                            fmax(1, fabs((double)want[i]))))
            fail_msg("%s, %zu x %zu x %zu, bits %d: element %zu is %.9g, the reference has %.9g", row->name,
                     m, n, k, bits, i, (double)got[i], (double)want[i]);
    free(want);
    free(got);
    for (int i = 0; i < 4; i++)
        laip_mem_release(x[i].mem);
}

static void tiles_on_halves(void **state)
{
    laip_device *d = laip_test_packed_device();
    (void)state;
    for (const laip_gemm_implementation *row = laip_gemm_table; row->name; row++) {
        if (!is_tile(row))
            continue;
        size_t mr = (size_t)row->tile.rows, nr = (size_t)row->tile.columns;
        bool own =
            strcmp(row->name, laip_test_products(d)) == 0; /* in all mixtures, the rest all in halves */
        for (int bits = 0; bits < 64; bits++)
            for (int one = 0; one < 2 && (own || (bits & 28) == 28); one++)
                like_reference(d, row, one ? 1 : 2 * mr + 3, one ? nr : 2 * nr + 5, 35, bits,
                               bits & 1 ? LAIP_STORE_HALF : LAIP_STORE_BFLOAT16);
    }
    laip_gemm_force(d, "auto");
}

/* The plain product, on both kinds of kernels, and where nothing else serves. */
static void reference_product(void **state)
{
    (void)state;
    for (int narrow = 0; narrow < 2; narrow++) {
        laip_test_device_close();
        if (narrow)
            setenv("LAIP_SHAPE", "gpu", 1);
        laip_device *d = laip_test_device();
        laip_gemm_force(d, "reference");
        for (int i = 0; i < ENDS; i++)
            all_transpositions(d, i % 2 ? 1 : 13, 33, 67, ends[i]);
        laip_test_device_close();
        unsetenv("LAIP_SHAPE");
    }
}

static void packed(void **state)
{
    laip_device *d = laip_test_packed_device();
    static const size_t sides[] = {1, 2, 11, 13, 17, 32, 33, 100};
    enum { SIDES = sizeof sides / sizeof *sides };
    (void)state;
    for (size_t i = 0; i < SIDES * SIDES; i++) /* m and n in all pairs, k goes along */
        all_transpositions(d, sides[i % SIDES], sides[i / SIDES], sides[(i + i / SIDES) % SIDES],
                           ends[i % ENDS]);
    for (int i = 0; i < ENDS; i++) { /* several blocks of k, and of rows */
        all_transpositions(d, 37, 67, 1549, ends[i]);
        all_transpositions(d, 257, 257, 31, ends[i]);
    }
    all_transpositions(d, 12, 64, 6151, WITH_BETA); /* as a weight gradient; k in three blocks */
    all_transpositions(d, 1, 768, 769, WITH_BIAS);
    /* Columns enough for the product to pack B itself, with few units and with many: in blocks of k, in more
     * than one band of rows, and for as many columns as the vocabulary has. */
    all_transpositions(d, 12, 161, 6151, WITH_BETA);
    for (int t = 0; t < 2; t++)
        try(d, (problem){.tb = t, .m = 1213, .n = 161, .k = 3072, .alpha = 0.25f, .with = WITH_BIAS});
    all_transpositions(d, 61, 4099, 37, WITH_BIAS | WITH_RESIDUAL);
    all_transpositions(d, 25, 31503, 100, WITH_BIAS);
    try(d, (problem){.m = 14, .n = 40, .k = 300, .alpha = -0.37f, .with = WITH_BETA});
    try(d, (problem){.m = 14, .n = 40, .k = 300, .tb = true, .alpha = 3, .with = WITH_BIAS});
}

static void nothing_to_sum(void **state)
{
    laip_device *d = laip_test_device();
    (void)state;
    try(d, (problem){.m = 5, .n = 7, .k = 0, .with = WITH_BIAS | WITH_GELU | WITH_PRE});
    try(d, (problem){.m = 5, .n = 7, .k = 0, .with = WITH_BETA});
    try(d, (problem){.m = 5, .n = 7, .k = 0, .with = WITH_BIAS | WITH_DROPOUT | WITH_RESIDUAL});
    laip_mat none = laip_test_mat(d, 0, 3, NULL), b = laip_test_mat(d, 3, 4, NULL),
             c = laip_test_mat(d, 0, 4, NULL);
    laip_device_reset_counters(d);
    laip_gemm(d, false, false, 1, none, b, 0, c, NULL);
    laip_test_finish(d);
    assert_int_equal(laip_device_counters(d)->launches, 0);
    laip_mem_release(none.mem);
    laip_mem_release(b.mem);
    laip_mem_release(c.mem);
}

/* Operands that lie in sub-buffers, as all of the network's do.  CLBlast's strided batched product is wrong,
 * with status 0, for offsets and strides that need no packing; plain products at offset 0 of a sub-buffer
 * must be right. */
static void in_sub_buffers(laip_device *d, size_t m, size_t n, size_t k)
{
    size_t bytes[3] = {m * k * sizeof(float), k * n * sizeof(float), m * n * sizeof(float)};
    size_t step = 4096, place[3] = {step, 0, 0};
    for (int i = 1; i < 3; i++)
        place[i] = place[i - 1] + (bytes[i - 1] + 2 * step - 1) / step * step;
    laip_mem whole = laip_mem_create(d, place[2] + bytes[2] + step, "operands");
    laip_mat parts[3] = {{NULL, m, k, false}, {NULL, k, n, false}, {NULL, m, n, false}};
    problem p = {.m = m, .n = n, .k = k, .alpha = 1};
    operands o = make(d, &p);
    for (int i = 0; i < 3; i++) {
        parts[i].mem = laip_mem_part(d, whole, place[i], bytes[i], "operand");
        laip_mat_write(d, parts[i], i == 0 ? o.a : i == 1 ? o.b : o.c);
    }
    laip_gemm(d, false, false, 1, parts[0], parts[1], 0, parts[2], NULL);
    float *got = laip_test_read(d, parts[2]);
    double *c = laip_alloc(m * n, sizeof *c), *pre = laip_alloc(m * n, sizeof *pre);
    expect(&p, &o, c, pre);
    near_all(&p, got, c, "product in sub-buffers");
    free(got);
    free(c);
    free(pre);
    release(&o);
    for (int i = 0; i < 3; i++)
        laip_mem_release(parts[i].mem);
    laip_mem_release(whole);
}

static void clblast_cases(laip_device *d)
{
    laip_gemm_force(d, "clblast");
    all_transpositions(d, 13, 33, 19, 0);
    for (int i = 0; i < ENDS; i++)
        try(d, (problem){.ta = i & 1, .tb = i & 2, .m = 7, .n = 37, .k = 24, .with = ends[i]});
    in_sub_buffers(d, 128, 128, 128);
    in_sub_buffers(d, 33, 17, 29);
}

/* Both shapes of our epilogue, and CLBlast's kernels for large products too. */
static void clblast(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    clblast_cases(d);
    laip_test_device_close();
    setenv("LAIP_SHAPE", "gpu", 1);
    d = laip_test_device();
    clblast_cases(d);
    try(d, (problem){.tb = true, .m = 257, .n = 513, .k = 96, .with = WITH_BIAS | WITH_GELU | WITH_PRE});
    try(d, (problem){.ta = true, .m = 257, .n = 513, .k = 96, .with = WITH_BETA});
    laip_gemm_force(d, "packed");
    laip_error error;
    assert_false(laip_device_ok(d, &error));
    laip_test_device_close();
    unsetenv("LAIP_SHAPE");
}

static int no_device(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

static void refusals(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        laip_test_device_close();
        laip_device *d = laip_test_device();
        laip_mat a = laip_mat_create(d, 2, 3), b = laip_mat_create(d, 3, 4), c = laip_mat_create(d, 2, 4);
        laip_epilogue e = {.bias = i == 1 ? laip_rows(b, 1) : b, .residual = i == 1 ? b : (laip_mat){0}};
        if (i == 0)
            laip_gemm(d, false, true, 1, a, b, 0, c, NULL);
        else
            laip_gemm(d, false, false, 1, a, b, 0, c, &e);
        laip_error error;
        assert_false(laip_device_finish(d, &error));
        assert_non_null(strstr(error.text, i == 0 ? "sizes do not agree" : i == 1 ? "residual" : "bias"));
        laip_mem_release(a.mem);
        laip_mem_release(b.mem);
        laip_mem_release(c.mem);
    }
    laip_test_device_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(packed),          cmocka_unit_test(tiles),
                                       cmocka_unit_test(tiles_on_halves), cmocka_unit_test(reference_product),
                                       cmocka_unit_test(nothing_to_sum),  cmocka_unit_test(refusals),
                                       cmocka_unit_test(clblast)};
    return cmocka_run_group_tests(tests, NULL, no_device);
}
