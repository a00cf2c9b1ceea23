#include "support/test.h"

#include "base/memory.h"
#include "ops/dropout.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { S = 3, ROWS = 23, COLS = 19 };
static const int32_t begin[S + 1] = {0, 1, 9, ROWS}, id[2 * S] = {1, 2, 3, 4, -5, 6};
enum { SEED = 11, STEP = 7, SITE = LAIP_SITE_DROPOUT + 3 };

static uint32_t mask_bits(uint32_t key0, uint32_t key1, uint32_t index)
{
    uint32_t x = index * 0x9e3779b1u ^ key0;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x += key1;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    x *= 0x9e3779b1u;
    return x ^ x >> 15;
}

static void body(laip_device *d)
{
    int32_t row_sequence[ROWS];
    double want[ROWS * COLS];
    float *x = laip_test_random(ROWS * COLS, 1, 1), *residual = laip_test_random(ROWS * COLS, 1, 2), p = 0.3f;
    int dropped = 0;
    for (int r = 0, s = 0; r < ROWS; r++) {
        s += r >= begin[s + 1];
        row_sequence[r] = s;
        for (int c = 0; c < COLS; c++) {
            laip_rng stream = laip_rng_stream(
                SEED, STEP, (uint64_t)(uint32_t)id[2 * s + 1] << 32 | (uint32_t)id[2 * s], SITE);
            uint32_t key0 = laip_rng_u32(&stream), key1 = laip_rng_u32(&stream);
            bool kept = mask_bits(key0, key1, (uint32_t)((r - begin[s]) * COLS + c)) >=
                        (uint32_t)((double)p * 4294967296.0);
            want[r * COLS + c] = kept ? (double)x[r * COLS + c] / (1 - (double)p) : 0;
            dropped += !kept;
        }
    }
    assert_true(abs(dropped - 131) < 40); /* 0.3 of 437 */
    laip_mat mx = laip_test_mat(d, ROWS, COLS, x), mr = laip_test_mat(d, ROWS, COLS, residual);
    laip_ints ms = laip_test_ints(d, ROWS, row_sequence), mb = laip_test_ints(d, S + 1, begin),
              mk = laip_test_ints(d, 2 * S, id);
    laip_mat y = laip_mat_create(d, ROWS, COLS);
    laip_dropout(d, y, mx, (laip_mat){0}, ms, mb, mk, laip_rng_fold(SEED, STEP, SITE), p);
    laip_check_mat("dropout", d, y, want, 1e-6);
    for (int i = 0; i < ROWS * COLS; i++)
        want[i] += (double)residual[i];
    laip_dropout(d, mx, mx, mr, ms, mb, mk, laip_rng_fold(SEED, STEP, SITE),
                 p); /* in place, with a residual */
    laip_check_mat("dropout and residual", d, mx, want, 1e-6);
    laip_mem release[] = {mx.mem, mr.mem, ms.mem, mb.mem, mk.mem, y.mem};
    for (size_t i = 0; i < 6; i++)
        laip_mem_release(release[i]);
    free(x);
    free(residual);
}

static void test(void **state)
{
    (void)state;
    laip_test_shapes(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
