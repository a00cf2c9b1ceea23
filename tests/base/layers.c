/* The order of the layers: a file of src/ includes only its own folder and those before it; OpenCL stays in
 * device/ and ops/, MPI in dist/. */
#include "support/test.h"

#include "base/file.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const layers[] = {"base", "device", "ops",   "text", "image", "data", "net",
                                     "loss", "model",  "store", "dist", "train", "eval", "programs"};
enum { LAYERS = sizeof layers / sizeof *layers };

static int layer_of(const char *path)
{
    for (int i = 0; i < LAYERS; i++)
        if (strncmp(path, layers[i], strlen(layers[i])) == 0 && path[strlen(layers[i])] == '/')
            return i;
    return -1;
}

/* training validates, so train/ uses eval/; that is the one step against the order */
static bool allowed(int from, int to)
{
    return to <= from || (strcmp(layers[from], "train") == 0 && strcmp(layers[to], "eval") == 0);
}

static void check_file(const char *path, int layer)
{
    char *text, name[128];
    size_t size;
    laip_error error;
    assert_ok(laip_file_read(path, &text, &size, &error), error);
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "#include \"%127[^\"]\"", name) == 1) {
            int other = layer_of(name);
            if (other >= 0 && !allowed(layer, other))
                fail_msg("%s includes %s: %s comes after %s", path, name, layers[other], layers[layer]);
        } else if (sscanf(line, "#include <%127[^>]>", name) == 1) {
            bool cl = strncmp(name, "CL/", 3) == 0 || strncmp(name, "clblast", 7) == 0;
            if (cl && strcmp(layers[layer], "device") != 0 && strcmp(layers[layer], "ops") != 0)
                fail_msg("%s includes %s: OpenCL stays in device/ and ops/", path, name);
            if (strcmp(name, "mpi.h") == 0 && strcmp(layers[layer], "dist") != 0)
                fail_msg("%s includes %s: MPI stays in dist/", path, name);
        }
    }
    free(text);
}

static void includes(void **state)
{
    int files = 0;
    (void)state;
    for (int i = 0; i < LAYERS; i++) {
        char folder[4096], path[8192];
        snprintf(folder, sizeof folder, "%s/src/%s", laip_test_source(), layers[i]);
        DIR *d = opendir(folder);
        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
            size_t n = strlen(e->d_name);
            if (n < 3 || (strcmp(e->d_name + n - 2, ".c") != 0 && strcmp(e->d_name + n - 2, ".h") != 0))
                continue;
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            check_file(path, i);
            files++;
        }
        closedir(d);
    }
    assert_true(files > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(includes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
