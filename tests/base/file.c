/* Whole files in and out: the old one or the new one, never a part; folders and paths. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder;

static int make(void **state)
{
    (void)state;
    folder = laip_test_folder("file");
    return 0;
}

static int drop(void **state)
{
    (void)state;
    free(folder);
    return 0;
}

static char *inside(const char *name)
{
    return laip_path_join(folder, name);
}

static size_t entries(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static void assert_holds(const char *path, const char *want, size_t length)
{
    laip_error error;
    char *data;
    size_t size;
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    assert_int_equal(size, length);
    assert_memory_equal(data, want, length);
    assert_int_equal(data[size], '\0');
    free(data);
}

static void returns(void **state)
{
    (void)state;
    laip_error error;
    char *path = inside("returns");
    assert_ok(laip_file_write(path, "a\0b\n", 4, &error), error);
    assert_holds(path, "a\0b\n", 4);
    assert_ok(laip_file_write(path, "shorter", 3, &error), error);
    assert_holds(path, "sho", 3);
    int fd;
    size_t size;
    char have[4] = "";
    assert_ok(laip_file_open(path, &fd, &size, &error), error);
    assert_int_equal(size, 3);
    assert_ok(laip_file_write(path, NULL, 0, &error), error);
    assert_ok(laip_file_read_at(fd, path, 0, have, size, &error), error);
    assert_string_equal(have, "sho"); /* who has it open keeps what it opened */
    close(fd);
    assert_holds(path, "", 0);
    free(path);
}

