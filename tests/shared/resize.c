/* Decoded, turned upright and resized pictures against Pillow's: at most one level apart, 99 % equal. */
#include "support/test.h"

#include "image/image.h"
#include "store/safetensors.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void like_pillow(void **state)
{
    (void)state;
    laip_safetensors cases;
    laip_error error;
    char path[4400];
    size_t equal = 0, values = 0;
    int worst = 0;
    snprintf(path, sizeof path, "%s/data/images/resize_cases.safetensors", laip_test_shared());
    assert_ok(laip_safetensors_open(&cases, path, &error) && laip_safetensors_load(&cases, &error), error);
    assert_true(cases.count > 30);
    for (size_t i = 0; i < cases.count; i++) {
        const laip_tensor_entry *t = &cases.tensors[i]; /* FILE@HEIGHTxWIDTH */
        const char *at = strrchr(t->name, '@');
        laip_image full, small;
        int worst_here = 0;
        assert_non_null(at);
        assert_int_equal(t->rank, 3);
        snprintf(path, sizeof path, "%s/data/images/%.*s", laip_test_shared(), (int)(at - t->name), t->name);
        assert_ok(laip_image_load(path, true, &full, &error), error);
        laip_image_resize(&full, (int)t->shape[0], (int)t->shape[1], &small);
        const uint8_t *expected = t->data;
        for (size_t k = 0; k < t->count; k++) {
            int d = abs(small.pixels[k] - expected[k]);
            worst_here = d > worst_here ? d : worst_here;
            equal += d == 0;
        }
        values += t->count;
        worst = worst_here > worst ? worst_here : worst;
        if (worst_here > 1)
            print_error("%s: %d levels\n", t->name, worst_here);
        laip_image_free(&full);
        laip_image_free(&small);
    }
    print_message("%zu cases, worst difference %d, %.4f %% equal\n", cases.count, worst,
                  100.0 * (double)equal / (double)values);
    assert_true(worst <= 1);
    assert_true((double)equal >= 0.99 * (double)values);
    laip_safetensors_close(&cases);
}

int main(void)
{
    if (!laip_test_shared()) {
        print_message("skipped: ../shared/data is not there\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(like_pillow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
