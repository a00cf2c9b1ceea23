/* What products keep: weights that stay packed, and which kernel was chosen for which sizes. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "ops/gemm/internal.h"
#include "support/device.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A weight matrix in a sub-buffer stays packed until it is said to have changed; other operands never do. */
static void kept_weights(void **state)
{
    laip_device *d = laip_test_packed_device();
    (void)state;
    enum { M = 30, N = 64, K = 40 };
    float *values = laip_test_random(N * K, 1, 9), *others = laip_test_random(N * K, 1, 10);
    laip_mem whole = laip_mem_create(d, 4096 + N * K * sizeof(float), "weights");
    laip_mat w = {laip_mem_part(d, whole, 4096, N * K * sizeof(float), "weights"), N, K, false};
    laip_mat a = laip_mat_create(d, M, K), c = laip_mat_create(d, M, N), x = laip_mat_create(d, N, K);
    laip_mat_write(d, a, values);
    laip_mat_write(d, w, values);
    laip_mat_write(d, x, values);
    laip_gemm_cache_begin(d, whole, 1 << 20);
    float *first = NULL;
    for (int i = 0; i < 4; i++) {
        laip_mat b = i == 3 ? x : w;
        if (i == 1 || i == 3)
            laip_mat_write(d, b, others); /* the weights unsaid, then a buffer that is no weight */
        if (i == 2)
            laip_gemm_cache_clear(d);
        laip_gemm(d, false, true, 1, a, b, 0, c, NULL);
        float *got = laip_test_read(d, c);
        bool as_first = first && memcmp(got, first, M * N * sizeof *got) == 0;
        assert_int_equal(as_first, i == 1 && laip_gemm_cache_bytes(d) > 0);
        if (!first)
            first = got;
        else
            free(got);
    }
    assert_int_equal(laip_gemm_cache_bytes(d), N * K * sizeof(float));
    laip_gemm_cache_end(d);
    assert_int_equal(laip_gemm_cache_bytes(d), 0);
    free(first);
    free(values);
    free(others);
    laip_mem_release(w.mem);
    laip_mem_release(whole);
    laip_mem_release(a.mem);
    laip_mem_release(c.mem);
    laip_mem_release(x.mem);
}

/* A weight matrix as large as the vocabulary's gives the same bits however it is packed. */
static void kept_or_not(void **state)
{
    laip_device *d = laip_test_packed_device();
    (void)state;
    enum { M = 2, N = 31503, K = 100, PADDED = (N + 31) / 32 * 32 };
    float *values = laip_test_random(N * K, 1, 9);
    laip_mat w = laip_test_mat(d, N, K, values), a = laip_test_mat(d, M, K, values), c[3];
    for (int i = 0; i < 3; i++) { /* packed by the product, packed to be kept, kept */
        c[i] = laip_mat_create(d, M, N);
        if (i == 1)
            laip_gemm_cache_begin(d, w.mem, 1 << 24);
        laip_gemm(d, false, true, 1, a, w, 0, c[i], NULL);
        assert_int_equal(laip_gemm_cache_bytes(d), i ? PADDED * K * sizeof(float) : 0);
    }
    float *first = laip_test_read(d, c[0]);
    for (int i = 1; i < 3; i++) {
        float *got = laip_test_read(d, c[i]);
        assert_memory_equal(got, first, M * N * sizeof *got);
        free(got);
    }
    laip_gemm_cache_end(d);
    free(first);
    free(values);
    laip_mem_release(w.mem);
    laip_mem_release(a.mem);
    for (int i = 0; i < 3; i++)
        laip_mem_release(c[i].mem);
}

