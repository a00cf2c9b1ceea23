#include "support/test.h"

#include "base/memory.h"
#include "ops/patches.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void one(laip_device *d, int height, int width, int patch, size_t images, size_t D)
{
    int across = width / patch, count = across * (height / patch), area = patch * patch;
    size_t P = (size_t)count, N = P + 1, pixels = (size_t)(3 * height * width);
    float *x = laip_test_random(images * pixels, 1, 1), *e = laip_test_random(images * P * D, 1, 2);
    float *cls = laip_test_random(D, 1, 3), *places = laip_test_random(N * D, 1, 4),
          *g = laip_test_random(images * N * D, 1, 5);
    double *want = laip_alloc(images * pixels, 8), *tokens = laip_alloc(images * N * D, 8),
           *de = laip_alloc(images * P * D, 8);
    double *dcls = laip_test_doubles(cls, D), *dplaces = laip_test_doubles(places, N * D);
    for (size_t b = 0; b < images; b++)
        for (int p = 0; p < count; p++)
            for (int c = 0; c < 3; c++)
                for (int i = 0; i < area; i++)
                    want[(b * P + (size_t)p) * (size_t)(3 * area) + (size_t)(c * area + i)] = (double)
                        x[b * pixels + (size_t)((c * height + p / across * patch + i / patch) * width +
                                                p % across * patch + i % patch)];
    for (size_t b = 0; b < images; b++)
        for (size_t n = 0; n < N; n++)
            for (size_t c = 0; c < D; c++) {
                size_t at = (b * N + n) * D + c;
                tokens[at] = (double)places[n * D + c] + (double)(n ? e[(b * P + n - 1) * D + c] : cls[c]);
                dplaces[n * D + c] += (double)g[at];
                if (n)
                    de[(b * P + n - 1) * D + c] = (double)g[at];
                else
                    dcls[c] += (double)g[at];
            }
    laip_mat mx = laip_test_mat(d, images, pixels, x), y = laip_mat_create(d, images * P, (size_t)(3 * area));
    laip_mat me = laip_test_mat(d, images * P, D, e), mc = laip_test_mat(d, 1, D, cls),
             mp = laip_test_mat(d, N, D, places);
    laip_mat t = laip_mat_create(d, images * N, D), mg = laip_test_mat(d, images * N, D, g),
             mde = laip_mat_create(d, images * P, D);
    laip_patches(d, y, mx, height, width, patch);
    laip_check_mat("patches", d, y, want, 0);
    laip_image_tokens_forward(d, t, me, mc, mp);
    laip_check_mat("tokens", d, t, tokens, 1e-6);
    laip_image_tokens_backward(d, mde, mc, mp, mg); /* onto what the parameters' buffers hold: accumulated */
    laip_check_mat("dpatches", d, mde, de, 0);
    laip_check_mat("dcls", d, mc, dcls, 1e-6);
    laip_check_mat("dpositions", d, mp, dplaces, 1e-6);
    laip_mem release[] = {mx.mem, y.mem, me.mem, mc.mem, mp.mem, t.mem, mg.mem, mde.mem};
    for (size_t i = 0; i < 8; i++)
        laip_mem_release(release[i]);
    void *host[] = {x, e, cls, places, g, want, tokens, de, dcls, dplaces};
    for (size_t i = 0; i < 10; i++)
        free(host[i]);
}

static void body(laip_device *d)
{
    one(d, 4, 4, 4, 1, 1);
    one(d, 15, 25, 5, 3, 17);
    one(d, 32, 16, 16, 2, 65);
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
