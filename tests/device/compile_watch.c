/* A driver's compiler that takes long: the program says so while it goes on, names what it compiles, and is
 * silent where it is quick.  clBuildProgram is this file's, which waits and then calls the driver's. */
#define _GNU_SOURCE
#include "support/test.h"

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "device/launch.h"
#include "support/device.h"
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef cl_int build_function(cl_program, cl_uint, const cl_device_id *, const char *,
                              void(CL_CALLBACK *)(cl_program, void *), void *);

static time_t slow; /* seconds that the next compilation takes longer */
static int builds;

cl_int CL_API_CALL clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices,
                                  const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                                  void *user)
{
    build_function *drivers;
    const struct timespec wait = {slow, 500000000};
    void *symbol = dlsym(RTLD_NEXT, "clBuildProgram");
    assert_non_null(symbol);
    memcpy(&drivers, &symbol, sizeof drivers);
    builds++;
    if (slow)
        nanosleep(&wait, NULL);
    slow = 0;
    return drivers(program, count, devices, options, notify, user);
}

typedef struct laip_cl_watched_arguments {
    laip_arg x;
} laip_cl_watched_arguments;
static const laip_parameter parameters[] = {{"x", 0, sizeof(laip_mem), true}};
static const laip_kernel_description laip_cl_watched = {
    "watched.cl", "watched", 0, 1, sizeof(laip_cl_watched_arguments), parameters};

static void keep_line(void *user, const char *line)
{
    laip_str_addf(user, "%s\n", line);
}

/* What is said while the kernel is compiled anew, as its text is another; free() releases it. */
static char *said(const char *factor, time_t seconds)
{
    laip_error error;
    laip_str text = {0}, source = {0};
    laip_device *d;
    char *folder = laip_test_folder("watch"), *path = laip_path_join(folder, "watched.cl");
    laip_str_addf(&source, "kernel void watched(global float *x) { x[get_global_id(0)] *= %s; }\n", factor);
    assert_ok(laip_file_write(path, source.text, source.length, &error), error);
    setenv("LAIP_KERNEL_DIR", folder, 1);
    setenv("LAIP_CACHE_DIR", folder, 1);
    assert_ok(laip_device_open(&d, NULL, 0, &error), error);
    laip_mat m = laip_mat_create(d, 1, 4);
    int before = builds;
    laip_log_to(keep_line, &text);
    slow = seconds;
    LAIP_LAUNCH(d, watched, "", ((laip_grid){.groups = {4}}), LAIP_BOTH(m));
    laip_log_to(NULL, NULL);
    assert_ok(laip_device_finish(d, &error), error);
    assert_true(builds > before);
    laip_mem_release(m.mem);
    laip_device_close(d);
    unsetenv("LAIP_KERNEL_DIR");
    unsetenv("LAIP_CACHE_DIR");
    free(source.text);
    free(folder);
    free(path);
    return text.text;
}

static void quick(void **state)
{
    (void)state;
    char *text = said("2", 0);
    if (text && strstr(text, "compiling"))
        fail_msg("said of a quick one: %s", text);
    free(text);
}

static void long_one(void **state)
{
    (void)state;
    char *text = said("3", 5);
    assert_non_null(text);
    if (!strstr(text, "has been compiling cl/watched.cl for 5 s") || strncmp(text, "warning: ", 9) != 0)
        fail_msg("said of one of 5.5 s: %s", text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(quick), cmocka_unit_test(long_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
