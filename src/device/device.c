/* Opening and closing a device, its sticky error and its counters. */
#include "device/device.h"

#include "device/buffer.h"
#include "device/internal.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct candidate {
    cl_platform_id platform;
    cl_device_id id;
    cl_device_type type;
    laip_traits traits;
} candidate;

static void query_text(cl_device_id id, cl_device_info what, char *text, size_t size)
{
    text[0] = '\0';
    clGetDeviceInfo(id, what, size, text, NULL);
    text[size - 1] = '\0';
}

void laip_traits_query(cl_platform_id platform, cl_device_id id, laip_traits *t)
{
    cl_uint units = 0, alignment = 0, width = 0;
    cl_ulong memory = 0, largest = 0, local = 0;
    cl_bool unified = CL_FALSE;
    cl_device_type type = 0;
    memset(t, 0, sizeof *t);
    query_text(id, CL_DEVICE_NAME, t->name, sizeof t->name);
    query_text(id, CL_DRIVER_VERSION, t->driver, sizeof t->driver);
    query_text(id, CL_DEVICE_VERSION, t->version, sizeof t->version);
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof t->platform - 1, t->platform, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, NULL);
    clGetDeviceInfo(id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof t->group_limit, &t->group_limit, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof alignment, &alignment, NULL);
    clGetDeviceInfo(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL);
    clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof type, &type, NULL);
    t->units = (int)units;
    t->memory = memory;
    t->largest = largest;
    t->local_memory = local;
    t->alignment = alignment / 8 > 64 ? alignment / 8 : 64; /* reported in bits; at least a cache line */
    t->cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
    t->host_memory = unified;
    /* A processor whose driver fills its lanes with work-items, as it does a GPU's (rusticl), says so by
     * native vectors of one float: it would take wide ones apart. */
    clGetDeviceInfo(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width, NULL);
    /* LAIP_SHAPE=cpu or gpu makes one kind of device run the other's kernels: how both are tested everywhere.
     */
    const char *shape = getenv("LAIP_SHAPE");
    bool wide = shape ? strcmp(shape, "cpu") == 0 : t->cpu && width > 1;
    t->lanes = wide ? 1 : 64;
    t->vector = wide ? 16 : 4;
}

