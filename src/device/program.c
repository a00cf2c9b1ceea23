/* Kernels compiled from cl/, a program for each file and set of build options; what keeps them on disk is in
 * program_cache.c.
 *
 * LAIP_KERNEL_DIR reads the sources from that folder instead of those embedded in the program.
 * LAIP_KERNEL_LIST names a file to which a line is added for every program that a process asks for, compiled
 * or not: file, tab, options (tools/gpu-compile). */
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "device/compile_watch.h"
#include "device/internal.h"
#include "device/launch.h"
#include "device/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What compilers that let a kernel ask for the size of its sub-groups take, too: a thread has twice the
 * registers, a processor half the threads. */
static const char many_registers[] = " -cl-intel-256-GRF-per-thread";

enum { BUILD_OPTIONS = 1024 };

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

static cl_program compile(laip_device *d, const char *file, const char *options, const laip_str *source)
{
    cl_int code;
    const char *text = source->text;
    cl_program p = clCreateProgramWithSource(d->context, 1, &text, &source->length, &code);
    if (!laip_cl_check(d, code, "clCreateProgramWithSource", file))
        return NULL;
    laip_compile_watch w;
    laip_compile_watch_begin(&w, d, file);
    code = clBuildProgram(p, 1, &d->id, options, NULL, NULL);
    const char *more = strstr(options, many_registers);
    if (code != CL_SUCCESS && more) { /* not every version of such a compiler */
        char fewer[BUILD_OPTIONS];
        snprintf(fewer, sizeof fewer, "%.*s", (int)(more - options), options);
        code = clBuildProgram(p, 1, &d->id, fewer, NULL, NULL);
    }
    laip_compile_watch_end(&w);
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

/* All that a program is compiled with: MANY_REGISTERS among its own options says that it needs them. */
static void add_options(const laip_device *d, const char *options, char *all, size_t size)
{
    const laip_traits *t = &d->traits;
    char vector[32] = "", sub_group[32] = "";
    if (!strstr(options, "-DVEC=")) /* else it is a kernel in vectors of its own */
        snprintf(vector, sizeof vector, "-DVEC=%d ", t->vector);
    if (t->sub_group)
        snprintf(sub_group, sizeof sub_group, "-DSUB_GROUP=%d ", t->sub_group);
    /* warnings are the developers': some drivers print how many there were where people read */
    snprintf(all, size, "-cl-std=CL1.2%s -DLANES=%d %s%s%s%s", getenv("LAIP_BUILD_LOG") ? "" : " -w",
             t->lanes, vector, sub_group, options,
             t->sub_group && strstr(options, "-DMANY_REGISTERS") ? many_registers : "");
}

static void tell(const char *file, const char *options)
{
    const char *path = getenv("LAIP_KERNEL_LIST");
    FILE *list = path && *path ? fopen(path, "a") : NULL;
    if (path && *path && !list)
        laip_warn("LAIP_KERNEL_LIST: %s: %s", path, strerror(errno));
    if (list) {
        fprintf(list, "%s\t%s\n", file, options);
        fclose(list);
    }
}

static cl_program program_get(laip_device *d, const char *file, const char *options)
{
    char key[512];
    int32_t index;
    int length = snprintf(key, sizeof key, "%s %s", file, options);
    if (laip_map_get(&d->program_index, key, (size_t)length, &index))
        return d->programs[index];
    char all[BUILD_OPTIONS];
    add_options(d, options, all, sizeof all);
    tell(file, all);
    laip_str source = {0};
    if (!expand(file, &source, 0, &d->error)) {
        free(source.text);
        return NULL;
    }
    char *path = laip_program_cache_path(d, all, &source);
    cl_program p = laip_program_cache_read(d, path, all);
    if (!p) {
        int lock = laip_program_cache_lock(path);
        p = laip_program_cache_read(d, path, all);
        if (!p && (p = compile(d, file, all, &source)) != NULL && !laip_driver_caches(d))
            laip_program_cache_write(p, path);
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

/* What the numbers of options stand for, as text; free() releases it. */
static char *options_text(const laip_options *options)
{
    laip_str text = {0};
    const int *next = options->numbers;
    for (const char *c = options->format ? options->format : ""; *c; c++)
        if (*c == '#')
            laip_str_addf(&text, "%d", *next++);
        else
            laip_str_add(&text, c, 1);
    if (options->more)
        laip_str_addf(&text, "%s%s", options->format ? " " : "", options->more);
    laip_str_add(&text, "", 0);
    return text.text;
}

static laip_kernel *create(laip_device *d, const laip_kernel_description *what, const laip_options *options)
{
    char *text = options_text(options);
    cl_program p = program_get(d, what->file, text);
    free(text);
    if (!p)
        return NULL;
    cl_int code;
    cl_uint declared = 0;
    cl_kernel kernel = clCreateKernel(p, what->name, &code);
    if (!laip_cl_check(d, code, "clCreateKernel", what->name))
        return NULL;
    clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof declared, &declared, NULL);
    if (declared != what->count) { /* LAIP_KERNEL_DIR has another than this program was built with */
        laip_device_fail(d, "kernel %s: it takes %u arguments, %zu are given", what->name, declared,
                         what->count);
        clReleaseKernel(kernel);
        return NULL;
    }
    laip_kernel *k = laip_alloc(1, sizeof *k);
    *k = (laip_kernel){.what = what, .options = *options, .kernel = kernel, .set = laip_alloc(1, what->size)};
    cl_ulong local = 0;
    clGetKernelWorkGroupInfo(kernel, d->id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
    clGetKernelWorkGroupInfo(kernel, d->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof k->group_limit, &k->group_limit,
                             NULL);
    /* A kernel that was compiled for a size runs at it: Mesa 22.3 tells a sub-group's size as the limit. */
    size_t sizes[3] = {0};
    clGetKernelWorkGroupInfo(kernel, d->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof sizes, sizes, NULL);
    if (sizes[0] * sizes[1] * sizes[2] > k->group_limit)
        k->group_limit = sizes[0] * sizes[1] * sizes[2];
    k->local_memory = local;
    return k;
}

_Static_assert(sizeof(laip_options) == 2 * sizeof(char *) + LAIP_OPTION_NUMBERS * sizeof(int),
               "options are compared whole");

laip_kernel *laip_kernel_get(laip_device *d, const laip_kernel_description *what, const laip_options *options)
{
    if (what->index >= d->kernel_count) {
        size_t count = what->index + 64;
        d->kernels = laip_realloc(d->kernels, count, sizeof(laip_kernel *));
        memset(d->kernels + d->kernel_count, 0, (count - d->kernel_count) * sizeof(laip_kernel *));
        d->kernel_count = count;
    }
    laip_kernel **first = &d->kernels[what->index];
    for (laip_kernel *k = *first; k; k = k->next)
        if (memcmp(&k->options, options, sizeof *options) == 0)
            return k;
    laip_kernel *k = create(d, what, options);
    if (k) {
        k->next = *first;
        *first = k;
    }
    return k;
}

void laip_programs_release(laip_device *d)
{
    for (size_t i = 0; i < d->kernel_count; i++)
        for (laip_kernel *k = d->kernels[i], *next; k; k = next) {
            next = k->next;
            clReleaseKernel(k->kernel);
            free(k->set);
            free(k);
        }
    for (size_t i = 0; i < d->program_count; i++)
        clReleaseProgram(d->programs[i]);
    free(d->kernels);
    free(d->programs);
    laip_map_free(&d->program_index);
}
