#include "support/test.h"

#include "base/memory.h"
#include "ops/embedding.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void body(laip_device *d)
{
    enum { ROWS = 7, V = 11, P = 5, D = 67 };
    static const int32_t ids[ROWS] = {0, 10, 3, 3, 7, 1, 10}, places[ROWS] = {0, 1, 2, 3, 4, 0, 1};
    float *word = laip_test_random(V * D, 1, 1), *position = laip_test_random(P * D, 1, 2),
          *type = laip_test_random(2 * D, 1, 3);
    double want[ROWS * D];
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < D; c++)
            want[r * D + c] =
                (double)word[ids[r] * D + c] + (double)position[places[r] * D + c] + (double)type[c];
    laip_mat mw = laip_test_mat(d, V, D, word), mp = laip_test_mat(d, P, D, position),
             mt = laip_test_mat(d, 2, D, type);
    laip_mat y = laip_mat_create(d, ROWS, D);
    laip_ints mi = laip_test_ints(d, ROWS, ids), ml = laip_test_ints(d, ROWS, places);
    laip_embedding_forward(d, y, mi, ml, mw, mp, mt);
    laip_check_mat("embeddings", d, y, want, 1e-6);
    laip_mem release[] = {mw.mem, mp.mem, mt.mem, y.mem, mi.mem, ml.mem};
    for (size_t i = 0; i < 6; i++)
        laip_mem_release(release[i]);
    free(word);
    free(position);
    free(type);
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
