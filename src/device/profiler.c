#include "device/profiler.h"

#include "base/log.h"
#include "device/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EVENTS = 1 << 14 }; /* that are kept before their times are added up */

static void release_events(laip_profiler *l)
{
    for (size_t i = 0; i < l->event_count; i++) {
        if (l->events[i].event)
            clReleaseEvent(l->events[i].event);
        if (l->events[i].before)
            clReleaseEvent(l->events[i].before);
    }
    l->event_count = 0;
}

static void clear(laip_profiler *l)
{
    release_events(l);
    for (size_t i = 0; i < l->count; i++)
        free((void *)l->lines[i].kernel);
    l->count = 0;
    l->starts++;
    l->flops = 0;
    laip_map_free(&l->index);
}

void laip_profiler_release(laip_profiler *l)
{
    clear(l);
    free(l->lines);
    free(l->events);
}

static cl_ulong moment(cl_event event, cl_profiling_info which)
{
    cl_ulong t = 0;
    clGetEventProfilingInfo(event, which, sizeof t, &t, NULL);
    return t;
}

/* Adds up the times of all events so far; the device has finished. */
static void add_times(laip_profiler *l)
{
    for (size_t i = 0; i < l->event_count; i++) {
        const laip_profiler_event *e = &l->events[i];
        if (!e->event)
            continue; /* its enqueueing failed */
        cl_ulong from = e->before ? moment(e->before, CL_PROFILING_COMMAND_END)
                                  : moment(e->event, CL_PROFILING_COMMAND_START);
        double to = (double)moment(e->event, CL_PROFILING_COMMAND_END);
        l->lines[e->line].seconds += 1e-9 * (to - (double)from);
        if (l->span)
            l->span(l->span_context, l->lines[e->line].part, l->lines[e->line].kernel,
                    l->clock + 1e-9 * (double)from, l->clock + 1e-9 * to);
    }
    release_events(l);
}

static laip_profiler_line *line_of(laip_profiler *l, const char *kernel)
{
    char key[192];
    int32_t at;
    int length = snprintf(key, sizeof key, "%s\n%s", l->part ? l->part : "", kernel);
    size_t used = length < (int)sizeof key ? (size_t)length : sizeof key - 1;
    if (laip_map_get(&l->index, key, used, &at))
        return &l->lines[at];
    void *array = l->lines;
    laip_grow(&array, &l->capacity, l->count + 1, sizeof *l->lines);
    l->lines = array;
    laip_map_set(&l->index, key, used, (int32_t)l->count);
    l->lines[l->count] = (laip_profiler_line){.part = l->part ? l->part : "", .kernel = laip_strdup(kernel)};
    return &l->lines[l->count++];
}

static cl_event *event_of(laip_device *d, size_t line)
{
    laip_profiler *l = &d->profiler;
    if (l->event_count == MOST_EVENTS) {
        clFinish(d->queue);
        add_times(l);
    }
    void *array = l->events;
    laip_grow(&array, &l->event_capacity, l->event_count + 1, sizeof *l->events);
    l->events = array;
    laip_profiler_event *e = &l->events[l->event_count++];
    *e = (laip_profiler_event){.line = line, .before = l->before};
    l->before = NULL;
    return &e->event;
}

static cl_event *count(laip_device *d, laip_profiler_line *line, double bytes, bool launch)
{
    laip_profiler *l = &d->profiler;
    line->count++;
    line->flops += l->flops;
    line->bytes += bytes;
    d->counters.launches += launch;
    d->counters.flops += l->flops;
    l->flops = 0;
    return l->timing ? event_of(d, (size_t)(line - l->lines)) : NULL;
}

cl_event *laip_profiler_add(laip_device *d, const char *kernel, double bytes, bool launch)
{
    laip_profiler *l = &d->profiler;
    if (l->paused) {
        l->flops = 0;
        return NULL;
    }
    return count(d, line_of(l, kernel), bytes, launch);
}

void laip_profiler_share(cl_event *timed, cl_event event)
{
    if (timed && event && clRetainEvent(event) == CL_SUCCESS)
        *timed = event;
}

cl_event *laip_profiler_add_kernel(laip_device *d, laip_kernel *k, double bytes)
{
    laip_profiler *l = &d->profiler;
    if (l->paused)
        return laip_profiler_add(d, k->what->name, bytes, true);
    if (k->lines_of != l->starts + 1) {
        memset(k->part, 0, sizeof k->part);
        k->lines_of = l->starts + 1;
    }
    const char *part = l->part ? l->part : "";
    int i = 0;
    while (i + 1 < LAIP_KERNEL_PARTS && k->part[i] && k->part[i] != part)
        i++;
    if (k->part[i] != part) {
        k->part[i] = part;
        k->line[i] = (size_t)(line_of(l, k->what->name) - l->lines);
    }
    return count(d, &l->lines[k->line[i]], bytes, true);
}

void laip_profiler_range(laip_device *d)
{
    laip_profiler *l = &d->profiler;
    if (l->timing && !l->paused && !l->before)
        laip_cl_check(d, clEnqueueMarkerWithWaitList(d->queue, 0, NULL, &l->before),
                      "clEnqueueMarkerWithWaitList", NULL);
}

void laip_profiler_part(laip_device *d, const char *part)
{
    d->profiler.part = part;
}

void laip_profiler_flops(laip_device *d, double flops)
{
    d->profiler.flops = flops;
}

bool laip_profiler_start(laip_device *d, bool time, laip_error *error)
{
    laip_profiler *l = &d->profiler;
    if (!laip_device_finish(d, error))
        return false;
    clear(l);
    if (l->timing != time) {
        l->timing = time;
        laip_device_make_queue(d);
    }
    return laip_device_ok(d, error);
}

bool laip_profiler_read(laip_device *d, const laip_profiler_line **lines, size_t *count, laip_error *error)
{
    if (!laip_device_finish(d, error))
        return false;
    add_times(&d->profiler);
    *lines = d->profiler.lines;
    *count = d->profiler.count;
    return true;
}

laip_profiler_line laip_profiler_sum(const laip_profiler_line *lines, size_t count, const char *part,
                                     const char *kernel)
{
    laip_profiler_line sum = {.part = part, .kernel = kernel};
    for (size_t i = 0; i < count; i++)
        if ((!part || strcmp(lines[i].part, part) == 0) &&
            (!kernel || strcmp(lines[i].kernel, kernel) == 0)) {
            sum.count += lines[i].count;
            sum.flops += lines[i].flops;
            sum.bytes += lines[i].bytes;
            sum.seconds += lines[i].seconds;
        }
    return sum;
}

bool laip_profiler_trace(laip_device *d, laip_profiler_span *span, void *context, laip_error *error)
{
    laip_profiler *l = &d->profiler;
    cl_event marker = NULL;
    l->span = NULL;
    if (!laip_device_finish(d, error) || !span)
        return laip_device_ok(d, error);
    add_times(l);
    laip_cl_check(d, clEnqueueMarkerWithWaitList(d->queue, 0, NULL, &marker), "clEnqueueMarkerWithWaitList",
                  NULL);
    if (laip_device_finish(d, error)) /* the two clocks at one moment */
        l->clock = laip_seconds() - 1e-9 * (double)moment(marker, CL_PROFILING_COMMAND_END);
    if (marker)
        clReleaseEvent(marker);
    l->span = span;
    l->span_context = context;
    return laip_device_ok(d, error);
}
