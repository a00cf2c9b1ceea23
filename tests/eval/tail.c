/* The order among equal scores is that of PyTorch 1.13's argsort on the processor, and of GCC's std::sort. */
#include "support/test.h"

#include "base/memory.h"
#include "eval/internal.h"
#include <stdlib.h>

static laip_eval_scored *of(size_t n)
{
    laip_eval_scored *all = laip_alloc(n, sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = (laip_eval_scored){-100, (int32_t)i};
    return all;
}

static void check(laip_eval_scored *all, size_t n, const int32_t *want, size_t known)
{
    laip_eval_sort_as_torch(all, n);
    for (size_t i = 0; i < known; i++)
        if (all[i].picture != want[i])
            fail_msg("%zu scores: place %zu has %d, expected %d", n, i, all[i].picture, want[i]);
    for (size_t i = 1; i < n; i++)
        assert_true(all[i].score <= all[i - 1].score);
    free(all);
}

/* What torch.argsort(x, descending=True) gives where all but two are equal: x[2] = 1, x[5] = 3. */
static void as_torch(void **state)
{
    (void)state;
    static const struct {
        size_t n, known;
        int32_t want[24];
    } cases[] = {{10, 10, {5, 2, 0, 1, 3, 4, 6, 7, 8, 9}},
                 {17, 17, {5, 2, 8, 16, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 4, 3, 1}},
                 {21, 21, {5, 2, 10, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 0, 9, 8, 7, 6, 4, 3, 1}},
                 {200, 24, {5,   2,   140, 127, 128, 129, 130, 131, 132, 133, 134, 135,
                            136, 137, 138, 139, 125, 141, 142, 143, 144, 145, 146, 147}},
                 {3074, 24, {5,    2,    2055, 2043, 2044, 2045, 2046, 2047, 2048, 2049, 2050, 2051,
                             2052, 2053, 2054, 2041, 2056, 2057, 2058, 2059, 2060, 2061, 2062, 2063}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        laip_eval_scored *all = of(cases[i].n);
        all[2].score = 1;
        all[5].score = 3;
        check(all, cases[i].n, cases[i].want, cases[i].known);
    }
}

static void few(void **state)
{
    (void)state;
    check(of(1), 1, (const int32_t[]){0}, 1);
    check(of(0), 0, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_torch), cmocka_unit_test(few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
