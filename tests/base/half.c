/* fp16 and bfloat16 on the host. */
#include "support/test.h"

#include "base/half.h"
#include "support/device.h"
#include <math.h>
#include <stdlib.h>

static void conversions(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float x = laip_half_value((uint16_t)h);
        if (isnan(x))
            assert_true(isnan(laip_half_value(laip_half_from(x))));
        else
            assert_int_equal(laip_half_from(x), h);
    }
    const struct {
        float x;
        uint16_t half;
    } cases[] = {{65519.0f, 0x7bff},    {65520.0f, 0x7c00}, {-1e9f, 0xfc00},        {0x1p-24f, 1},
                 {0x1p-25f, 0},         {0x1.8p-25f, 1},    {1 + 0x1p-11f, 0x3c00}, {1 + 0x1.8p-10f, 0x3c02},
                 {0x1.ffcp-15f, 0x0400}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(laip_half_from(cases[i].x), cases[i].half);
}

static void split(void **state)
{
    (void)state;
    float *x = laip_test_random(4096, 0.05, 3);
    for (size_t i = 0; i < 4096; i++) {
        laip_split_float s = laip_float_split(x[i]), again = laip_float_split(laip_float_join(s));
        assert_true(fabsf(laip_float_join(s) - x[i]) <= fabsf(x[i]) * 0x1p-22f + 0x1p-37f);
        assert_int_equal(s.high, again.high);
        assert_int_equal(s.low, again.low);
    }
    free(x);
}

static void bfloat16(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float x = laip_bfloat16_value((uint16_t)h);
        if (isnan(x))
            assert_true(isnan(laip_bfloat16_value(laip_bfloat16_from(x))));
        else
            assert_int_equal(laip_bfloat16_from(x), h);
    }
    const struct {
        float x;
        uint16_t bits;
    } cases[] = {{1 + 0x1p-8f, 0x3f80}, {1 + 0x1.8p-7f, 0x3f82},   {1 + 0x1.1p-8f, 0x3f81},
                 {-3, 0xc040},          {0x1.fffffep127f, 0x7f80}, {0x1p-149f, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(laip_bfloat16_from(cases[i].x), cases[i].bits);
    assert_true(isnan(laip_bfloat16_value(laip_bfloat16_from(NAN))));
    float *x = laip_test_random(4096, 0.05, 3);
    x[0] = 0x1.fffffep127f;
    x[1] = 1 + 0x1p-8f;
    x[2] = -0.0f;
    for (size_t i = 0; i < 4096; i++) { /* the split loses nothing */
        float joined = laip_bfloat16_join(laip_bfloat16_split(x[i]));
        assert_memory_equal(&joined, &x[i], sizeof joined);
        if (i > 0)
            assert_true(fabsf(laip_bfloat16_value(laip_bfloat16_split(x[i]).high) - x[i]) <=
                        fabsf(x[i]) * 0x1p-8f);
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(conversions), cmocka_unit_test(split),
                                       cmocka_unit_test(bfloat16)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
