/* Paired differences, their intervals and Holm's correction, by cases whose answers are known. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "eval/experiment.h"
#include "eval/paired.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void near(double x, double expected, double by)
{
    if (!(fabs(x - expected) <= by))
        fail_msg("%.6f, expected %.6f", x, expected);
}

static void holm(void **state)
{
    (void)state;
    double p[] = {0.01, 0.04, 0.03, 0.005}; /* Holm's own scheme: 4 p, 3 p, 2 p, p, never falling */
    laip_paired_holm(p, 4);
    near(p[3], 0.02, 1e-12);
    near(p[0], 0.03, 1e-12);
    near(p[2], 0.06, 1e-12);
    near(p[1], 0.06, 1e-12);
    double one[] = {0.7, 0.6};
    laip_paired_holm(one, 2);
    near(one[0], 1, 0);
    near(one[1], 1, 0);
    laip_paired_holm(NULL, 0);
}

/* Two units of 4 and 6 captions; two seeds; b has one run that a lacks. */
static void means(void **state)
{
    (void)state;
    double captions[] = {4, 6}, right[5][2] = {{4, 3}, {2, 3}, {1, 3}, {2, 2}, {0, 0}};
    laip_paired_units u = {2, captions};
    laip_paired_run of_a[] = {{1, 0, right[0]}, {2, 0, right[1]}},
                    of_b[] = {{2, 0, right[2]}, {3, 0, right[4]}, {1, 0, right[3]}};
    laip_paired_row a = {"a", of_a, 2}, b = {"b", of_b, 3};
    near(laip_paired_accuracy(&u, &of_a[0]), 70, 1e-12);
    near(laip_paired_mean(&u, &a), 60, 1e-12);
    laip_paired_difference d = laip_paired_compare(&u, &a, &b, 4000, 3);
    assert_int_equal(d.seeds, 2);
    assert_int_equal(d.runs, 2);
    near(d.mean, 20, 1e-12); /* 70 − 40 and 50 − 40 */
    /* the ends of all resamples: seed 2 twice on the second unit, 0; seed 1 twice on the first, 50 */
    near(d.low, 0, 1e-9);
    near(d.high, 50, 1e-9);
    laip_paired_difference again = laip_paired_compare(&u, &a, &b, 4000, 3),
                           other = laip_paired_compare(&u, &b, &a, 4000, 3);
    assert_true(again.low == d.low && again.high == d.high && again.p == d.p);
    near(other.mean, -20, 1e-12);
    near(other.low, -d.high, 1e-9);
    laip_paired_row none = {"none", NULL, 0};
    assert_int_equal(laip_paired_compare(&u, &a, &none, 100, 1).seeds, 0);
}

/* One seed: the interval over units of one caption each is that of a proportion. */
static void units_alone(void **state)
{
    (void)state;
    enum { N = 400 };
    double captions[N], right[N], zero[N];
    for (int i = 0; i < N; i++) {
        captions[i] = 1;
        right[i] = i % 4 == 0; /* a quarter: 25 ± 1.96 · sqrt(0.25 · 0.75 / 400) */
        zero[i] = 0;
    }
    laip_paired_units u = {N, captions};
    laip_paired_run of_a[] = {{1, 0, right}}, of_b[] = {{1, 0, zero}};
    laip_paired_row a = {"a", of_a, 1}, b = {"b", of_b, 1};
    laip_paired_difference d = laip_paired_compare(&u, &a, &b, 10000, 1);
    near(d.mean, 25, 1e-12);
    near(d.low, 25 - 4.24, 0.3);
    near(d.high, 25 + 4.24, 0.3);
    near(d.p, 2.0 / 10001, 1e-9);
    /* what both get right cancels, however much of it there is */
    d = laip_paired_compare(&u, &a, &a, 100, 1);
    near(d.high - d.low, 0, 0);
    near(d.p, 1, 0);
}

/* Seeds that disagree widen the interval, though their units agree wholly: ±10 of 100, four seeds. */
static void seeds_alone(void **state)
{
    (void)state;
    double captions[] = {100}, right[4][1] = {{60}, {40}, {60}, {40}}, base[] = {50};
    laip_paired_units u = {1, captions};
    laip_paired_run of_a[4], of_b[4];
    for (int i = 0; i < 4; i++) {
        of_a[i] = (laip_paired_run){i, 0, right[i]};
        of_b[i] = (laip_paired_run){i, 0, base};
    }
    laip_paired_row a = {"a", of_a, 4}, b = {"b", of_b, 4};
    laip_paired_difference d = laip_paired_compare(&u, &a, &b, 10000, 1);
    near(d.mean, 0, 1e-12);
    near(d.low, -10, 1e-9); /* all four of one kind: 1 in 16 of the resamples either way */
    near(d.high, 10, 1e-9);
    assert_true(d.p > 0.9);
    assert_int_equal(laip_paired_judge(&d, d.p, 2), LAIP_PAIRED_OPEN);
}

