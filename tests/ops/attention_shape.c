/* The vectors of attention on a processor: measured once a device, kept in the cache folder and in a run's,
 * the same values whichever serve.  (That each is right is tests/ops/attention.c's, in all shapes.) */
#include "support/test.h"

#include "base/file.h"
#include "ops/attention.h"
#include "ops/gemm/gemm.h"
#include "support/device.h"
#include "support/gradient.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADS = 2, HEAD = 16, WIDTH = HEADS * HEAD, ROWS = 70 };

static laip_device *opened(void)
{
    laip_error error;
    laip_device *d;
    assert_ok(laip_device_open(&d, NULL, 0, &error), error);
    return d;
}

/* Whether the device has a choice. */
static bool has_choice(const laip_device *d)
{
    const laip_traits *t = laip_device_traits(d);
    return t->lanes == 1 && t->vector > 4 && !t->fixed_vector;
}

/* One sequence onto itself: o, to be freed, and the launches that it took. */
static float *forward(laip_device *d, uint64_t *launches)
{
    const int32_t begin[2] = {0, ROWS}, zero[2] = {0};
    float *x = laip_test_random((size_t)ROWS * WIDTH, 1, 3);
    laip_mat m = laip_test_mat(d, ROWS, WIDTH, x), o = laip_mat_create(d, ROWS, WIDTH),
             lse = laip_mat_create(d, ROWS, HEADS);
    laip_ints b = laip_test_ints(d, 2, begin), z = laip_test_ints(d, 2, zero),
              ends = laip_test_ints(d, 2, (int32_t[]){0, 1});
    laip_attention a = {.heads = HEADS,
                        .head_size = HEAD,
                        .sequences = 1,
                        .blocks = 1,
                        .query_rows = ROWS,
                        .key_rows = ROWS,
                        .longest_query = ROWS,
                        .longest_block = ROWS,
                        .q_begin = b,
                        .kv_of = z,
                        .k_begin = b,
                        .block_sequences_begin = ends,
                        .block_sequences = z,
                        .ids = z,
                        .score_count = (double)ROWS * ROWS};
    laip_device_reset_counters(d);
    laip_attention_forward(d, &a, o, lse, (laip_heads){m, 0}, (laip_heads){m, 0}, (laip_heads){m, 0});
    *launches = laip_device_counters(d)->launches;
    float *got = laip_test_read(d, o);
    const laip_mem mems[] = {m.mem, o.mem, lse.mem, b.mem, z.mem, ends.mem};
    for (size_t i = 0; i < sizeof mems / sizeof *mems; i++)
        laip_mem_release(mems[i]);
    free(x);
    return got;
}

static void write_text(const char *path, const char *text)
{
    laip_error error;
    assert_ok(laip_file_write(path, text, strlen(text), &error), error);
}

/* The first device measures, and remembers; the next one reads that, and a run's file says the same. */
static void measured(void **state)
{
    (void)state;
    char *folder = laip_test_folder("attention_shape"), *path = laip_path_join(folder, "choices"),
         *said[2] = {NULL};
    laip_error error;
    setenv("LAIP_CACHE_DIR", folder, 1);
    for (int i = 0; i < 2; i++) {
        laip_device *d = opened();
        size_t size;
        uint64_t launches;
        bool chooses = has_choice(d);
        if (chooses) {
            free(forward(d, &launches));
            assert_true(i ? launches == 1 : launches > 1);
            assert_ok(laip_gemm_choices_write(d, path, &error), error);
            assert_ok(laip_file_read(path, &said[i], &size, &error), error);
            assert_non_null(strstr(said[i], "attention-fx "));
        }
        laip_device_close(d);
        if (!chooses)
            break;
    }
    if (said[0])
        assert_string_equal(said[0], said[1]);
    unsetenv("LAIP_CACHE_DIR");
    char command[4200];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
    for (int i = 0; i < 2; i++)
        free(said[i]);
    free(path);
    free(folder);
}

/* A run's choices are kept to, and what the device does not have is refused. */
static void read_back(void **state)
{
    (void)state;
    char *folder = laip_test_folder("attention_shape"), *path = laip_path_join(folder, "choices");
    laip_error error;
    laip_device *d = opened();
    if (has_choice(d)) {
        bool widest = laip_device_traits(d)->vector == 16;
        uint64_t launches;
        write_text(path, widest ? "attention-fx 16-8x2\n" : "attention-fx 8-4x3\n");
        assert_ok(laip_gemm_choices_read(d, path, &error), error);
        float *wide = forward(d, &launches);
        assert_int_equal(launches, 1);
        write_text(path, widest ? "attention-fx 8-4x3\n" : "attention-fx 4-8x3\n");
        assert_ok(laip_gemm_choices_read(d, path, &error), error);
        float *narrow = forward(d, &launches);
        assert_int_equal(launches, 1);
        double *want = laip_test_doubles(wide, (size_t)ROWS * WIDTH);
        assert_true(laip_test_distance(narrow, want, (size_t)ROWS * WIDTH) < 1e-6);
        assert_memory_not_equal(narrow, wide, sizeof(float) * ROWS * WIDTH); /* other sums, other last bits */
        write_text(path, "attention-fx 32-8x2\n");
        assert_false(laip_gemm_choices_read(d, path, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_non_null(strstr(error.text, ":1: found 32-8x2 for attention-fx"));
        write_text(path, "attention-zz 16-8x2\n");
        assert_false(laip_gemm_choices_read(d, path, &error));
        free(want);
        free(wide);
        free(narrow);
    }
    laip_device_close(d);
    remove(path);
    rmdir(folder);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(measured), cmocka_unit_test(read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
