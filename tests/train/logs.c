/* Logs: whole lines or none, and a failure when the disk is full; what a broken-off run left is cut. */
#include "support/test.h"

#include "base/file.h"
#include "train/logs.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char *path;

static int make(void **state)
{
    (void)state;
    char *folder = laip_test_folder("logs");
    path = laip_path_join(folder, "metrics.jsonl");
    free(folder);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    free(path);
    return 0;
}

static void assert_holds(const char *want)
{
    char *text;
    size_t size;
    laip_error error;
    assert_ok(laip_file_read(path, &text, &size, &error), error);
    assert_string_equal(text, want);
    free(text);
}

static void cut(void **state)
{
    (void)state;
    laip_error error;
    laip_log log;
    uint64_t last;
    static const char left[] =
        "{\"step\":1}\n{\"step\":2,\"x\":null}\nnot JSON\n{\"steps\":2}\n{\"step\":3}\n{\"ste";
    assert_ok(laip_file_write(path, left, sizeof left - 1, &error), error);
    assert_ok(laip_log_open(&log, path, 2, &last, &error), error);
    assert_int_equal(last, 2);
    assert_ok(laip_log_line(&log, "{\"step\":3}", &error) && laip_log_sync(&log, &error), error);
    laip_log_close(&log);
    assert_holds("{\"step\":1}\n{\"step\":2,\"x\":null}\n{\"step\":3}\n");
    assert_ok(laip_log_open(&log, path, 9, &last, &error), error);
    assert_int_equal(last, 3); /* whoever opens it is told that lines are missing */
    laip_log_close(&log);
    assert_ok(laip_log_open(&log, path, 0, &last, &error), error);
    laip_log_close(&log);
    assert_holds("");
}

/* A line that does not find room is not begun, and the run hears of it; those before it stay. */
static void full(void **state)
{
    (void)state;
    laip_error error;
    laip_log log;
    uint64_t last;
    struct rlimit old, small;
    assert_ok(laip_log_open(&log, path, 0, &last, &error), error);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){30, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_ok(laip_log_line(&log, "{\"step\":1,\"loss\":2.5}", &error), error);
    bool good = laip_log_line(&log, "{\"step\":2,\"loss\":2.25}", &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(good);
    assert_int_equal(error.status, LAIP_FAILURE);
    assert_ptr_equal(strstr(error.text, path), error.text);
    assert_holds("{\"step\":1,\"loss\":2.5}\n");
    assert_ok(laip_log_line(&log, "{\"step\":2}", &error), error); /* once there is room again */
    assert_holds("{\"step\":1,\"loss\":2.5}\n{\"step\":2}\n");
    laip_log_close(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cut), cmocka_unit_test(full)};
    return cmocka_run_group_tests(tests, make, drop);
}
