/* Compiled programs on disk with several processes at once: each gets a program that works, whatever the
 * others write; one whole binary is left and nothing beside it.  Each process opens its device after the
 * fork. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "device/launch.h"
#include "support/device.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 4 };

static const char doubling[] = "kernel void twice(global float *x)\n"
                               "{\n"
                               "    x[get_global_id(0)] *= 2;\n"
                               "}\n";

typedef struct laip_cl_twice_arguments {
    laip_arg x;
} laip_cl_twice_arguments;
static const laip_parameter parameters[] = {{"x", 0, sizeof(laip_mem), true}};
static const laip_kernel_description laip_cl_twice = {
    "twice.cl", "twice", 0, 1, sizeof(laip_cl_twice_arguments), parameters};

/* Launches the kernel and looks at what it made; the process's exit status. */
static int use_it(void)
{
    laip_device *d;
    laip_error error;
    const float x[4] = {1, 2, 3, 4};
    float y[4] = {0};
    if (!laip_device_open(&d, NULL, 0, &error))
        return 3;
    laip_mat m = laip_mat_create(d, 1, 4);
    laip_mat_write(d, m, x);
    LAIP_LAUNCH(d, twice, "", ((laip_grid){.groups = {4}}), LAIP_BOTH(m));
    laip_mat_read(d, m, y);
    bool good = laip_device_finish(d, &error);
    laip_mem_release(m.mem);
    laip_device_close(d);
    if (!good)
        fprintf(stderr, "%s\n", error.text);
    return !good ? 4 : y[0] == 2 && y[3] == 8 ? 0 : 5;
}

/* `count` processes at once; all of them must succeed. */
static void run(int count)
{
    pid_t child[PROCESSES];
    fflush(NULL);
    for (int i = 0; i < count; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (!child[i])
            _exit(use_it());
    }
    for (int i = 0; i < count; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

/* The one binary in the cache's folder of programs; NULL: none. */
static char *binary(const char *cache)
{
    char *folder = laip_path_join(cache, "programs"), *path = NULL;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' || strstr(e->d_name, ".driver"))
            continue;
        if (path)
            fail_msg("%s beside %s", e->d_name, path);
        path = laip_path_join(folder, e->d_name);
    }
    closedir(dir);
    free(folder);
    return path;
}

/* The file that says whether the driver caches. */
static char *verdict(const char *cache)
{
    char *folder = laip_path_join(cache, "programs"), *path = NULL;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strstr(e->d_name, ".driver"))
            path = laip_path_join(folder, e->d_name);
    closedir(dir);
    free(folder);
    assert_non_null(path);
    return path;
}

static void expect_verdict(const char *cache, const char *first, const char *second)
{
    laip_error error;
    char *path = verdict(cache), *text;
    size_t size;
    assert_ok(laip_file_read(path, &text, &size, &error), error);
    if (strncmp(text, first, strlen(first)) != 0 && strncmp(text, second, strlen(second)) != 0)
        fail_msg("%s says %s, expected %s or %s", path, text, first, second);
    free(text);
    free(path);
}

static void put_verdict(const char *cache, const char *text)
{
    laip_error error;
    char *path = verdict(cache);
    assert_ok(laip_file_write(path, text, strlen(text), &error), error);
    free(path);
}

static void racing(void **state)
{
    (void)state;
    laip_error error;
    char *kernels = laip_test_folder("kernels"), *cache = laip_test_folder("cache"), *whole, *after;
    char *source = laip_path_join(kernels, "twice.cl");
    size_t size, size_after;
    setenv("LAIP_KERNEL_DIR", kernels, 1);
    setenv("LAIP_CACHE_DIR", cache, 1);
    assert_ok(laip_file_write(source, doubling, strlen(doubling), &error), error);
    run(1); /* nothing is known of the driver yet: compiles and writes, and begins to find out */
    expect_verdict(cache, "trial ", "trial ");
    char *path = binary(cache);
    assert_non_null(path);
    assert_int_equal(remove(path), 0);
    for (int i = 0; i < 3; i++) { /* finds out */
        char *other = i ? binary(cache) : NULL;
        if (other)
            assert_int_equal(remove(other), 0);
        free(other);
        run(1);
    }
    expect_verdict(cache, "caches\n", "does not cache\n");
    free(path);
    put_verdict(cache, "caches\n");
    path = binary(cache);
    if (path)
        assert_int_equal(remove(path), 0);
    free(path);
    run(PROCESSES); /* and leaves it to the driver */
    assert_null(binary(cache));
    put_verdict(cache, "does not cache\n");
    run(PROCESSES); /* all find nothing, compile and write */
    path = binary(cache);
    assert_non_null(path);
    assert_ok(laip_file_read(path, &whole, &size, &error), error);
    run(PROCESSES); /* all read it */
    assert_ok(laip_file_read(path, &after, &size_after, &error), error);
    assert_int_equal(size_after, size);
    assert_memory_equal(after, whole, size);
    free(after);
    for (size_t cut = 0; cut < 3; cut++) { /* all find a part of it, and mend it */
        assert_ok(laip_file_write(path, whole, cut * size / 3, &error), error);
        run(PROCESSES);
        char *again = binary(cache);
        assert_non_null(again);
        assert_string_equal(again, path);
        assert_ok(laip_file_read(path, &after, &size_after, &error), error);
        assert_true(size_after > 2 * size / 3);
        free(after);
        free(again);
    }
    free(whole);
    free(path);
    free(source);
    free(kernels);
    free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(racing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
