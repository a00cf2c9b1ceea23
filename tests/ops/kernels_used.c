/* The names of kernels: each that cl/ defines is launched from src/ (that each that is launched is there, the
 * compiler says); and what kind of functions they call. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "cl/kernels.h"
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

/* Whether the kernel's name stands in a launch, or its description's does. */
static bool launches(const source *c, const char *name)
{
    char launch[128], description[128];
    snprintf(launch, sizeof launch, "LAIP_LAUNCH\\([[:space:]]*[a-z]+,[[:space:]]+%s,", name);
    snprintf(description, sizeof description, "&laip_cl_%s[^a-z0-9_]", name);
    const char *const patterns[] = {launch, description};
    bool found = false;
    for (int i = 0; i < 2 && !found; i++) {
        regex_t r;
        assert_int_equal(regcomp(&r, patterns[i], REG_EXTENDED | REG_NOSUB), 0);
        found = regexec(&r, c->text, 0, NULL, 0) == 0;
        regfree(&r);
    }
    return found;
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
                found |= launches(&c.list[k], name);
            if (!found)
                fail_msg("cl/%s: kernel %s is launched by no file of src/ops or src/bench", cl.list[i].name,
                         name);
            kernels++;
        }
    }
    assert_int_equal(kernels, LAIP_CL_KERNELS); /* each has its type of arguments */
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
                                       cmocka_unit_test(every_function_is_static)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
