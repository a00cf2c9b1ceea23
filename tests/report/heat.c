/* Heat over pictures: brightest where the map is largest, the picture's grey where it is 0, interpolated
 * between. */
#include "support/test.h"

#include "report/heat.h"
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 40, WIDTH = 20 };

static int brightness(const laip_image *image, int y, int x)
{
    const uint8_t *p = image->pixels + 3 * (y * image->width + x);
    return p[0] + p[1] + p[2];
}

static void brightest_at_the_largest(void **state)
{
    (void)state;
    static const float map[8] = {0, 0, 0, 0, 0, 3, 0, 0}; /* four rows of two */
    uint8_t pixels[HEIGHT * WIDTH * 3];
    laip_image in = {.pixels = pixels, .width = WIDTH, .height = HEIGHT}, out;
    memset(pixels, 128, sizeof pixels);
    laip_heat_draw(&in, map, 4, 2, &out);
    assert_int_equal(out.width, WIDTH);
    assert_int_equal(out.height, HEIGHT);
    int peak = brightness(&out, 25, 15), between = brightness(&out, 20, 15), cold = brightness(&out, 2, 2);
    assert_true(peak > between && between > cold);
    const uint8_t *p = out.pixels + 3 * (2 * WIDTH + 2);
    assert_true(p[0] == p[1] && p[1] == p[2]); /* the picture's own grey */
    laip_image_free(&out);
}

static void a_map_of_zeros_is_grey(void **state)
{
    (void)state;
    static const float map[8] = {0};
    uint8_t pixels[HEIGHT * WIDTH * 3];
    laip_image in = {.pixels = pixels, .width = WIDTH, .height = HEIGHT}, out;
    memset(pixels, 200, sizeof pixels);
    laip_heat_draw(&in, map, 4, 2, &out);
    for (int i = 3; i < HEIGHT * WIDTH * 3; i++)
        assert_int_equal(out.pixels[i], out.pixels[0]);
    laip_image_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(brightest_at_the_largest),
                                       cmocka_unit_test(a_map_of_zeros_is_grey)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
