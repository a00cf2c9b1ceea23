/* Kernels compiled from cl/ and kept on disk.
 *
 * A program is one file of cl/ with one set of build options.  Its binary lies in the user's cache folder
 * under a name that is the hash of device, driver, platform, options and the whole source (with what it
 * includes), so that any change of them finds no file and compiles.  Files are written beside their place and
 * renamed: ranks that race write the same bytes, and a reader sees a whole file or none.  A binary ends in
 * its check sum, as drivers crash on damaged ones; one that it does not fit, or that the driver refuses, is
 * compiled anew.
 *
 * LAIP_KERNEL_DIR reads the sources from that folder instead of those embedded in the program. */
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "device/internal.h"
#include "device/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static bool read_source(const char *file, laip_str *into, laip_error *error)
{
    const char *folder = getenv("LAIP_KERNEL_DIR");
    if (folder && *folder) {
        char *path = laip_path_join(folder, file), *text;
        size_t size;
        bool good = laip_file_read(path, &text, &size, error);
        if (good) {
            laip_str_add(into, text, size);
            free(text);
        }
        free(path);
        return good;
    }
    for (const laip_kernel_source *s = laip_kernel_sources; s->name; s++)
        if (strcmp(s->name, file) == 0) {
            laip_str_add(into, s->text, s->size);
            return true;
        }
    return laip_failure(error, "cl/%s: no such kernel file", file);
}

/* The file's text with each line `#include "name"` replaced by that file of cl/: devices have no include
 * path. */
static bool expand(const char *file, laip_str *into, int depth, laip_error *error)
{
    laip_str text = {0};
    bool good = depth < 8 || laip_failure(error, "cl/%s: includes itself", file);
    good = good && read_source(file, &text, error);
    for (const char *line = laip_str_text(&text); good && *line;) {
        const char *end = strchr(line, '\n');
        end = end ? end + 1 : line + strlen(line);
        char name[128];
        if (sscanf(line, "#include \"%127[^\"\n]\"", name) == 1)
            good = expand(name, into, depth + 1, error);
        else
            laip_str_add(into, line, (size_t)(end - line));
        line = end;
    }
    free(text.text);
    return good;
}

static char *cache_path(const laip_device *d, const char *options, const laip_str *source)
{
    laip_str key = {0};
    laip_str_addf(&key, "%s\n%s\n%s\n%s\n%s\n", d->traits.platform, d->traits.name, d->traits.driver,
                  d->traits.version, options);
    laip_str_add(&key, source->text, source->length);
    uint64_t low = laip_hash(key.text, key.length);
    laip_str_add(&key, "2", 1);
    uint64_t high = laip_hash(key.text, key.length);
    free(key.text);
    char name[64];
    snprintf(name, sizeof name, "programs/%016" PRIx64 "%016" PRIx64 ".bin", high, low);
    char *folder = laip_cache_folder(), *path = laip_path_join(folder, name);
    free(folder);
    return path;
}

static cl_program from_cache(laip_device *d, const char *path, const char *options)
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

static void to_cache(laip_device *d, cl_program p, const char *path)
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
    (void)d;
}

/* Ranks that start together on an empty cache want the same programs at once: one builds, the others wait and
 * read what it has written.  (Drivers have caches of their own, and PoCL 3.1's fails when it is raced for.)
 * −1 where there can be no lock: then everybody builds. */
static int lock_cache(const char *path)
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

/* Tells of a compilation that takes long, while it goes on. */
typedef struct watcher {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool over, started;
    const char *file, *device;
} watcher;

static void *watch(void *argument)
{
    enum { FIRST = 5, NEXT = 30 };
    watcher *w = argument;
    int seconds = FIRST;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FIRST;
    pthread_mutex_lock(&w->lock);
    while (!w->over) {
        if (pthread_cond_timedwait(&w->done, &w->lock, &until) != ETIMEDOUT || w->over)
            continue;
        laip_warn("%s has been compiling cl/%s for %d s; what comes of it is kept for the next time",
                  w->device, w->file, seconds);
        seconds += NEXT;
        until.tv_sec += NEXT;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void watch_begin(watcher *w, const laip_device *d, const char *file)
{
    *w = (watcher){.file = file, .device = d->traits.name};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->done, NULL);
    w->started = pthread_create(&w->thread, NULL, watch, w) == 0;
}

static void watch_end(watcher *w)
{
    pthread_mutex_lock(&w->lock);
    w->over = true;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->lock);
    if (w->started)
        pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->done);
}

