#define _XOPEN_SOURCE 700 /* nftw */
#include "support/test.h"

#include "base/memory.h"
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void laip_assert_near(double a, double b, double tolerance, const char *what, const char *file, int line)
{
    double scale = fabs(b) > 1 ? fabs(b) : 1;
    if (isfinite(a) && isfinite(b) && fabs(a - b) <= tolerance * scale)
        return;
    print_error("%s is %.9g, expected %.9g within %g\n", what, a, b, tolerance * scale);
    _fail(file, line);
}

const char *laip_test_source(void)
{
    const char *s = getenv("LAIP_SOURCE_DIR");
    return s ? s : ".";
}

const char *laip_test_shared(void)
{
    static char path[4096];
    const char *s = getenv("LAIP_SHARED");
    if (s)
        snprintf(path, sizeof path, "%s", s);
    else
        snprintf(path, sizeof path, "%s/../shared", laip_test_source());
    struct stat st;
    char data[4200];
    snprintf(data, sizeof data, "%s/data", path);
    return stat(data, &st) == 0 ? path : NULL;
}

static char **folders;
static size_t folder_count, folder_capacity;

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_folders(void)
{
    for (size_t i = 0; i < folder_count; i++) {
        nftw(folders[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(folders[i]);
    }
    free(folders);
}

char *laip_test_folder(const char *name)
{
    const char *base = getenv("TMPDIR");
    char *path = laip_alloc(4096, 1);
    snprintf(path, 4096, "%s/laip-test-%s-XXXXXX", base ? base : "/tmp", name);
    if (!mkdtemp(path))
        fail_msg("no folder for the test: %s", path);
    if (!folder_count)
        atexit(remove_folders);
    void *array = folders;
    laip_grow(&array, &folder_capacity, folder_count + 1, sizeof *folders);
    folders = array;
    folders[folder_count++] = laip_strdup(path);
    return path;
}
