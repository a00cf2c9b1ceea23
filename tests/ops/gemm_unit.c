/* The product on a matrix unit against double precision: every unit that runs anywhere (the plain one, and
 * those that do what mma.sync and mfma do with their registers), their kinds of numbers, transpositions,
 * tiles, slices of k, storage and ends; and what a device's unit is. */
#include "support/test.h"

#include "base/half.h"
#include "base/memory.h"
#include "ops/gemm/unit.h"
#include "support/device.h"
#include "support/dropout.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct problem {
    bool ta, tb;
    bool short_a, short_b, short_c; /* stored in 16 bits: as halves, or as bfloat16 for units of it */
    size_t m, n, k;
    float alpha, beta;
    int ends; /* bits of ops/gemm/internal.h */
    laip_unit_plan plan;
} problem;

/* The kind's nearest number. */
static double rounded(float x, const char *kind)
{
    uint32_t u;
    if (strcmp(kind, "F16") == 0)
        return (double)laip_half_value(laip_half_from(x));
    memcpy(&u, &x, sizeof u);
    if (strcmp(kind, "BF16") == 0)
        u = (u + 0x7fffu + (u >> 16 & 1u)) & 0xffff0000u;
    if (strcmp(kind, "TF32") == 0)
        u = (u + 0x1000u) & 0xffffe000u;
    memcpy(&x, &u, sizeof x);
    return (double)x;
}

static laip_mat stored(laip_device *d, size_t rows, size_t cols, float *values, laip_store store)
{
    laip_mat m = laip_mat_create_stored(d, rows, cols, store);
    laip_mat_write(d, m, values);
    laip_mat_read(d, m, values); /* as they are now */
    return m;
}

typedef struct operands {
    float *a, *b, *c, *bias, *residual, *row_sums;
    laip_test_mask mask;
    laip_product p;
} operands;

static operands make(laip_device *d, const laip_unit *unit, const problem *q)
{
    laip_store less = strcmp(unit->kind, "BF16") == 0 ? LAIP_STORE_BFLOAT16 : LAIP_STORE_HALF;
    laip_store store_c = q->short_c ? less : LAIP_STORE_FLOAT;
    operands o = {.a = laip_test_random(q->m * q->k, 1, 1), .b = laip_test_random(q->k * q->n, 1, 2)};
    o.c = laip_test_random(q->m * q->n, 1, 3);
    o.bias = laip_test_random(q->n, 1, 4);
    o.residual = laip_test_random(q->m * q->n, 1, 5);
    o.row_sums = laip_test_random(q->m, 1, 6);
    laip_mat none = {0};
    o.p = (laip_product){.transpose_a = q->ta,
                         .transpose_b = q->tb,
                         .m = q->m,
                         .n = q->n,
                         .k = q->k,
                         .alpha = q->alpha,
                         .beta = q->beta};
    o.p.a = stored(d, q->ta ? q->k : q->m, q->ta ? q->m : q->k, o.a, q->short_a ? less : LAIP_STORE_FLOAT);
    o.p.b = stored(d, q->tb ? q->n : q->k, q->tb ? q->k : q->n, o.b, q->short_b ? less : LAIP_STORE_FLOAT);
    if (q->beta == 0) /* what C holds must not matter */
        for (size_t i = 0; i < q->m * q->n; i++)
            o.c[i] = NAN;
    o.p.c = stored(d, q->m, q->n, o.c, store_c);
    o.p.epilogue = (laip_epilogue){
        .bias = q->ends & LAIP_HAS_BIAS ? stored(d, 1, q->n, o.bias, LAIP_STORE_FLOAT) : none,
        .activation = q->ends & LAIP_HAS_GELU ? LAIP_GELU : LAIP_LINEAR,
        .pre = q->ends & LAIP_HAS_PRE ? stored(d, q->m, q->n, o.residual, store_c) : none,
        .residual = q->ends & LAIP_HAS_RESIDUAL ? stored(d, q->m, q->n, o.residual, store_c) : none,
        .slope_of = q->ends & LAIP_HAS_SLOPE ? stored(d, q->m, q->n, o.residual, store_c) : none};
    if (q->ends & LAIP_HAS_DROPOUT)
        o.mask = laip_test_mask_create(d, q->m, q->n, 0.3f);
    if (q->ends & LAIP_HAS_ROW_SUMS)
        o.p.epilogue.row_sums = (laip_row_sums){.to = stored(d, 1, q->m, o.row_sums, LAIP_STORE_FLOAT),
                                                .first_skipped = q->m / 4,
                                                .skipped = q->m / 3};
    return o;
}

