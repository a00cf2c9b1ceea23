/* The order of the layers: a file of src/ includes only its own folder and those before it; OpenCL stays in
 * device/ and ops/, MPI in dist/.  No file is mapped, as whoever cuts it short would end the process. */
#include "support/test.h"

#include "base/file.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const layers[] = {"base",  "device", "ops",    "text",  "phrases", "image",   "data",
                                     "synth", "net",    "config", "loss",  "model",   "store",   "search",
                                     "dist",  "eval",   "report", "train", "bench",   "programs"};
enum { LAYERS = sizeof layers / sizeof *layers };

static int layer_of(const char *path)
{
    for (int i = 0; i < LAYERS; i++)
        if (strncmp(path, layers[i], strlen(layers[i])) == 0 && path[strlen(layers[i])] == '/')
            return i;
    return -1;
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
            if (other > layer)
                fail_msg("%s includes %s: %s comes after %s", path, name, layers[other], layers[layer]);
        } else if (sscanf(line, "#include <%127[^>]>", name) == 1) {
            bool cl = strncmp(name, "CL/", 3) == 0 || strncmp(name, "clblast", 7) == 0;
            if (cl && strcmp(layers[layer], "device") != 0 && strcmp(layers[layer], "ops") != 0)
                fail_msg("%s includes %s: OpenCL stays in device/ and ops/", path, name);
            if (strcmp(name, "mpi.h") == 0 && strcmp(layers[layer], "dist") != 0)
                fail_msg("%s includes %s: MPI stays in dist/", path, name);
            if (strcmp(name, "sys/mman.h") == 0)
                fail_msg("%s includes %s: files are read (base/file.h), never mapped", path, name);
        }
    }
    free(text);
}

/* The sources of a folder and of those in it; returns how many. */
static int check_folder(const char *folder, int layer)
{
    int files = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[8192];
        size_t n = strlen(e->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            files += check_folder(path, layer);
        if (n < 3 || (strcmp(e->d_name + n - 2, ".c") != 0 && strcmp(e->d_name + n - 2, ".h") != 0))
            continue;
        check_file(path, layer);
        files++;
    }
    closedir(d);
    return files;
}

static void includes(void **state)
{
    int files = 0;
    char root[4096];
    (void)state;
    snprintf(root, sizeof root, "%s/src", laip_test_source());
    DIR *d = opendir(root);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[8192];
        if (e->d_type != DT_DIR || e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/", e->d_name);
        int layer = layer_of(path);
        if (layer < 0)
            fail_msg("src/%s is not among the layers of this test", e->d_name);
        snprintf(path, sizeof path, "%s/%s", root, e->d_name);
        files += check_folder(path, layer);
    }
    closedir(d);
    assert_true(files > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(includes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
