/* What people are shown: whole lines, on standard error alone, from any number of threads. */
#include "support/test.h"

#include "base/file.h"
#include "base/log.h"
#include "base/parallel.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int kept = -1;
static char *path;

/* Standard error goes to a file from here on … */
static void catch (void)
{
    char *folder = laip_test_folder("log");
    path = laip_path_join(folder, "stderr");
    fflush(stderr);
    kept = dup(STDERR_FILENO);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
    free(folder);
}

/* … and back; returns what came, free() releases it. */
static char *caught(void)
{
    laip_error error;
    char *text;
    size_t size;
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_ok(laip_file_read(path, &text, &size, &error), error);
    free(path);
    return text;
}

static void lines(void **state)
{
    (void)state;
    catch ();
    laip_note("%d pictures", 3);
    laip_warn("%s is small", "it");
    laip_log_quiet(true); /* notes and progress are not shown, warnings are */
    laip_note("unseen");
    laip_progress("unseen");
    laip_warn("seen");
    laip_log_quiet(false);
    laip_note("again");
    char *text = caught();
    assert_string_equal(text, "3 pictures\nwarning: it is small\nwarning: seen\nagain\n");
    free(text);
}

/* Where there is no terminal, progress is a line now and then: the first one, and the first after another
 * line. */
static void progress(void **state)
{
    (void)state;
    catch ();
    for (int i = 0; i < 1000; i++)
        laip_progress("step %d", i);
    laip_note("a note");
    laip_progress("step %d", 1000);
    laip_progress("step %d", 1001);
    laip_progress_end();
    laip_progress_end();
    laip_progress("another");
    laip_progress_end();
    char *text = caught();
    assert_string_equal(text, "step 0\na note\nstep 1000\nanother\n");
    free(text);
}

static void tell(void *context, size_t i)
{
    (void)context;
    if (i % 3 == 0)
        laip_note("<%04zu is a line of its own>", i);
    else if (i % 3 == 1)
        laip_warn("<%04zu is a line of its own>", i);
    else
        laip_progress("<%04zu is progress>", i);
}

static void many_threads(void **state)
{
    (void)state;
    enum { TOLD = 3000 };
    static char seen[TOLD];
    catch ();
    laip_parallel_for(TOLD, 8, tell, NULL);
    laip_progress_end();
    char *text = caught();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned i = TOLD;
        char wanted[64], *begin = strchr(line, '<');
        assert_non_null(begin);
        assert_int_equal(sscanf(begin, "<%4u", &i), 1);
        assert_true(i < TOLD && !seen[i]++);
        snprintf(wanted, sizeof wanted, "%s<%04u is %s>", i % 3 == 1 ? "warning: " : "", i,
                 i % 3 == 2 ? "progress" : "a line of its own");
        assert_string_equal(line, wanted);
    }
    for (int i = 0; i < TOLD; i++)
        assert_true(seen[i] || i % 3 == 2);
    free(text);
}

static void long_lines(void **state)
{
    (void)state;
    char lots[5000];
    memset(lots, 'x', sizeof lots - 1);
    lots[sizeof lots - 1] = '\0';
    catch ();
    laip_warn("%s", lots);
    laip_progress("%s", lots);
    laip_progress_end();
    char *text = caught();
    assert_int_equal(strlen(text), 9 + 2047 + 1 + 511 + 1); /* cut, and still two lines */
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(progress),
                                       cmocka_unit_test(many_threads), cmocka_unit_test(long_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