static bool find_devices(candidate **found, size_t *count, laip_error *error)
{
    cl_uint platforms = 0;
    *found = NULL;
    *count = 0;
    cl_int code = clGetPlatformIDs(0, NULL, &platforms);
    if (code != CL_SUCCESS || !platforms)
        return laip_failure(error, "clGetPlatformIDs: %s: no OpenCL platform is installed",
                            laip_cl_error_name(code));
    cl_platform_id *ids = laip_alloc(platforms, sizeof *ids);
    clGetPlatformIDs(platforms, ids, NULL);
    size_t capacity = 0;
    for (cl_uint p = 0; p < platforms; p++) {
        cl_uint n = 0;
        if (clGetDeviceIDs(ids[p], CL_DEVICE_TYPE_ALL, 0, NULL, &n) != CL_SUCCESS || !n)
            continue; /* a platform without devices is common and harmless */
        cl_device_id *devices = laip_alloc(n, sizeof *devices);
        clGetDeviceIDs(ids[p], CL_DEVICE_TYPE_ALL, n, devices, NULL);
        for (cl_uint i = 0; i < n; i++) {
            void *array = *found;
            laip_grow(&array, &capacity, *count + 1, sizeof **found);
            *found = array;
            candidate *c = &(*found)[(*count)++];
            *c = (candidate){.platform = ids[p], .id = devices[i]};
            clGetDeviceInfo(devices[i], CL_DEVICE_TYPE, sizeof c->type, &c->type, NULL);
            laip_traits_query(ids[p], devices[i], &c->traits);
        }
        free(devices);
    }
    free(ids);
    return *count || laip_failure(error, "no OpenCL platform has a device");
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && text[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

static bool matches(const candidate *c, size_t number, const char *choice, cl_device_type best)
{
    char *end;
    unsigned long wanted = strtoul(choice, &end, 10);
    if (isdigit((unsigned char)choice[0]) && !*end)
        return number == wanted;
    if (strcmp(choice, "auto") == 0)
        return (c->type & best) != 0;
    if (strcmp(choice, "gpu") == 0)
        return (c->type & CL_DEVICE_TYPE_GPU) != 0;
    if (strcmp(choice, "cpu") == 0)
        return (c->type & CL_DEVICE_TYPE_CPU) != 0;
    if (strcmp(choice, "accelerator") == 0)
        return (c->type & CL_DEVICE_TYPE_ACCELERATOR) != 0;
    return contains(c->traits.name, choice) || contains(c->traits.platform, choice);
}

static const candidate *choose(const candidate *all, size_t count, const char *choice, int local_rank,
                               laip_error *error)
{
    const cl_device_type kinds[] = {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ACCELERATOR, CL_DEVICE_TYPE_CPU};
    cl_device_type best = 0;
    for (size_t k = 0; k < 3 && !best; k++)
        for (size_t i = 0; i < count; i++)
            best |= all[i].type & kinds[k];
    size_t fitting = 0;
    for (size_t i = 0; i < count; i++)
        fitting += matches(&all[i], i, choice, best);
    if (!fitting) {
        char list[700] = "";
        for (size_t i = 0, used = 0; i < count && used < sizeof list; i++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%zu (%s, %s)", i ? ", " : "", i,
                                     all[i].traits.name, all[i].traits.platform);
        laip_bad_input(error, "device %s: no such device; there are: %s", choice, list);
        return NULL;
    }
    bool kind = strcmp(choice, "auto") == 0 || strcmp(choice, "gpu") == 0;
    size_t wanted = (size_t)(local_rank > 0 ? local_rank : 0);
    for (size_t i = 0, seen = 0; i < count; i++)
        if (matches(&all[i], i, choice, best) && seen++ == wanted % fitting) {
            if (kind && !all[i].traits.cpu && wanted >= fitting) {
                laip_bad_input(
                    error,
                    "device %s: rank %d of this node finds %zu device%s, expected one for each rank;"
                    " name the device to share it",
                    choice, local_rank, fitting, fitting > 1 ? "s" : "");
                return NULL;
            }
            return &all[i];
        }
    return NULL;
}

bool laip_device_list(void (*each)(void *, int, const laip_traits *), void *context, laip_error *error)
{
    candidate *all;
    size_t count;
    if (!find_devices(&all, &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        each(context, (int)i, &all[i].traits);
    free(all);
    return true;
}

void laip_device_make_queue(laip_device *d)
{
    cl_int code;
    if (d->queue)
        clReleaseCommandQueue(d->queue);
    d->queue =
        clCreateCommandQueue(d->context, d->id, d->ledger.timing ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
    laip_cl_check(d, code, "clCreateCommandQueue", NULL);
}

bool laip_device_open(laip_device **device, const char *choice, int local_rank, laip_error *error)
{
    candidate *all;
    size_t count;
    *device = NULL;
    if (!find_devices(&all, &count, error))
        return false;
    const candidate *c = choose(all, count, choice && *choice ? choice : "auto", local_rank, error);
    if (!c) {
        free(all);
        return false;
    }
    laip_device *d = laip_alloc(1, sizeof *d);
    d->platform = c->platform;
    d->id = c->id;
    d->traits = c->traits;
    free(all);
    cl_int code;
    cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)d->platform, 0};
    d->context = clCreateContext(properties, 1, &d->id, NULL, NULL, &code);
    if (laip_cl_check(d, code, "clCreateContext", NULL))
        laip_device_make_queue(d);
    if (d->error.status != LAIP_OK) {
        *error = d->error;
        laip_device_close(d);
        return false;
    }
    *device = d;
    return true;
}

void laip_device_close(laip_device *d)
{
    if (!d)
        return;
    if (d->queue)
        clFinish(d->queue);
    if (d->gemm_close)
        d->gemm_close(d);
    laip_ledger_release(&d->ledger);
    laip_programs_release(d);
    if (d->turns)
        clReleaseMemObject(d->turns);
    laip_mem_release(d->room);
    if (d->queue)
        clReleaseCommandQueue(d->queue);
    if (d->context)
        clReleaseContext(d->context);
    free(d);
}

const laip_traits *laip_device_traits(const laip_device *d)
{
    return &d->traits;
}

laip_counters *laip_device_counters(laip_device *d)
{
    return &d->counters;
}

void laip_device_reset_counters(laip_device *d)
{
    d->counters = (laip_counters){0};
}

bool laip_cl_check(laip_device *d, cl_int code, const char *call, const char *subject)
{
    if (code == CL_SUCCESS)
        return true;
    if (d->error.status == LAIP_OK)
        laip_failure(&d->error, "%s: %s (%d) on %s (%s)%s%s", call, laip_cl_error_name(code), code,
                     d->traits.name, d->traits.platform, subject ? ": " : "", subject ? subject : "");
    return false;
}

void laip_device_fail(laip_device *d, const char *format, ...)
{
    if (d->error.status != LAIP_OK)
        return;
    char text[800];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    laip_failure(&d->error, "%s", text);
}

bool laip_device_ok(const laip_device *d, laip_error *error)
{
    if (d->error.status == LAIP_OK)
        return true;
    *error = d->error;
    return false;
}

bool laip_device_finish(laip_device *d, laip_error *error)
{
    if (d->error.status == LAIP_OK && laip_cl_check(d, clFinish(d->queue), "clFinish", NULL))
        laip_device_unstage(d);
    return laip_device_ok(d, error);
}

void laip_device_flush(laip_device *d)
{
    if (d->error.status == LAIP_OK)
        laip_cl_check(d, clFlush(d->queue), "clFlush", NULL);
}