/* Missing files and what is no file: bad input, by name. */
static void not_files(void **state)
{
    (void)state;
    laip_error error;
    const char *const names[] = {"no such\nfile", ".", "pipe"}; /* a pipe that nobody writes to */
    char *pipe_path = inside("pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    free(pipe_path);
    for (size_t i = 0; i < 3; i++) {
        char *path = inside(names[i]), *data;
        int fd;
        size_t size;
        assert_false(laip_file_read(path, &data, &size, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_ptr_equal(strstr(error.text, folder), error.text);
        assert_null(strchr(error.text, '\n'));
        assert_false(laip_file_open(path, &fd, &size, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        free(path);
    }
    char *path = inside("no/such/folder");
    assert_false(laip_file_write(path, "x", 1, &error));
    assert_int_equal(error.status, LAIP_FAILURE);
    assert_non_null(strstr(error.text, "no/such/folder: cannot be written"));
    free(path);
}

/* Until it is committed the old file stands; a write that fails leaves it, and nothing beside it. */
static void old_or_new(void **state)
{
    (void)state;
    laip_error error;
    laip_file file;
    char *path = inside("old_or_new"), *lots = laip_alloc(200000, 1);
    assert_ok(laip_file_write(path, "old", 3, &error), error);
    size_t before = entries(folder);
    assert_ok(laip_file_begin(&file, path, &error), error);
    fputs("new", file.stream);
    fflush(file.stream);
    assert_holds(path, "old", 3);
    assert_int_equal(entries(folder), before + 1);
    laip_file_cancel(&file);
    laip_file_cancel(&file);
    assert_holds(path, "old", 3);
    assert_int_equal(entries(folder), before);

    struct rlimit kept, few;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    few = kept;
    few.rlim_cur = 1000; /* the disk is full after so many bytes */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    bool much = laip_file_write(path, lots, 200000, &error),
         little = laip_file_write(path, lots, 2000, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
    assert_false(much);
    assert_false(little);
    assert_int_equal(error.status, LAIP_FAILURE);
    assert_ptr_equal(strstr(error.text, path), error.text);
    assert_non_null(strstr(error.text, "cannot be written: "));
    assert_holds(path, "old", 3);
    assert_int_equal(entries(folder), before);
    free(lots);
    free(path);
}

/* A process that is killed while it writes leaves the old file whole. */
static void killed(void **state)
{
    (void)state;
    laip_error error;
    char *path = inside("killed");
    assert_ok(laip_file_write(path, "old", 3, &error), error);
    pid_t child = fork();
    if (child == 0) {
        laip_file file;
        if (laip_file_begin(&file, path, &error)) {
            fputs("half of the new", file.stream);
            fflush(file.stream);
            raise(SIGKILL);
        }
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_holds(path, "old", 3);
    free(path);
}

/* Two writers of one place do not meet: the last to commit wins, whole. */
static void two_writers(void **state)
{
    (void)state;
    laip_error error;
    laip_file a, b;
    char *path = inside("two");
    assert_ok(laip_file_begin(&a, path, &error), error);
    assert_ok(laip_file_begin(&b, path, &error), error);
    assert_string_not_equal(a.temporary, b.temporary);
    fputs("first", a.stream);
    fputs("second", b.stream);
    assert_ok(laip_file_commit(&b, &error), error);
    assert_holds(path, "second", 6);
    assert_ok(laip_file_commit(&a, &error), error);
    assert_holds(path, "first", 5);
    assert_null(a.stream);
    free(path);
}

static void folders(void **state)
{
    (void)state;
    laip_error error;
    struct stat st;
    char *path = inside("a/b//c/"), *file = inside("a/file"), *under = inside("a/file/x");
    assert_ok(laip_make_folders(path, &error), error);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_ok(laip_make_folders(path, &error), error);
    assert_ok(laip_file_write(file, "", 0, &error), error);
    assert_false(laip_make_folders(under, &error));
    assert_int_equal(error.status, LAIP_FAILURE);
    assert_non_null(strstr(error.text, "a/file/x: folder cannot be made"));
    free(path);
    free(file);
    free(under);
}

static void joined(const char *a, const char *b, const char *want)
{
    char *path = laip_path_join(a, b);
    assert_string_equal(path, want);
    free(path);
}

static void paths(void **state)
{
    (void)state;
    joined("a", "b", "a/b");
    joined("a/", "b", "a/b");
    joined("/", "b", "/b");
    joined("", "b", "b");
    joined(NULL, "b", "b");
    joined("a", "/b", "/b");
    const struct {
        const char *own, *xdg, *home, *want;
    } cases[] = {{"/o", "/x", "/h", "/o"},
                 {"", "/x", "/h", "/x/laip"},
                 {NULL, "", "/h", "/h/.cache/laip"},
                 {NULL, NULL, "/h/i", "/h/i/.cache/laip"}};
    const char *const names[] = {"LAIP_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const values[] = {cases[i].own, cases[i].xdg, cases[i].home};
        for (int k = 0; k < 3; k++)
            assert_int_equal(values[k] ? setenv(names[k], values[k], 1) : unsetenv(names[k]), 0);
        char *cache = laip_cache_folder();
        assert_string_equal(cache, cases[i].want);
        free(cache);
    }
}

/* What a user without a home is given: a folder that others can neither write to nor have made.  Returns the
 * number of the check that failed, 0 for none. */
static int homeless_user(void)
{
    struct stat st;
    char *mine = laip_cache_folder();
    if (strncmp(mine, folder, strlen(folder)) != 0 || stat(mine, &st) != 0 || st.st_uid != geteuid() ||
        (st.st_mode & 077))
        return 1;
    const char *const nowhere = "/dev/null/laip";
    if (chmod(mine, 0777) != 0 || strcmp(laip_cache_folder(), nowhere) != 0)
        return 2;
    if (rmdir(mine) != 0 || symlink("/tmp", mine) != 0 || strcmp(laip_cache_folder(), nowhere) != 0)
        return 3;
    laip_error error;
    return laip_make_folders(nowhere, &error) ? 4 : 0;
}

static void homeless(void **state)
{
    (void)state;
    int status;
    if (geteuid() != 0) /* only root can become a user of whom nothing is known */
        skip();
    assert_int_equal(chmod(folder, 0777), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        unsetenv("LAIP_CACHE_DIR");
        unsetenv("XDG_CACHE_HOME");
        unsetenv("HOME");
        setenv("TMPDIR", folder, 1);
        _exit(setuid(54321) != 0 ? 9 : homeless_user());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(returns),     cmocka_unit_test(not_files),
                                       cmocka_unit_test(old_or_new),  cmocka_unit_test(killed),
                                       cmocka_unit_test(two_writers), cmocka_unit_test(folders),
                                       cmocka_unit_test(paths),       cmocka_unit_test(homeless)};
    return cmocka_run_group_tests(tests, make, drop);
}
