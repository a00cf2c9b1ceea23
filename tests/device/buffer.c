/* Device memory: transfers, copies and counters; plans laid out twice, dry and for real. */
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "device/internal.h"
#include "support/device.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

static void transfers(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    const float values[6] = {1, 2, 3, 4, 5, 6};
    float back[6];
    int32_t ints[3] = {-1, 0, INT32_MAX}, read[3];
    laip_device_reset_counters(d);
    laip_mat a = laip_test_mat(d, 2, 3, values), b = laip_mat_create(d, 2, 3);
    laip_ints v = laip_test_ints(d, 3, ints);
    laip_ints_read(d, v, read);
    assert_memory_equal(read, ints, sizeof ints);
    laip_mat_zero(d, b);
    laip_mat_copy(d, laip_rows(b, 1), laip_rows(a, 1)); /* the first rows of a view are a view */
    laip_mat_read(d, b, back);
    assert_memory_equal(back, ((const float[]){1, 2, 3, 0, 0, 0}), sizeof back);
    laip_mem_copy(d, b.mem, 4, a.mem, 12, 8);
    laip_mem_zero(d, b.mem, 0, 4);
    laip_mem_read(d, b.mem, 0, back, 16);
    assert_memory_equal(back, ((const float[]){0, 4, 5, 0}), 16);
    const laip_counters *c = laip_device_counters(d);
    assert_int_equal(c->uploads, 2);
    assert_int_equal(c->upload_bytes, 24 + 12);
    assert_int_equal(c->downloads, 3);
    assert_int_equal(c->download_bytes, 12 + 24 + 16);
    float *mapped = laip_mem_map(d, a.mem, 24, true);
    assert_non_null(mapped);
    assert_memory_equal(mapped, values, sizeof values);
    mapped[5] = 60;
    laip_mem_unmap(d, a.mem, mapped);
    laip_mat_read(d, a, back);
    assert_true(back[4] == 5 && back[5] == 60);
    laip_mem_read(d, a.mem, 0, back, 0); /* nothing is nothing */
    laip_mem_release(NULL);
    laip_mem_release(a.mem);
    laip_mem_release(b.mem);
    laip_mem_release(v.mem);
    laip_test_finish(d);
}

/* What the process holds goes up with a buffer and not with a part of it, and down again. */
static void held(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    size_t before = laip_mem_held();
    laip_mem whole = laip_mem_create(d, 1 << 20, "whole"), part = laip_mem_part(d, whole, 0, 4096, "part");
    assert_int_equal(laip_mem_held() - before, 1 << 20);
    laip_mem_release(part);
    assert_int_equal(laip_mem_held() - before, 1 << 20);
    laip_mem_release(whole);
    assert_int_equal(laip_mem_held(), before);
}

static void unequal_copy(void **state)
{
    (void)state;
    laip_device *d;
    laip_error error;
    assert_ok(laip_device_open(&d, NULL, 0, &error), error);
    laip_mat a = laip_mat_create(d, 2, 3), b = laip_mat_create(d, 3, 2);
    laip_mat_copy(d, a, b);
    assert_false(laip_device_finish(d, &error));
    assert_string_equal(error.text, "copy of a 3 x 2 matrix into one of 2 x 3");
    laip_mem_release(a.mem);
    laip_mem_release(b.mem);
    laip_device_close(d);
}

enum { PIECES = 40 };
typedef struct layout {
    laip_mat piece[PIECES];
    size_t mark[PIECES];
    int live; /* pieces that are in use at the end */
} layout;

/* Pieces of many sizes, some given back again. */
static void lay_out(laip_plan *r, layout *l)
{
    laip_rng g = laip_rng_stream(2, 0, 0, LAIP_SITE_TEST);
    l->live = 0;
    for (int i = 0; i < 3 * PIECES; i++) {
        if (l->live == PIECES || (l->live > 5 && laip_rng_below(&g, 4) == 0)) {
            l->live -= 1 + (int)laip_rng_below(&g, 5);
            laip_plan_reset(r, l->mark[l->live]);
        }
        l->mark[l->live] = laip_plan_mark(r);
        l->piece[l->live++] = laip_plan_mat(r, laip_rng_below(&g, 30), 1 + laip_rng_below(&g, 90));
    }
}

