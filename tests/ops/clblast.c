/* CLBlast's operands of halves: how often floats are made of them, and that they are those of now. */
#include "support/test.h"

#include "device/profiler.h"
#include "support/device.h"
#include <stdlib.h>
#include <string.h>

enum { ROWS = 21, OUT = 18, IN = 35 }; /* of a linear layer: y [ROWS, OUT] = x [ROWS, IN] · w' [OUT, IN] */

typedef struct layer {
    laip_device *device;
    laip_mat x, w, dy, y, dx, dw;
} layer;

static laip_mat halves(laip_device *d, size_t rows, size_t cols, uint64_t seed)
{
    float *values = laip_test_random(rows * cols, 1, seed);
    laip_mat m = laip_mat_create_stored(d, rows, cols, LAIP_STORE_HALF);
    laip_mat_write(d, m, values);
    free(values);
    return m;
}

static layer make(void)
{
    laip_device *d = laip_test_device();
    laip_gemm_force(d, "clblast");
    return (layer){.device = d,
                   .x = halves(d, ROWS, IN, 1),
                   .w = halves(d, OUT, IN, 2),
                   .dy = halves(d, ROWS, OUT, 3),
                   .y = laip_mat_create_stored(d, ROWS, OUT, LAIP_STORE_HALF),
                   .dx = laip_mat_create(d, ROWS, IN),
                   .dw = laip_mat_create(d, OUT, IN)};
}

static void release(layer *l)
{
    laip_mat *all[] = {&l->x, &l->w, &l->dy, &l->y, &l->dx, &l->dw};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        laip_mem_release(all[i]->mem);
    laip_gemm_force(l->device, "auto");
}

static void forward(layer *l)
{
    laip_gemm(l->device, false, true, 1, l->x, l->w, 0, l->y, NULL);
}

static void backward(layer *l)
{
    laip_gemm(l->device, true, false, 1, l->dy, l->x, 0, l->dw, NULL);
    laip_gemm(l->device, false, false, 1, l->dy, l->w, 0, l->dx, NULL);
}

/* How often an operand was made floats since the last call. */
static int conversions(layer *l)
{
    laip_error error;
    const laip_profiler_line *lines;
    size_t count;
    assert_ok(laip_profiler_read(l->device, &lines, &count, &error), error);
    int all = (int)laip_profiler_sum(lines, count, NULL, "convert").count;
    assert_ok(laip_profiler_start(l->device, false, &error), error);
    return all;
}

/* dx and dw are what they are without anything held or kept. */
static void check(layer *l)
{
    float *dx = laip_test_read(l->device, l->dx), *dw = laip_test_read(l->device, l->dw);
    laip_gemm_let_go(l->device);
    backward(l);
    float *plain_dx = laip_test_read(l->device, l->dx), *plain_dw = laip_test_read(l->device, l->dw);
    assert_memory_equal(dx, plain_dx, ROWS * IN * sizeof *dx);
    assert_memory_equal(dw, plain_dw, OUT * IN * sizeof *dw);
    free(dx);
    free(dw);
    free(plain_dx);
    free(plain_dw);
    (void)conversions(l);
}

static void held(void **state)
{
    (void)state;
    layer l = make();
    (void)conversions(&l);
    backward(&l);
    assert_int_equal(conversions(&l), 4);
    for (int turn = 0; turn < 2; turn++) { /* with other values the second time */
        laip_gemm_hold(l.device, l.dy);
        backward(&l);
        assert_int_equal(conversions(&l), 3);
        check(&l);
        laip_mem_release(l.dy.mem);
        l.dy = halves(l.device, ROWS, OUT, 7);
    }
    laip_gemm_hold(l.device, l.dy); /* another one in between */
    laip_gemm(l.device, true, false, 1, l.dy, l.x, 0, l.dw, NULL);
    forward(&l);
    laip_gemm(l.device, false, false, 1, l.dy, l.w, 0, l.dx, NULL);
    assert_int_equal(conversions(&l), 6);
    check(&l);
    release(&l);
}

/* Weights that stay packed: floats of them serve every product until they change. */
static void kept(void **state)
{
    (void)state;
    layer l = make();
    laip_gemm_cache_begin(l.device, l.w.mem, 1 << 20);
    (void)conversions(&l);
    forward(&l);
    backward(&l);
    backward(&l);
    assert_int_equal(conversions(&l), 2 + 3 + 3); /* x, w; and twice dy, x, dy */
    assert_int_equal(laip_gemm_cache_bytes(l.device), OUT * IN * sizeof(float));
    float *other = laip_test_random(OUT * IN, 1, 9);
    laip_mat_write(l.device, l.w, other);
    laip_gemm_cache_clear(l.device);
    backward(&l);
    float *dx = laip_test_read(l.device, l.dx);
    laip_gemm_cache_end(l.device);
    backward(&l);
    float *plain = laip_test_read(l.device, l.dx);
    assert_memory_equal(dx, plain, ROWS * IN * sizeof *dx);
    free(other);
    free(dx);
    free(plain);
    release(&l);
}

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(held), cmocka_unit_test(kept)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
