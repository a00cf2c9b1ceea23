/* Launching: what a kernel is given is checked on every device, the first failure stays and is named, and
 * compiled programs are kept on disk by their whole source. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "device/internal.h"
#include "device/launch.h"
#include "support/device.h"
#include <dirent.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static char *kernels, *cache; /* folders: sources of our own, and their binaries */

static void write_source(const char *name, const char *text)
{
    laip_error error;
    char *path = laip_path_join(kernels, name);
    assert_ok(laip_file_write(path, text, strlen(text), &error), error);
    free(path);
}

static const char adding[] = "#include \"amount.h\"\n"
                             "kernel void add(global float *x, float a, int n)\n"
                             "{\n"
                             "    size_t i = get_global_id(0);\n"
                             "    if (i < n)\n"
                             "        x[i] += a * AMOUNT;\n"
                             "}\n"
                             "#ifndef FLOATS\n"
                             "#define FLOATS 4\n"
                             "#endif\n"
                             "kernel void shared(global float *x)\n"
                             "{\n"
                             "    local float workspace[FLOATS];\n"
                             "    workspace[get_local_id(0)] = 1;\n"
                             "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                             "    x[get_global_id(0)] = workspace[3 - get_local_id(0)];\n"
                             "}\n";

/* As tools/kernels.cmake would describe them. */
typedef struct laip_cl_add_arguments {
    laip_arg x;
    laip_f32 a;
    laip_i32 n;
} laip_cl_add_arguments;
typedef struct laip_cl_shared_arguments {
    laip_arg x;
} laip_cl_shared_arguments;

#define FIELD(type, field, bytes, buffer)                                                                    \
    {                                                                                                        \
#field, offsetof(type, field), bytes, buffer                                                         \
    }
static const laip_parameter add_parameters[] = {FIELD(laip_cl_add_arguments, x, sizeof(laip_mem), true),
                                                FIELD(laip_cl_add_arguments, a, sizeof(laip_f32), false),
                                                FIELD(laip_cl_add_arguments, n, sizeof(laip_i32), false)};
#define DESCRIPTION(file, name, index, count)                                                                \
    {                                                                                                        \
        file, name, index, count, sizeof(laip_cl_add_arguments), add_parameters                              \
    }
static const laip_kernel_description laip_cl_add = DESCRIPTION("add.cl", "add", 0, 3),
                                     laip_cl_subtract = DESCRIPTION("add.cl", "subtract", 1, 3),
                                     laip_cl_none = DESCRIPTION("none.cl", "add", 2, 3),
                                     laip_cl_two = DESCRIPTION("add.cl", "add", 300, 2);
static const laip_kernel_description laip_cl_shared = {
    "add.cl", "shared", 4, 1, sizeof(laip_cl_shared_arguments), add_parameters};

static int make(void **state)
{
    (void)state;
    kernels = laip_test_folder("kernels");
    cache = laip_test_folder("cache");
    setenv("LAIP_KERNEL_DIR", kernels, 1);
    setenv("LAIP_CACHE_DIR", cache, 1);
    write_source("add.cl", adding);
    write_source("amount.h", "#define AMOUNT 2\n");
    return 0;
}

static int drop(void **state)
{
    (void)state;
    free(kernels);
    free(cache);
    return 0;
}

static laip_device *opened(void)
{
    laip_error error;
    laip_device *d;
    assert_ok(laip_device_open(&d, NULL, 0, &error), error);
    return d;
}

/* The device's failure is one line that holds both; nothing works on it any more. */
static void check_failed(laip_device *d, const char *says, const char *also)
{
    laip_error error = {0};
    float value = 7;
    assert_false(laip_device_finish(d, &error));
    assert_int_equal(error.status, strstr(says, "none.cl") ? LAIP_BAD_INPUT : LAIP_FAILURE);
    if (!strstr(error.text, says) || !strstr(error.text, also) || strchr(error.text, '\n'))
        fail_msg("'%s' does not say '%s' and '%s'", error.text, says, also);
    assert_null(laip_mem_create(d, 64, "more"));
    laip_mem_read(d, NULL, 0, &value, sizeof value);
    assert_true(value == 7);
    laip_device_fail(d, "something later");
    laip_error again;
    assert_false(laip_device_ok(d, &again));
    assert_string_equal(again.text, error.text);
    laip_device_close(d);
}

static const laip_grid four = {.groups = {4}, .items = {1}};

static float added(laip_device *d, const char *options)
{
    float x[4] = {1, 2, 3, 4};
    laip_mat m = laip_test_mat(d, 1, 4, x);
    LAIP_LAUNCH(d, add, options, four, LAIP_MAT(m), LAIP_F(10), LAIP_I(3));
    float *y = laip_test_read(d, m), change = y[0] - 1;
    assert_true(y[1] == 2 + change && y[2] == 3 + change && y[3] == 4);
    free(y);
    laip_mem_release(m.mem);
    return change;
}