static void release(operands *o)
{
    float *host[] = {o->a, o->b, o->c, o->bias, o->residual, o->row_sums};
    laip_mem mems[] = {o->p.a.mem,
                       o->p.b.mem,
                       o->p.c.mem,
                       o->p.epilogue.bias.mem,
                       o->p.epilogue.pre.mem,
                       o->p.epilogue.residual.mem,
                       o->p.epilogue.slope_of.mem,
                       o->p.epilogue.row_sums.to.mem};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
    for (size_t i = 0; i < sizeof mems / sizeof *mems; i++)
        laip_mem_release(mems[i]);
    laip_test_mask_free(&o->mask);
}

static void compare(const laip_unit *unit, const problem *q, const operands *o, const float *got,
                    const float *pre)
{
    double bound = (!q->short_c                       ? 1.5e-6
                    : o->p.c.store == LAIP_STORE_HALF ? 6e-4
                                                      : 4.8e-3) *
                   (4 + sqrt((double)q->k));
    for (size_t i = 0; i < q->m; i++)
        for (size_t j = 0; j < q->n; j++) {
            double x = 0;
            for (size_t k = 0; k < q->k; k++)
                x += rounded(q->ta ? o->a[k * q->m + i] : o->a[i * q->k + k], unit->kind) *
                     rounded(q->tb ? o->b[j * q->k + k] : o->b[k * q->n + j], unit->kind);
            size_t at = i * q->n + j;
            x = (double)q->alpha * x + (q->ends & LAIP_HAS_BIAS ? (double)o->bias[j] : 0);
            double before = x;
            if (q->ends & LAIP_HAS_GELU)
                x = 0.5 * x * (1 + erf(x / sqrt(2)));
            if (q->ends & LAIP_HAS_SLOPE) {
                double r = (double)o->residual[at];
                x *= 0.5 * (1 + erf(r / sqrt(2))) + r * exp(-0.5 * r * r) / sqrt(2 * acos(-1));
            }
            x *= q->ends & LAIP_HAS_DROPOUT ? o->mask.factor[at] : 1;
            x += q->ends & LAIP_HAS_RESIDUAL ? (double)o->residual[at] : 0;
            x += q->beta != 0 ? (double)o->c[at] : 0;
            bool good = fabs((double)got[at] - x) <= bound * fmax(1, fabs(x));
            if (!good || (pre && !(fabs((double)pre[at] - before) <= bound * fmax(1, fabs(before)))))
                fail_msg("%s, %s, tile %d, %d slices: %s%s %zu x %zu x %zu, ends %d, in 16 bits %d%d%d: "
                         "(%zu, %zu) is "
                         "%.9g, expected %.9g",
                         unit->options, unit->kind, q->plan.tile, q->plan.slices, q->ta ? "T" : "N",
                         q->tb ? "T" : "N", q->m, q->n, q->k, q->ends, q->short_a, q->short_b, q->short_c, i,
                         j, (double)(good ? pre : got)[at], good ? before : x);
        }
}

/* After so many products. */
static void compare_row_sums(laip_device *d, const laip_unit *unit, const problem *q, const operands *o,
                             int times)
{
    const laip_row_sums *s = &o->p.epilogue.row_sums;
    float *got = laip_test_read(d, s->to);
    for (size_t i = 0; i < q->m; i++) {
        double want = (double)o->row_sums[i];
        for (size_t k = 0; k < q->k && (i < s->first_skipped || i >= s->first_skipped + s->skipped); k++)
            want += times * (double)o->a[k * q->m + i];
        if (!(fabs((double)got[i] - want) <= 1e-5 * (1 + fabs(want))))
            fail_msg("%s, tile %d, %d slices: row sum %zu is %.9g, expected %.9g", unit->options,
                     q->plan.tile, q->plan.slices, i, (double)got[i], want);
    }
    free(got);
}

static void try(laip_device *d, const laip_unit *unit, problem q)
{
    operands o = make(d, unit, &q);
    o.p.epilogue.dropout = q.ends & LAIP_HAS_DROPOUT ? &o.mask.mask : NULL;
    float *got[2], *pre = NULL;
    for (int i = 0; i < 2; i++) { /* the same bits twice, when nothing is added to C */
        if (q.beta == 0 || i == 0)
            laip_unit_product(d, &o.p, unit, q.plan);
        got[i] = laip_test_read(d, o.p.c);
    }
    assert_memory_equal(got[0], got[1], q.m * q.n * sizeof(float));
    if (q.ends & LAIP_HAS_PRE)
        pre = laip_test_read(d, o.p.epilogue.pre);
    compare(unit, &q, &o, got[0], pre);
    if (q.ends & LAIP_HAS_ROW_SUMS)
        compare_row_sums(d, unit, &q, &o, q.beta == 0 ? 2 : 1);
    free(got[0]);
    free(got[1]);
    free(pre);
    release(&o);
}

enum {
    GELU = LAIP_HAS_BIAS | LAIP_HAS_GELU | LAIP_HAS_PRE,
    DROPS = LAIP_HAS_BIAS | LAIP_HAS_DROPOUT | LAIP_HAS_RESIDUAL,
    CASES = 11
};