static cl_program compile(laip_device *d, const char *file, const char *options, const laip_str *source)
{
    cl_int code;
    const char *text = source->text;
    cl_program p = clCreateProgramWithSource(d->context, 1, &text, &source->length, &code);
    if (!laip_cl_check(d, code, "clCreateProgramWithSource", file))
        return NULL;
    watcher w;
    watch_begin(&w, d, file);
    code = clBuildProgram(p, 1, &d->id, options, NULL, NULL);
    watch_end(&w);
    if (code == CL_SUCCESS)
        return p;
    char log[16384] = "";
    clGetProgramBuildInfo(p, d->id, CL_PROGRAM_BUILD_LOG, sizeof log, log, NULL);
    if (getenv("LAIP_BUILD_LOG"))
        laip_note("%s", log);
    laip_cl_check(d, code, "clBuildProgram", file);
    size_t used = strlen(d->error.text);
    snprintf(d->error.text + used, sizeof d->error.text - used, " (options %s): %.400s", options, log);
    for (char *c = d->error.text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    clReleaseProgram(p);
    return NULL;
}

static cl_program program_get(laip_device *d, const char *file, const char *options)
{
    char key[512];
    int32_t index;
    int length = snprintf(key, sizeof key, "%s %s", file, options);
    if (laip_map_get(&d->program_index, key, (size_t)length, &index))
        return d->programs[index];
    char all[1024];
    snprintf(all, sizeof all, "-cl-std=CL1.2 -DLANES=%d -DVEC=%d %s", d->traits.lanes, d->traits.vector,
             options);
    laip_str source = {0};
    if (!expand(file, &source, 0, &d->error)) {
        free(source.text);
        return NULL;
    }
    char *path = cache_path(d, all, &source);
    cl_program p = from_cache(d, path, all);
    if (!p) {
        int lock = lock_cache(path);
        p = from_cache(d, path, all);
        if (!p && (p = compile(d, file, all, &source)) != NULL)
            to_cache(d, p, path);
        if (lock >= 0)
            close(lock);
    }
    free(path);
    free(source.text);
    if (!p)
        return NULL;
    void *array = d->programs;
    laip_grow(&array, &d->program_capacity, d->program_count + 1, sizeof *d->programs);
    d->programs = array;
    d->programs[d->program_count] = p;
    laip_map_set(&d->program_index, key, (size_t)length, (int32_t)d->program_count++);
    return p;
}

laip_kernel *laip_kernel_get(laip_device *d, const char *file, const char *kernel, const char *options)
{
    char key[512];
    int32_t index;
    int length = snprintf(key, sizeof key, "%s %s %s", file, kernel, options);
    if (length < 0 || (size_t)length >= sizeof key) {
        laip_device_fail(d, "kernel %s: its build options are over %zu bytes: %s", kernel, sizeof key,
                         options);
        return NULL;
    }
    if (laip_map_get(&d->kernel_index, key, (size_t)length, &index))
        return &d->kernels[index];
    cl_program p = program_get(d, file, options);
    if (!p)
        return NULL;
    cl_int code;
    laip_kernel k = {.kernel = clCreateKernel(p, kernel, &code)};
    if (!laip_cl_check(d, code, "clCreateKernel", kernel))
        return NULL;
    cl_ulong local = 0;
    clGetKernelInfo(k.kernel, CL_KERNEL_NUM_ARGS, sizeof k.arguments, &k.arguments, NULL);
    clGetKernelWorkGroupInfo(k.kernel, d->id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
    clGetKernelWorkGroupInfo(k.kernel, d->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof k.group_limit, &k.group_limit,
                             NULL);
    /* A kernel that was compiled for a size runs at it: Mesa 22.3 tells a sub-group's size as the limit. */
    size_t sizes[3] = {0};
    clGetKernelWorkGroupInfo(k.kernel, d->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof sizes, sizes, NULL);
    if (sizes[0] * sizes[1] * sizes[2] > k.group_limit)
        k.group_limit = sizes[0] * sizes[1] * sizes[2];
    k.local_memory = local;
    k.name = laip_strdup(kernel);
    void *array = d->kernels;
    laip_grow(&array, &d->kernel_capacity, d->kernel_count + 1, sizeof *d->kernels);
    d->kernels = array;
    d->kernels[d->kernel_count] = k;
    laip_map_set(&d->kernel_index, key, (size_t)length, (int32_t)d->kernel_count);
    return &d->kernels[d->kernel_count++];
}

void laip_programs_release(laip_device *d)
{
    for (size_t i = 0; i < d->kernel_count; i++) {
        clReleaseKernel(d->kernels[i].kernel);
        free(d->kernels[i].name);
    }
    for (size_t i = 0; i < d->program_count; i++)
        clReleaseProgram(d->programs[i]);
    free(d->kernels);
    free(d->programs);
    laip_map_free(&d->kernel_index);
    laip_map_free(&d->program_index);
}
