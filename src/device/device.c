/* Opening and closing a device, its sticky error and its counters. */
#include "device/device.h"

#include "device/buffer.h"
#include "device/internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void laip_device_make_queue(laip_device *d)
{
    cl_int code;
    if (d->queue)
        clReleaseCommandQueue(d->queue);
    d->queue =
        clCreateCommandQueue(d->context, d->id, d->profiler.timing ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
    laip_cl_check(d, code, "clCreateCommandQueue", NULL);
}

bool laip_device_open(laip_device **device, const char *choice, int local_rank, laip_error *error)
{
    laip_candidate *all;
    size_t count;
    *device = NULL;
    if (!laip_candidates_find(&all, &count, error))
        return false;
    const laip_candidate *c = laip_candidate_choose(all, count, choice, local_rank, error);
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
    laip_mappings_release(d);
    while (d->attachment_count) {
        laip_attachment *a = &d->attachments[d->attachment_count - 1];
        if (a->close)
            a->close(d, a->state);
        free(a->state);
        d->attachment_count--;
    }
    free(d->attachments);
    laip_profiler_release(&d->profiler);
    laip_programs_release(d);
    laip_device_unstage(d, UINT64_MAX);
    free(d->staged);
    if (d->tile_counter)
        clReleaseMemObject(d->tile_counter);
    laip_mem_release(d->workspace);
    if (d->queue)
        clReleaseCommandQueue(d->queue);
    if (d->context)
        clReleaseContext(d->context);
    free(d);
}

void *laip_device_attached(const laip_device *d, const void *owner)
{
    for (size_t i = 0; i < d->attachment_count; i++)
        if (d->attachments[i].owner == owner)
            return d->attachments[i].state;
    return NULL;
}

void *laip_device_attach(laip_device *d, const void *owner, size_t size, void (*close)(laip_device *, void *),
                         bool *made)
{
    void *state = laip_device_attached(d, owner);
    if (made)
        *made = !state;
    if (state)
        return state;
    void *array = d->attachments;
    state = laip_alloc(1, size);
    laip_grow(&array, &d->attachment_capacity, d->attachment_count + 1, sizeof *d->attachments);
    d->attachments = array;
    d->attachments[d->attachment_count++] = (laip_attachment){owner, state, close};
    return state;
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
    d->counters.waits++;
    if (d->error.status == LAIP_OK && laip_cl_check(d, clFinish(d->queue), "clFinish", NULL))
        laip_device_unstage(d, UINT64_MAX);
    return laip_device_ok(d, error);
}

void laip_device_flush(laip_device *d)
{
    if (d->error.status == LAIP_OK)
        laip_cl_check(d, clFlush(d->queue), "clFlush", NULL);
}