/* Products that between them have every transposition, ragged sides, sides of whole vectors, slices, storage
 * and all ends.  Each compiles a kernel for each unit and kind: without `everything` the cases are shared
 * out. */
static const problem cases[CASES] = {
    {.tb = true, .m = 70, .n = 136, .k = 100, .alpha = 1, .ends = GELU, .plan = {64, 1}},
    {.m = 67, .n = 77, .k = 203, .alpha = 0.5f, .ends = DROPS, .plan = {128, 3}},
    {.ta = true,
     .m = 136,
     .n = 68,
     .k = 149,
     .alpha = 1,
     .beta = 1,
     .ends = LAIP_HAS_ROW_SUMS,
     .plan = {64, 2}},
    {.ta = true, .tb = true, .m = 5, .n = 131, .k = 33, .alpha = 1, .plan = {128, 1}},
    {.tb = true,
     .m = 67,
     .n = 132,
     .k = 65,
     .alpha = 1,
     .ends = LAIP_HAS_BIAS | LAIP_HAS_RESIDUAL,
     .plan = {64, 1}},
    {.tb = true,
     .short_a = true,
     .short_b = true,
     .short_c = true,
     .m = 70,
     .n = 72,
     .k = 104,
     .alpha = 1,
     .ends = GELU | DROPS,
     .plan = {64, 1}},
    {.short_a = true,
     .short_b = true,
     .short_c = true,
     .m = 33,
     .n = 77,
     .k = 51,
     .alpha = 1,
     .beta = 1,
     .plan = {64, 2}},
    {.ta = true,
     .short_a = true,
     .short_b = true,
     .m = 72,
     .n = 68,
     .k = 45,
     .alpha = 1,
     .ends = LAIP_HAS_ROW_SUMS,
     .plan = {128, 1}},
    {.ta = true, .short_b = true, .m = 35, .n = 36, .k = 45, .alpha = 1, .plan = {64, 1}},
    {.m = 67, .n = 77, .k = 33, .alpha = 1, .ends = LAIP_HAS_SLOPE, .plan = {128, 1}},
    {.short_a = true,
     .short_b = true,
     .short_c = true,
     .m = 70,
     .n = 72,
     .k = 104,
     .alpha = 1,
     .ends = LAIP_HAS_SLOPE,
     .plan = {64, 2}}};
static bool everything;

static void each_unit(void **state)
{
    static const char *const names[] = {"plain", "rounded", "emulated32", "emulated64"};
    laip_device *d = *state;
    int turn = 0;
    for (int i = 0; i < 4; i++)
        for (int precision = 0; precision < (i ? 4 : 1); precision++) {
            laip_unit unit;
            assert_true(laip_unit_named(d, names[i], (laip_precision)precision, &unit));
            for (int c = 0; c < CASES; c++)
                if (everything || (c + turn) % 5 == 0) {
                    problem p = cases[c];
                    try(d, &unit, p);
                    if (everything) {
                        p.plan.tile = 192 - p.plan.tile;
                        try(d, &unit, p);
                    }
                }
            turn++;
        }
}

/* No unit here but by name; then products go to it, within what the precision promises. */
static void choosing(void **state)
{
    laip_device *d = *state;
    laip_unit unit;
    assert_false(laip_unit_named(d, "mfma", LAIP_PRECISION_TF32, &unit));
    assert_false(laip_unit_named(d, "wmma11", LAIP_PRECISION_FP32, &unit));
    assert_false(laip_unit_named(d, "none", LAIP_PRECISION_FP32, &unit));
    assert_true(laip_unit_named(d, "dpas8", LAIP_PRECISION_BF16, &unit));
    assert_int_equal(unit.lanes, 8);
    assert_true(laip_unit_of(d, LAIP_PRECISION_FP32)->lanes > 0);
    laip_test_finish(d); /* whatever was tried left no error */
    laip_unit_plan one = laip_unit_plan_of(d, 7501, 3072, 768), thin = laip_unit_plan_of(d, 16, 16, 8192);
    assert_int_equal(one.tile, 128);
    assert_int_equal(one.slices, 1);
    assert_true(laip_device_traits(d)->units == 1 || thin.tile == 64 || thin.slices > 1);
}

static int open_device(void **state)
{
    laip_error error;
    laip_device *d;
    setenv("LAIP_SHAPE", "gpu", 1);
    assert_ok(laip_device_open(&d, NULL, 0, &error), error);
    *state = d;
    return 0;
}

static int close_device(void **state)
{
    laip_device_close(*state);
    return 0;
}

/* gemm_unit all: every case with every unit, kind and tile, some minutes. */
int main(int argc, char **argv)
{
    everything = argc > 1 && strcmp(argv[1], "all") == 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(choosing, open_device, close_device),
                                       cmocka_unit_test_setup_teardown(each_unit, open_device, close_device)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