static void wrong_launches(void **state)
{
    enum { SIZE = sizeof(laip_cl_add_arguments) };
    (void)state;
    const struct {
        const laip_kernel_description *what;
        const char *options;
        laip_grid grid;
        size_t size;
        const char *says, *also;
    } cases[] = {
        {&laip_cl_two, "", four, SIZE, "kernel add: it takes 3 arguments", "2 are given"},
        {&laip_cl_add, "", four, SIZE - 8, "kernel add: arguments of", "its own are of"},
        {&laip_cl_add, "", {.items = {257}}, SIZE, "kernel add: a group of 257 items", "allowed are 256"},
        {&laip_cl_add,
         "",
         {.items = {16, 8, 4}},
         SIZE,
         "kernel add: a group of 512 items",
         "allowed are 256"},
        {&laip_cl_subtract, "", four, SIZE, "clCreateKernel: CL_INVALID_KERNEL_NAME", "subtract"},
        {&laip_cl_none, "", four, SIZE, "none.cl", "cannot be read"},
        {&laip_cl_add, "-DAMOUNT=+", four, SIZE, "clBuildProgram: CL_BUILD_PROGRAM_FAILURE", "-DAMOUNT=+"},
    };
    write_source("amount.h", "#ifndef AMOUNT\n#define AMOUNT 2\n#endif\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        laip_device *d = opened();
        laip_mat m = laip_mat_create(d, 1, 4);
        laip_cl_add_arguments arguments = {LAIP_MAT(m), LAIP_F(1), LAIP_I(4)};
        laip_launch(d, cases[i].what, LAIP_AS_OPTIONS(cases[i].options), cases[i].grid, &arguments,
                    cases[i].size);
        laip_mem_release(m.mem);
        check_failed(d, cases[i].says, cases[i].also);
    }
}

/* Local memory a group: 32 KiB anywhere. */
static void local_memory(void **state)
{
    (void)state;
    laip_device *d = opened();
    laip_mat m = laip_mat_create(d, 1, 8);
    laip_grid two = {.groups = {2}, .items = {4}};
    LAIP_LAUNCH(d, shared, "-DFLOATS=8192", two, LAIP_MAT(m));
    float *y = laip_test_read(d, m);
    for (int i = 0; i < 8; i++)
        assert_true(y[i] == 1);
    free(y);
    LAIP_LAUNCH(d, shared, "-DFLOATS=8193", two, LAIP_MAT(m));
    laip_mem_release(m.mem);
    check_failed(d, "kernel shared: a group of 4 items and 32772 bytes", "32768 bytes");
}

/* An OpenCL call that fails is named with its error and the device. */
static void calls_are_named(void **state)
{
    (void)state;
    laip_device *d = opened();
    laip_mat m = laip_mat_create(d, 1, 4);
    float lots[64];
    laip_mem_read(d, m.mem, 0, lots, sizeof lots);
    laip_mem_release(m.mem);
    check_failed(d, "clEnqueueReadBuffer: CL_INVALID_VALUE (-30) on ", laip_device_traits(d)->name);
}

static void includes(void **state)
{
    (void)state;
    write_source("amount.h", "#include \"amount.h\"\n");
    laip_device *d = opened();
    LAIP_LAUNCH(d, add, "", four, {0}, LAIP_F(1), LAIP_I(4));
    check_failed(d, "amount.h", "includes itself");
}

static size_t binaries(char **one)
{
    char *folder = laip_path_join(cache, "programs");
    DIR *dir = opendir(folder);
    size_t count = 0;
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        if (strlen(e->d_name) > 4 && strcmp(e->d_name + strlen(e->d_name) - 4, ".bin") == 0) {
            free(*one);
            *one = laip_path_join(folder, e->d_name);
            count++;
        }
    if (dir)
        closedir(dir);
    free(folder);
    return count;
}

/* Whatever was found out of the driver so far: binaries are to be kept. */
static void driver_does_not_cache(void)
{
    char *folder = laip_path_join(cache, "programs");
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strstr(e->d_name, ".driver")) {
            laip_error error;
            char *path = laip_path_join(folder, e->d_name);
            assert_ok(laip_file_write(path, "does not cache\n", 15, &error), error);
            free(path);
        }
    closedir(dir);
    free(folder);
}

static const laip_options plain;

static void add_to(laip_device *d, laip_mem mem, laip_options options, float a, int n)
{
    LAIP_LAUNCH(d, add, options, four, laip_arg_mem(mem), LAIP_F(a), LAIP_I(n));
}

/* A launch sets what changed: each argument alone, a buffer that has another's handle, options that change in
 * one place. */