/* As many buffers of weights as a device of small allocations makes of a large model. */
static void kept_in_many(void **state)
{
    laip_device *d = laip_test_packed_device();
    (void)state;
    enum { MANY = 100, N = 32, K = 8 };
    laip_mat a = laip_mat_create(d, 1, K), c = laip_mat_create(d, 1, N), w[MANY];
    laip_mat_zero(d, a);
    for (int i = 0; i < MANY; i++) {
        w[i] = laip_mat_create(d, N, K);
        laip_mat_zero(d, w[i]);
        laip_gemm_cache_begin(d, w[i].mem, 1 << 24);
    }
    for (int i = 0; i < MANY; i++) {
        laip_gemm(d, false, true, 1, a, w[i], 0, c, NULL);
        assert_int_equal(laip_gemm_cache_bytes(d), (i + 1) * N * K * sizeof(float));
    }
    laip_gemm_cache_end(d);
    laip_test_finish(d);
    for (int i = 0; i < MANY; i++)
        laip_mem_release(w[i].mem);
    laip_mem_release(a.mem);
    laip_mem_release(c.mem);
}

static uint64_t launches_of(laip_device *d, size_t m, size_t n, size_t k)
{
    laip_mat a = laip_mat_create(d, m, k), b = laip_mat_create(d, k, n), c = laip_mat_create(d, m, n);
    laip_mat_zero(d, a);
    laip_mat_zero(d, b);
    laip_device_reset_counters(d);
    laip_gemm(d, false, false, 1, a, b, 0, c, NULL);
    laip_test_finish(d);
    laip_mem_release(a.mem);
    laip_mem_release(b.mem);
    laip_mem_release(c.mem);
    return laip_device_counters(d)->launches;
}

/* Choices read from a file are kept to: CLBlast's product is one launch, the packed one packs first. */
static void choices(void **state)
{
    (void)state;
    laip_error error;
    char *folder = laip_test_folder("gemm"), *path = laip_path_join(folder, "choices");
    static const char text[] = "packed packed-8-6x16\npacked-depth 768\nnn-tiny packed\nnn-mmm clblast\n"
                               "GemmRoutine 448\n",
                      wrong[] = "nn-mmm fastest\n";
    laip_device *d = laip_test_device();
    if (laip_device_traits(d)->lanes > 1)
        skip();
    laip_gemm_force(d, "auto");
    assert_ok(laip_file_write(path, text, sizeof text - 1, &error), error);
    assert_ok(laip_gemm_choices_read(d, path, &error), error);
    assert_int_equal(launches_of(d, 3, 3, 3), 3);
    assert_int_equal(launches_of(d, 33, 65, 37), 1);
    assert_ok(laip_gemm_choices_write(d, path, &error), error);
    char *data;
    size_t size;
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    assert_string_equal(data, text);
    free(data);
    assert_ok(laip_file_write(path, wrong, sizeof wrong - 1, &error), error);
    assert_false(laip_gemm_choices_read(d, path, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, ":1: found fastest"));
    remove(path);
    rmdir(folder);
    free(path);
    free(folder);
}

/* What is measured is kept in the cache folder, and another opening of the device reads it. */
static void measured(void **state)
{
    (void)state;
    char *folder = laip_test_folder("gemm");
    setenv("LAIP_CACHE_DIR", folder, 1);
    uint64_t launches[2];
    for (int i = 0; i < 2; i++) {
        laip_test_device_close();
        laip_device *d = laip_test_device();
        if (laip_device_traits(d)->lanes > 1)
            break;
        laip_error error;
        char *path = laip_path_join(folder, i ? "second" : "first"), *data;
        size_t size;
        launches[i] = launches_of(d, 40, 40, 40);
        assert_ok(laip_gemm_choices_write(d, path, &error), error);
        assert_ok(laip_file_read(path, &data, &size, &error), error);
        assert_int_equal(strncmp(data, "packed packed-", 14), 0); /* the tile is measured first */
        const char *class = strstr(data, "\nnn-mmm ");
        assert_non_null(class);
        assert_string_equal(class + 8, launches[i] == 1 ? "clblast\n" : "packed\n");
        free(data);
        free(path);
        assert_int_equal(launches[i], launches[0]);
    }
    unsetenv("LAIP_CACHE_DIR");
    char command[4200];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
    free(folder);
}

static int no_device(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kept_weights), cmocka_unit_test(kept_or_not),
                                       cmocka_unit_test(kept_in_many), cmocka_unit_test(choices),
                                       cmocka_unit_test(measured)};
    return cmocka_run_group_tests(tests, NULL, no_device);
}