/* Pieces in use at once do not touch, whatever was given back before; slabs are no larger than the device's
 * largest allocation. */
static void plans(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    laip_error error;
    size_t largest = d->traits.largest;
    const size_t limits[] = {largest, 64 * 1024, 12 * 1024};
    for (int k = 0; k < 3; k++) {
        layout l;
        d->traits.largest = limits[k];
        laip_plan *r = laip_plan_create(d, "test");
        lay_out(r, &l);
        size_t bytes = laip_plan_bytes(r), end = laip_plan_mark(r);
        for (int i = 0; i < l.live; i++)
            assert_null(l.piece[i].mem);
        assert_true(bytes > 64 * 1024);
        assert_ok(laip_plan_allocate(r, &error), error);
        lay_out(r, &l);
        assert_int_equal(laip_plan_bytes(r), bytes);
        assert_int_equal(laip_plan_mark(r), end);
        for (int i = 0; i < l.live; i++) {
            size_t count = l.piece[i].rows * l.piece[i].cols;
            float *values = laip_alloc(count, sizeof *values);
            for (size_t e = 0; e < count; e++)
                values[e] = (float)(i + 1);
            laip_mat_write(d, l.piece[i], values);
            free(values);
        }
        for (int i = 0; i < l.live; i++) {
            float *values = laip_test_read(d, l.piece[i]);
            for (size_t e = 0; e < l.piece[i].rows * l.piece[i].cols; e++)
                assert_true(values[e] == (float)(i + 1));
            free(values);
        }
        laip_plan_free(r);
    }
    d->traits.largest = largest;
    laip_test_finish(d);
}

/* A piece larger than the largest allocation, and a second layout that wants more than the first. */
static void refused(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        laip_device *d;
        laip_error error;
        assert_ok(laip_device_open(&d, NULL, 0, &error), error);
        d->traits.largest = 4096;
        laip_plan *r = laip_plan_create(d, "buffers");
        laip_plan_mat(r, 1, which ? 1000 : 1025);
        if (which) {
            assert_ok(laip_plan_allocate(r, &error), error);
            assert_non_null(laip_plan_mat(r, 1, 1000).mem);
            assert_null(laip_plan_ints(r, 1000).mem);
            assert_false(laip_device_ok(d, &error));
        } else { /* asking what it would take is no failure yet */
            assert_true(laip_plan_bytes(r) == LAIP_TOO_LARGE);
            assert_ok(laip_device_ok(d, &error), error);
            assert_false(laip_plan_allocate(r, &error));
        }
        assert_int_equal(error.status, LAIP_FAILURE);
        assert_non_null(strstr(error.text, which ? "buffers: the layout differs"
                                                 : "buffers: one buffer of 4100 bytes is wanted, "));
        laip_plan_free(r);
        laip_device_close(d);
    }
}

static void choices(void **state)
{
    (void)state;
    laip_device *d;
    laip_error error;
    char name[256];
    assert_ok(laip_device_open(&d, "0", 0, &error), error);
    snprintf(name, sizeof name, "%s", laip_device_traits(d)->name);
    laip_device_close(d);
    for (char *c = name; *c; c++) /* any case */
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    assert_ok(laip_device_open(&d, name, 0, &error), error);
    laip_device_close(d);
    const char *const none[] = {"999999", "no such device"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        d = (laip_device *)name;
        assert_false(laip_device_open(&d, none[i], 0, &error));
        assert_null(d);
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_non_null(strstr(error.text, none[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(transfers),    cmocka_unit_test(held),
                                       cmocka_unit_test(unequal_copy), cmocka_unit_test(plans),
                                       cmocka_unit_test(refused),      cmocka_unit_test(choices)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