static void remembered(void **state)
{
    (void)state;
    enum { BUFFERS = 20 };
    float zero[4] = {0};
    static const char format[] = "-DUNUSED=# -DTIMES=#";
    write_source("amount.h", "#ifdef TIMES\n#define AMOUNT TIMES\n#else\n#define AMOUNT 1\n#endif\n");
    laip_device *d = opened();
    laip_mat a = laip_test_mat(d, 1, 4, zero), b = laip_test_mat(d, 1, 4, zero);
    add_to(d, a.mem, plain, 1, 4);
    add_to(d, b.mem, plain, 1, 4);
    add_to(d, b.mem, plain, 10, 4);
    add_to(d, b.mem, plain, 10, 1);
    add_to(d, b.mem, LAIP_OPTIONS(format, "", 1, 1), 100, 4);
    add_to(d, b.mem, LAIP_OPTIONS(format, "", 1, 2), 100, 4);
    float *x = laip_test_read(d, a), *y = laip_test_read(d, b);
    assert_true(x[0] == 1 && x[3] == 1);
    assert_true(y[0] == 1 + 10 + 10 + 100 + 200 && y[3] == 1 + 10 + 100 + 200);
    free(x);
    free(y);
    laip_mem_release(a.mem);
    laip_mem_release(b.mem);
    for (int i = 0; i < BUFFERS; i++) { /* a new buffer's handle may be the last one's */
        laip_mat c = laip_test_mat(d, 1, 4, zero);
        add_to(d, c.mem, plain, 1, 4);
        x = laip_test_read(d, c);
        assert_true(x[0] == 1 && x[3] == 1);
        free(x);
        laip_mem_release(c.mem);
    }
    laip_device_close(d);
    write_source("amount.h", "#define AMOUNT 2\n");
}

static void on_disk(void **state)
{
    (void)state;
    char *fresh = laip_test_folder("fresh"), *one = NULL, *kept, *data;
    laip_error error;
    size_t size, kept_size;
    free(cache);
    cache = fresh;
    setenv("LAIP_CACHE_DIR", cache, 1);
    write_source("amount.h", "#define AMOUNT 2\n");
    assert_int_equal(binaries(&one), 0);
    laip_device *d = opened();
    assert_true(added(d, "") == 20);
    assert_int_equal(binaries(&one), 1);
    assert_true(added(d, "") == 20);
    laip_device_close(d);
    driver_does_not_cache();
    assert_ok(laip_file_read(one, &kept, &kept_size, &error), error);

    d = opened(); /* from the disk */
    assert_true(added(d, "") == 20);
    assert_int_equal(binaries(&one), 1);
    laip_device_close(d);

    /* a binary that is cut, or damaged in its middle, is made anew */
    const size_t lengths[] = {0, 10, kept_size / 2, kept_size};
    for (int i = 0; i < 4; i++) {
        kept[kept_size / 2] ^= i == 3;
        assert_ok(laip_file_write(one, kept, lengths[i], &error), error);
        d = opened();
        assert_true(added(d, "") == 20);
        laip_device_close(d);
        assert_int_equal(binaries(&one), 1);
        assert_ok(laip_file_read(one, &data, &size, &error), error);
        assert_true(size > lengths[i] || memcmp(data, kept, size) != 0);
        free(data);
    }

    write_source("amount.h", "#define AMOUNT 3\n"); /* a change in what is included is a change */
    d = opened();
    assert_true(added(d, "") == 30);
    assert_int_equal(binaries(&one), 2);
    assert_true(added(d, "-DUNUSED") == 30);
    assert_int_equal(binaries(&one), 3);
    laip_device_close(d);

    setenv("LAIP_CACHE_DIR", "/proc/no/such/place", 1); /* a cache that cannot be written costs time alone */
    d = opened();
    assert_true(added(d, "") == 30);
    laip_device_close(d);
    free(kept);
    free(one);
}

/* Bands on devices of other sizes than this one: never of a few rows, groups for every unit where
 * rows allow it, and in the memory that is laid out for the most rows and columns. */
static void bands(void **state)
{
    laip_device *d = laip_test_device();
    const laip_traits own = d->traits;
    static const int units[] = {1, 2, 64, 132, 304};
    static const size_t widths[] = {1, 17, 255, 256, 257, 768, 2304, 3072};
    (void)state;
    for (int i = 0; i < 10; i++) {
        d->traits.units = units[i / 2];
        d->traits.lanes = i % 2 ? 64 : 1;
        d->traits.vector = i % 2 ? 4 : 16;
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t rows = 1; rows < 9000; rows += 1 + rows / 3) {
                size_t cols = widths[w], n = laip_bands(d, rows, cols, 16), band = (rows + n - 1) / n;
                size_t across = laip_grid_flat(d, cols, (size_t)d->traits.vector).groups[0];
                assert_true(n * band >= rows && (n - 1) * band < rows);
                assert_true(n == 1 || band > 16);
                assert_true(n * across >= (size_t)d->traits.units || band < 64);
                for (size_t most = w; most < sizeof widths / sizeof *widths; most++)
                    assert_true(n * cols <= laip_bands_floats(d, rows, widths[most], 16));
                assert_true(n * cols <= laip_bands_floats(d, 9000, cols, 16));
            }
    }
    d->traits = own;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_launches), cmocka_unit_test(local_memory), cmocka_unit_test(calls_are_named),
        cmocka_unit_test(includes),       cmocka_unit_test(remembered),   cmocka_unit_test(on_disk),
        cmocka_unit_test(bands)};
    return cmocka_run_group_tests(tests, make, drop);
}
