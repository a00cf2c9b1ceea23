/* The names of kernels: each that cl/ defines is launched from src/, and each that is launched is there; and
 * what kind of functions they call. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include <ctype.h>
#include <dirent.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
    char *name, *text;
} source;

typedef struct sources {
    source *list;
    size_t count, capacity;
} sources;

static void read_folder(sources *s, const char *folder, const char *suffix)
{
    char *path = laip_path_join(laip_test_source(), folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name), m = strlen(suffix), size;
        if (n <= m || strcmp(e->d_name + n - m, suffix) != 0)
            continue;
        laip_error error;
        char *file = laip_path_join(path, e->d_name);
        void *array = s->list;
        laip_grow(&array, &s->capacity, s->count + 1, sizeof *s->list);
        s->list = array;
        source *x = &s->list[s->count++];
        x->name = laip_strdup(e->d_name);
        assert_ok(laip_file_read(file, &x->text, &size, &error), error);
        free(file);
    }
    closedir(dir);
    free(path);
}

static void release(sources *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->list[i].name);
        free(s->list[i].text);
    }
    free(s->list);
}

/* The name of the kernel that a line defines: in cl/ such lines begin with a qualifier in capitals or with
 * __kernel, `ROW_KERNEL void gather_rows(`; the name may be on the next one.  False: it defines none. */
static bool defined(const char *line, char name[64])
{
    const char *v = strstr(line, " void"), *end = strchr(line, '\n');
    if (!(isupper((unsigned char)*line) || strncmp(line, "__kernel", 8) == 0) || !v || (end && v > end))
        return false;
    return isspace((unsigned char)v[5]) && sscanf(v, " void %63[a-z0-9_](", name) == 1;
}

static bool defines(const source *cl, const char *kernel)
{
    char name[64];
    for (const char *line = cl->text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (defined(line, name) && strcmp(name, kernel) == 0)
            return true;
    }
    return false;
}

static bool quotes(const source *c, const char *name)
{
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    return strstr(c->text, quoted) != NULL;
}

static void every_kernel_is_launched(void **state)
{
    (void)state;
    sources cl = {0}, c = {0};
    size_t kernels = 0;
    read_folder(&cl, "cl", ".cl");
    read_folder(&c, "src/ops", ".c");
    read_folder(&c, "src/ops/gemm", ".c");
    read_folder(&c, "src/bench", ".c");
    for (size_t i = 0; i < cl.count; i++) {
        char name[64];
        for (const char *line = cl.list[i].text; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            if (!defined(line, name))
                continue;
            bool found = false;
            for (size_t k = 0; k < c.count; k++)
                found |= quotes(&c.list[k], cl.list[i].name) && quotes(&c.list[k], name);
            if (!found)
                fail_msg("cl/%s: kernel %s is launched by no file of src/ops or src/bench", cl.list[i].name,
                         name);
            kernels++;
        }
    }
    assert_true(kernels > 50);
    release(&cl);
    release(&c);
}

/* Launches as they are written: the file's name, and one kernel's name, or two of which a condition chooses.
 */
static void every_launch_has_a_kernel(void **state)
{
    (void)state;
    sources cl = {0}, c = {0};
    size_t launches = 0;
    read_folder(&cl, "cl", ".cl");
    read_folder(&c, "src/ops", ".c");
    read_folder(&c, "src/ops/gemm", ".c");
    read_folder(&c, "src/bench", ".c");
    for (size_t k = 0; k < c.count; k++)
        for (const char *at = c.list[k].text; (at = strstr(at, ".cl\"")) != NULL; at++) {
            char file[64], name[64];
            const char *begin = at;
            const source *from = NULL;
            while (begin > c.list[k].text && begin[-1] != '"')
                begin--;
            snprintf(file, sizeof file, "%.*s", (int)(at + 3 - begin), begin);
            for (size_t i = 0; i < cl.count; i++)
                if (strcmp(cl.list[i].name, file) == 0)
                    from = &cl.list[i];
            if (!from)
                fail_msg("%s: there is no cl/%s", c.list[k].name, file);
            /* the kernels' names are the texts that follow in the same launch, but for options */
            const char *end = at + 4 + strcspn(at + 4, ";}");
            for (const char *next = at + 4; (next = strchr(next, '"')) != NULL && next < end;) {
                size_t length = strcspn(next + 1, "\"");
                snprintf(name, sizeof name, "%.*s", (int)length, next + 1);
                if (length && *name != '-') {
                    if (!defines(from, name))
                        fail_msg("%s: cl/%s has no kernel %s", c.list[k].name, file, name);
                    launches++;
                }
                next += length + 2;
            }
        }
    assert_true(launches > 50);
    release(&cl);
    release(&c);
}

/* Whether words stand in a function's head, before its body. */
static bool stands_within(const char *head, const char *words)
{
    const char *found = strstr(head, words), *body = strchr(head, '{');
    return found && body && found < body;
}

static bool takes_local_memory(const char *head)
{
    return stands_within(head, "__local ") || stands_within(head, "row_scratch ");
}

/* Only what is static is sure to be there: C99's inline alone defines no function, so that a compiler that
 * does not put it in place of its call finds none; and without either, two files would define the same name.
 * What is given local memory is put in place always (cl/common.h: WITH_LOCAL). */
static void every_function_is_static(void **state)
{
    (void)state;
    sources cl = {0};
    regex_t function, plain;
    size_t functions = 0;
    assert_int_equal(
        regcomp(&function, "^[a-z][a-z0-9_ ]* [*]*[a-z0-9_]+\\([^(]", REG_EXTENDED | REG_NEWLINE), 0);
    assert_int_equal(regcomp(&plain, "(^|[^c] |[^a-z_ ])inline[^a-z_]", REG_EXTENDED | REG_NEWLINE), 0);
    read_folder(&cl, "cl", ".cl");
    read_folder(&cl, "cl", ".h");
    for (size_t i = 0; i < cl.count; i++) {
        regmatch_t m;
        if (regexec(&plain, cl.list[i].text, 1, &m, 0) == 0)
            fail_msg("cl/%s: inline without static: %.60s", cl.list[i].name, cl.list[i].text + m.rm_so);
        for (const char *at = cl.list[i].text; regexec(&function, at, 1, &m, 0) == 0; at += m.rm_eo) {
            const char *line = at + m.rm_so;
            if (strncmp(line, "static inline ", 14) != 0)
                fail_msg("cl/%s: neither a kernel nor static inline: %.*s", cl.list[i].name,
                         (int)strcspn(line, "\n"), line);
            if (takes_local_memory(line) && !stands_within(line, "WITH_LOCAL ") &&
                !stands_within(line, "MU_A"))
                fail_msg("cl/%s: is given local memory and not WITH_LOCAL: %.*s", cl.list[i].name,
                         (int)strcspn(line, "\n"), line);
            functions++;
        }
    }
    assert_true(functions > 50);
    regfree(&function);
    regfree(&plain);
    release(&cl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kernel_is_launched),
                                       cmocka_unit_test(every_function_is_static),
                                       cmocka_unit_test(every_launch_has_a_kernel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
