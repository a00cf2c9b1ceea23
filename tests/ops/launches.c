/* What the host does for a launch: OpenCL's own calls are replaced by ones that count and do nothing.  Of
 * operations with the same operands again no argument is set, of those with others only what changed; and the
 * processor time a launch is printed. */
#include "support/test.h"

#include "base/rng.h"
#include "ops/attention.h"
#include "ops/dropout.h"
#include "ops/gelu.h"
#include "ops/gemm/gemm.h"
#include "ops/layernorm.h"
#include "ops/xent.h"
#include "support/device.h"
#include "support/gradient.h"
#include <CL/cl.h>
#include <stdio.h>
#include <time.h>

static long launches, arguments;

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                              const size_t *offset, const size_t *global, const size_t *local, cl_uint count,
                              const cl_event *wait, cl_event *event)
{
    (void)queue, (void)kernel, (void)dimensions, (void)offset, (void)global, (void)local, (void)count,
        (void)wait, (void)event;
    launches++;
    return CL_SUCCESS;
}

cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    (void)kernel, (void)index, (void)size, (void)value;
    arguments++;
    return CL_SUCCESS;
}

enum { ROWS = 64, WIDTH = 64, HEADS = 4, SEQUENCES = 4, ROUNDS = 20000 };

static laip_device *d;
static laip_mat x[2], y[2], qkv[2], weight, bias, stats, dweight, dbias, scratch, lse, logits, loss;
static laip_ints ints;
static laip_attention attention;

static void gelu(int i)
{
    laip_gelu_forward(d, y[i % 2], x[i % 2]);
}

static void layernorm(int i)
{
    laip_layernorm_backward(d, y[i % 2], false, dweight, dbias, x[i % 2], x[(i + 1) % 2], stats, weight,
                            scratch);
}

static void attend(int i)
{
    laip_mat m = qkv[i % 2];
    laip_attention_forward(d, &attention, y[i % 2], lse, (laip_heads){m, 0}, (laip_heads){m, WIDTH},
                           (laip_heads){m, (size_t)2 * WIDTH});
}

static void product(int i)
{
    laip_gemm(d, false, true, 1, x[i % 2], weight, 0, y[i % 2], &(laip_epilogue){.bias = bias});
}

static void xent(int i)
{
    laip_xent(d, logits, loss, (laip_mat){0}, ints, lse, (laip_mat){0});
    (void)i;
}

static void dropout(int i)
{
    laip_dropout_mask mask = {ints, ints, ints, laip_rng_fold(1, 2, 3), 0.1f};
    laip_dropout(d, y[i % 2], x[i % 2], x[(i + 1) % 2], &mask);
}

static void make_operands(void)
{
    for (int i = 0; i < 2; i++) {
        x[i] = laip_mat_create(d, ROWS, WIDTH);
        y[i] = laip_mat_create(d, ROWS, WIDTH);
        qkv[i] = laip_mat_create(d, ROWS, (size_t)3 * WIDTH);
    }
    weight = laip_mat_create(d, WIDTH, WIDTH);
    bias = laip_mat_create(d, 1, WIDTH);
    dweight = laip_mat_create(d, 1, WIDTH);
    dbias = laip_mat_create(d, 1, WIDTH);
    stats = laip_mat_create(d, ROWS, 2);
    scratch = laip_mat_create(d, 1, laip_layernorm_partials(d, ROWS, WIDTH));
    lse = laip_mat_create(d, ROWS, HEADS);
    logits = laip_mat_create(d, ROWS, WIDTH);
    loss = laip_mat_create(d, ROWS, 1);
    ints = laip_ints_create(d, (size_t)2 * ROWS);
    attention = (laip_attention){.heads = HEADS,
                                 .head_size = WIDTH / HEADS,
                                 .sequences = SEQUENCES,
                                 .blocks = SEQUENCES,
                                 .query_rows = ROWS,
                                 .key_rows = ROWS,
                                 .longest_query = ROWS / SEQUENCES,
                                 .longest_block = ROWS / SEQUENCES,
                                 .q_begin = ints,
                                 .kv_of = ints,
                                 .k_begin = ints,
                                 .block_sequences_begin = ints,
                                 .block_sequences = ints,
                                 .ids = ints};
}

/* Launches a call, and arguments set in the second of two calls with the same operands and in one with
 * others; nanoseconds of the processor's a launch. */
static void body(laip_device *device)
{
    static const struct {
        const char *name;
        void (*call)(int i);
        long most; /* arguments that may be set where the operands are others, all launches of a call together
                    */
    } calls[] = {{"gelu", gelu, 2},        {"layernorm, backward", layernorm, 5},
                 {"attention", attend, 4}, {"product", product, 7},
                 {"xent", xent, 0},        {"dropout", dropout, 3}};
    d = device;
    make_operands();
    laip_gemm_force(d, laip_device_traits(d)->lanes > 1 ? "plain"
                                                        : laip_test_products(d)); /* nothing is measured */
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        calls[k].call(0);
        long before = launches;
        arguments = 0;
        calls[k].call(0);
        long each = launches - before;
        assert_true(each > 0);
        assert_int_equal(arguments, 0);
        laip_mem_release(laip_mat_create(d, 1, 1).mem); /* another buffer may get its handle */
        calls[k].call(0);
        assert_true(arguments > 0);
        arguments = 0;
        calls[k].call(1);
        if (arguments > calls[k].most)
            fail_msg("%s sets %ld arguments, at most %ld changed", calls[k].name, arguments, calls[k].most);
        clock_t start = clock();
        for (int i = 0; i < ROUNDS; i++)
            calls[k].call(i);
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        printf("%-20s %4.0f ns a launch, %d lanes\n", calls[k].name,
               1e9 * seconds / ((double)ROUNDS * (double)each), laip_device_traits(d)->lanes);
    }
    laip_mem release[] = {x[0].mem,   x[1].mem,   y[0].mem,  y[1].mem,    qkv[0].mem, qkv[1].mem,
                          weight.mem, bias.mem,   stats.mem, dweight.mem, dbias.mem,  scratch.mem,
                          lse.mem,    logits.mem, loss.mem,  ints.mem};
    for (size_t i = 0; i < sizeof release / sizeof *release; i++)
        laip_mem_release(release[i]);
    laip_error error;
    assert_ok(laip_device_ok(d, &error), error);
}

static void set_what_changed(void **state)
{
    (void)state;
    laip_test_shapes(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(set_what_changed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
