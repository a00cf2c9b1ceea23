/* Compiled programs on disk.
 *
 * A program's binary lies in the user's cache folder under a name that is the hash of device, driver,
 * platform, options and the whole source (with what it includes), so that any change of them finds no file
 * and compiles.  Files are written beside their place and renamed: ranks that race write the same bytes, and
 * a reader sees a whole file or none.  A binary ends in its check sum, as drivers crash on damaged ones; one
 * that it does not fit, or that the driver refuses, is compiled anew.
 *
 * A driver that has such a cache itself needs none of this, and handing out a binary may cost it a second
 * compilation (PoCL compiles each kernel once more, for groups of any size).  Whether it has one is found out
 * once: the first process builds small programs that nobody has built before, the next builds them again, and
 * more than twice as fast means yes. */
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "device/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { TRIALS = 3 }; /* before a driver is held to cache nothing: other work can hide that it does */

/* A file programs/NAME of the cache folder; free() releases it. */
static char *file_path(const char *name)
{
    char *folder = laip_cache_folder(), *programs = laip_path_join(folder, "programs"),
         *path = laip_path_join(programs, name);
    free(folder);
    free(programs);
    return path;
}

static void add_identity(laip_str *key, const laip_device *d)
{
    laip_str_addf(key, "%s\n%s\n%s\n%s\n", d->traits.platform, d->traits.name, d->traits.driver,
                  d->traits.version);
}

char *laip_program_cache_path(const laip_device *d, const char *options, const laip_str *source)
{
    laip_str key = {0};
    add_identity(&key, d);
    laip_str_addf(&key, "%s\n", options);
    laip_str_add(&key, source->text, source->length);
    uint64_t low = laip_hash(key.text, key.length);
    laip_str_add(&key, "2", 1);
    uint64_t high = laip_hash(key.text, key.length);
    free(key.text);
    char name[64];
    snprintf(name, sizeof name, "%016" PRIx64 "%016" PRIx64 ".bin", high, low);
    return file_path(name);
}

cl_program laip_program_cache_read(laip_device *d, const char *path, const char *options)
{
    char *data;
    size_t size;
    laip_error ignored;
    uint64_t sum;
    if (!laip_file_read(path, &data, &size, &ignored))
        return NULL;
    bool whole = size > sizeof sum;
    if (whole) {
        size -= sizeof sum;
        memcpy(&sum, data + size, sizeof sum);
        whole = sum == laip_hash(data, size);
    }
    if (!whole) {
        free(data);
        return NULL;
    }
    const unsigned char *bytes = (const unsigned char *)data;
    cl_int status = CL_SUCCESS, code;
    cl_program p = clCreateProgramWithBinary(d->context, 1, &d->id, &size, &bytes, &status, &code);
    free(data);
    if (code == CL_SUCCESS && status == CL_SUCCESS &&
        clBuildProgram(p, 1, &d->id, options, NULL, NULL) == CL_SUCCESS)
        return p;
    if (p && code == CL_SUCCESS)
        clReleaseProgram(p);
    return NULL;
}

void laip_program_cache_write(cl_program p, const char *path)
{
    size_t size = 0;
    laip_error ignored; /* a cache that cannot be written costs time, nothing else */
    if (clGetProgramInfo(p, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS || !size)
        return;
    uint64_t sum;
    unsigned char *bytes = laip_alloc(size + sizeof sum, 1);
    if (clGetProgramInfo(p, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL) == CL_SUCCESS) {
        sum = laip_hash(bytes, size);
        memcpy(bytes + size, &sum, sizeof sum);
        (void)laip_file_write(path, bytes, size + sizeof sum, &ignored);
    }
    free(bytes);
}

/* Ranks that start together on an empty cache want the same programs at once: one builds, the others wait and
 * read what it has written.  (Drivers have caches of their own, and PoCL 3.1's fails when it is raced for.)
 * −1 where there can be no lock: then everybody builds. */
int laip_program_cache_lock(const char *path)
{
    laip_error ignored;
    char *folder = laip_strdup(path);
    *strrchr(folder, '/') = '\0';
    bool made = laip_make_folders(folder, &ignored);
    char *name = laip_path_join(folder, "../lock");
    int file = made ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    while (file >= 0 && flock(file, LOCK_EX) != 0)
        if (errno != EINTR) {
            close(file);
            file = -1;
        }
    free(name);
    free(folder);
    return file;
}

/* Seconds that the quickest of three small programs takes to build, which `number` tells from any others; 0:
 * one fails. */
static double trial(laip_device *d, uint64_t number)
{
    double best = 0;
    for (uint64_t i = 0; i < 3; i++) {
        char text[128];
        const char *source = text;
        snprintf(text, sizeof text, "__kernel void trial(__global ulong *x)\n{\n    *x = %" PRIu64 "ul;\n}\n",
                 number + i);
        cl_int code;
        double start = laip_seconds();
        cl_program p = clCreateProgramWithSource(d->context, 1, &source, NULL, &code);
        if (code != CL_SUCCESS)
            return 0;
        code = clBuildProgram(p, 1, &d->id, "-cl-std=CL1.2", NULL, NULL);
        double seconds = laip_seconds() - start;
        clReleaseProgram(p);
        if (code != CL_SUCCESS)
            return 0;
        best = i && best < seconds ? best : seconds;
    }
    return best;
}

bool laip_driver_caches(laip_device *d)
{
    laip_str key = {0}, line = {0};
    laip_error ignored;
    char name[64], *text = NULL;
    uint64_t number;
    size_t size;
    double before;
    int left;
    if (d->driver_caches_known)
        return d->driver_caches;
    d->driver_caches_known = true;
    add_identity(&key, d);
    snprintf(name, sizeof name, "%016" PRIx64 ".driver", laip_hash(key.text, key.length));
    free(key.text);
    char *path = file_path(name);
    left = laip_file_read(path, &text, &size, &ignored) ? 0 : TRIALS;
    if (text && sscanf(text, "trial %" SCNu64 " %lf %d", &number, &before, &left) == 3) {
        double again = trial(d, number);
        d->driver_caches = again > 0 && again < 0.4 * before;
        if (d->driver_caches || --left <= 0)
            laip_str_adds(&line, d->driver_caches ? "caches\n" : "does not cache\n");
    } else if (text)
        d->driver_caches = strcmp(text, "caches\n") == 0;
    if (left > 0 && !d->driver_caches) {
        number = laip_hash(path, strlen(path)) ^ (uint64_t)(1e9 * laip_seconds());
        laip_str_addf(&line, "trial %" PRIu64 " %.9f %d\n", number, trial(d, number), left);
    }
    if (line.length)
        (void)laip_file_write(path, line.text, line.length, &ignored);
    free(line.text);
    free(text);
    free(path);
    return d->driver_caches;
}