static void verdicts(void **state)
{
    (void)state;
    laip_paired_difference d = {3, 6, 2.5, 1.2, 3.9, 0.001};
    assert_int_equal(laip_paired_judge(&d, 0.003, 2), LAIP_PAIRED_BETTER);
    assert_int_equal(laip_paired_judge(&d, 0.06, 2), LAIP_PAIRED_OPEN); /* not after the correction */
    d = (laip_paired_difference){3, 6, -2.5, -3.9, -1.2, 0.001};
    assert_int_equal(laip_paired_judge(&d, 0.003, 2), LAIP_PAIRED_WORSE);
    d = (laip_paired_difference){3, 6, 0.2, -1.9, 1.9, 0.8};
    assert_int_equal(laip_paired_judge(&d, 0.8, 2), LAIP_PAIRED_NO_EFFECT);
    assert_int_equal(laip_paired_judge(&d, 0.8, 1.5), LAIP_PAIRED_OPEN);
    d = (laip_paired_difference){2, 8, 2.5, 1.2, 3.9, 0.001};
    assert_int_equal(laip_paired_judge(&d, 0.001, 2), LAIP_PAIRED_OPEN); /* two seeds say nothing of seeds */
    d = (laip_paired_difference){0, 0, 0, 0, 0, 1};
    assert_int_equal(laip_paired_judge(&d, 1, 2), LAIP_PAIRED_OPEN); /* nothing was run: nothing is said */
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void refused(const char *list, const char *text, const char *expected)
{
    laip_experiment e;
    laip_error error;
    write_text(list, text);
    assert_false(laip_experiment_read(&e, list, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    if (!strstr(error.text, expected))
        fail_msg("%s, expected %s", error.text, expected);
}

static void lists(void **state)
{
    (void)state;
    const char *names[] = {"list", "a.json", "b.json", "c.json"};
    char *folder = laip_test_folder("paired"), *path[4];
    for (int i = 0; i < 4; i++)
        path[i] = laip_path_join(folder, names[i]);
    write_text(path[1], "{\"groups\":[[7,6,1,2,3],[9,6,4,5,6]],"
                        "\"binding_families\":[[7,6,2,3,4],[9,6,5,6,6]]}");
    write_text(path[2], "{\"groups\":[[12,4,1,1,1]],\"binding_families\":[[12,4,2,2,2]]}");
    write_text(path[3], "{\"groups\":[[7,6,1,2,3],[9,5,4,5,5]]}");
    write_text(path[0],
               "# row seed repetition files\nbase 1 0 a.json b.json\n\nnew 1 0 b.json a.json # again\n");
    laip_experiment e;
    laip_error error;
    laip_arena arena = {0};
    laip_paired_units units;
    laip_paired_row *rows;
    assert_ok(laip_experiment_read(&e, path[0], &error), error);
    assert_true(e.families);
    assert_int_equal(laip_experiment_rows(&e, LAIP_METRIC_MATCHING, &arena, &units, &rows), 2);
    assert_int_equal(units.count, 3);
    near(units.captions[2], 4, 0);
    near(rows[1].runs[0].right[0], 2, 0);
    near(laip_paired_mean(&units, &rows[0]), 100 * 8.0 / 16, 1e-12);
    laip_experiment_rows(&e, LAIP_METRIC_HAT_AND_BAG, &arena, &units, &rows);
    near(laip_paired_mean(&units, &rows[0]), 100 * 12.0 / 16, 1e-12);
    laip_experiment_free(&e);
    laip_arena_free(&arena);
    refused(path[0], "base 1 0 a.json\nbase 1 0 a.json\n",
            "list:2: base, seed 1, repetition 0 is there twice");
    refused(path[0], "base 1 0 a.json\nnew 1 0 c.json\n", "list:2: counts other captions");
    refused(path[0], "base one 0 a.json\n", "list:1: expected ROW SEED REPETITION FILE");
    refused(path[0], "base 1 0\n", "list:1: base has no file");
    refused(path[0], "base 1 0 list\n", "list:1:4: ");
    refused(path[0], "# nothing\n", "names no run");
    for (int i = 0; i < 4; i++)
        free(path[i]);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holm),        cmocka_unit_test(means),
                                       cmocka_unit_test(units_alone), cmocka_unit_test(seeds_alone),
                                       cmocka_unit_test(verdicts),    cmocka_unit_test(lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
