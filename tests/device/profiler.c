/* The profiler: what is launched counts once, in its part, with the bytes of its views and the operations
 * that were declared for it; times are there when asked for, and never more than passed. */
#include "support/test.h"

#include "base/log.h"
#include "device/internal.h"
#include "device/launch.h"
#include "ops/elementwise.h"
#include "ops/gemm/gemm.h"
#include "support/device.h"
#include <string.h>

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

static const laip_profiler_line *lines;
static size_t count;

static laip_profiler_line sum(const char *part, const char *kernel)
{
    laip_error error;
    assert_ok(laip_profiler_read(laip_test_device(), &lines, &count, &error), error);
    return laip_profiler_sum(lines, count, part, kernel);
}

static void start(bool time)
{
    laip_error error;
    assert_ok(laip_profiler_start(laip_test_device(), time, &error), error);
    assert_int_equal(sum(NULL, NULL).count, 0);
}

static void parts(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    const float values[6] = {1, 2, 3, 4, 5, 6};
    laip_mat x = laip_test_mat(d, 2, 3, values), y = laip_test_mat(d, 2, 3, values);
    start(false);
    laip_device_reset_counters(d);
    laip_profiler_part(d, "one");
    laip_add(d, y, x);
    laip_profiler_flops(d, 6);
    laip_add(d, laip_rows(y, 1), laip_rows(x, 1));
    laip_scale(d, y, 2);
    laip_profiler_part(d, "two");
    laip_add(d, y, x);
    laip_mat_copy(d, y, x);
    laip_mat_zero(d, y);
    laip_mat_write(d, y, values);
    laip_profiler_line add = sum("one", "add"), all = sum(NULL, NULL);
    assert_int_equal(add.count, 2);
    assert_true(add.bytes == (3 * 6 + 3 * 3) * 4); /* y read and written, x read */
    assert_true(add.flops == 6 && all.flops == 6); /* the declared ones, of that launch alone */
    assert_true(sum("one", "scale").bytes == 2 * 6 * 4);
    assert_int_equal(sum("two", "add").count, 1);
    assert_int_equal(sum(NULL, "add").count, 3);
    assert_true(sum("two", "copy").bytes == 48 && sum("two", "fill").bytes == 24);
    assert_true(sum("two", "upload").bytes == 24 && sum("two", "upload").count == 1);
    assert_int_equal(all.count, 7);
    assert_true(all.seconds == 0);
    assert_int_equal(count, 6);
    assert_string_equal(lines[0].kernel, "add");
    assert_string_equal(lines[1].kernel, "scale");
    assert_int_equal(laip_device_counters(d)->launches, 6); /* a transfer is none */
    assert_true(laip_device_counters(d)->flops == 6);
    start(false);
    laip_mem_release(x.mem);
    laip_mem_release(y.mem);
}

/* Products of either kind say what they compute; choosing who serves one does not count. */
static void products(void **state)
{
    (void)state;
    enum { M = 40, N = 72, K = 56 };
    laip_device *d = laip_test_device();
    laip_mat a = laip_mat_create(d, M, K), b = laip_mat_create(d, K, N), c = laip_mat_create(d, M, N);
    laip_mat_zero(d, a);
    laip_mat_zero(d, b);
    laip_mat_zero(d, c);
    const char *const products[] = {"clblast", laip_test_products(d)};
    for (int product = 0; product < 2; product++)
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            laip_gemm_force(d, products[product]);
            start(accumulate);
            laip_gemm(d, false, false, 1, a, b, (float)accumulate, c, NULL);
            laip_profiler_line all = sum(NULL, NULL), clblast = sum(NULL, "clblast");
            assert_true(all.flops == 2.0 * M * N * K);
            assert_int_equal(clblast.count + sum(NULL, "gemm_packed").count, 1);
            assert_true(clblast.flops + sum(NULL, "gemm_packed").flops == all.flops);
            if (clblast.count) {
                assert_int_equal(all.count, 1);
                assert_true((clblast.seconds > 0) == accumulate); /* measured when that was asked for */
                assert_true(all.bytes == 4 * (M * K + K * N + (1 + accumulate) * M * N));
            } else
                assert_int_equal(all.count, 3); /* both operands are packed */
        }
    laip_gemm_force(d, "auto");
    start(false);
    laip_mem_release(a.mem);
    laip_mem_release(b.mem);
    laip_mem_release(c.mem);
}

/* More launches than events are kept: the times add up, to more than nothing and less than passed. */
static void times(void **state)
{
    (void)state;
    enum { LAUNCHES = 20000 };
    laip_device *d = laip_test_device();
    laip_error error;
    laip_mat x = laip_mat_create(d, 1, 64);
    laip_mat_zero(d, x);
    start(true);
    double begin = laip_seconds();
    laip_profiler_part(d, "many");
    for (int i = 0; i < LAUNCHES; i++)
        laip_scale(d, x, 1);
    laip_mat_read(d, x, (float[64]){0});
    assert_ok(laip_device_finish(d, &error), error);
    double passed = laip_seconds() - begin;
    laip_profiler_line scale = sum("many", "scale"), again = sum("many", "scale");
    assert_int_equal(scale.count, LAUNCHES);
    assert_true(scale.seconds > 0 && sum("many", NULL).seconds < passed);
    assert_true(again.seconds == scale.seconds); /* reading twice adds nothing */
    assert_int_equal(sum("many", "download").count, 1);
    start(false);
    laip_scale(d, x, 1);
    assert_true(sum(NULL, NULL).seconds == 0);
    laip_mem_release(x.mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts), cmocka_unit_test(products),
                                       cmocka_unit_test(times)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
