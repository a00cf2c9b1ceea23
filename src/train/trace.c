#include "train/trace.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "device/profiler.h"

#include <stdlib.h>
#include <string.h>

enum { COMPUTE, TRANSFER, COMMUNICATION, HOST };
static const char *const tracks[] = {"compute", "transfers", "communication", "host"};

struct laip_trace {
    const laip_ranks *ranks;
    laip_device *device;
    char *path;
    double start; /* the same moment on all ranks, whatever their clocks say */
    int steps;
    laip_str events; /* each begins with a comma */
};

static void add(laip_trace *t, int track, const char *name, double from, double to)
{
    laip_str_adds(&t->events, ",\n{\"ph\":\"X\",\"name\":");
    laip_str_add_json(&t->events, name, strlen(name));
    laip_str_addf(&t->events, ",\"cat\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f}",
                  tracks[track], t->ranks->rank, track, 1e6 * (from - t->start), 1e6 * (to - from));
}

static void add_command(void *context, const char *part, const char *kernel, double from, double to)
{
    static const char *const transfers[] = {"upload", "download", "fill", "copy"};
    laip_str name = {0};
    int track = COMPUTE;
    for (size_t i = 0; i < sizeof transfers / sizeof *transfers; i++)
        if (strcmp(kernel, transfers[i]) == 0)
            track = TRANSFER;
    laip_str_addf(&name, "%s%s%s", part, *part ? ": " : "", kernel);
    add(context, track, name.text, from, to);
    free(name.text);
}

/* Names of the rank and of its tracks. */
static void introduce(laip_trace *t)
{
    laip_str name = {0};
    for (int i = 0; i < 4; i++)
        laip_str_addf(
            &t->events,
            ",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":\"%s\"}}",
            t->ranks->rank, i, tracks[i]);
    laip_str_addf(&name, "rank %d on %s: %s", t->ranks->rank, laip_ranks_host(t->ranks, t->ranks->rank),
                  laip_device_traits(t->device)->name);
    laip_str_addf(&t->events, ",\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"args\":{\"name\":",
                  t->ranks->rank);
    laip_str_add_json(&t->events, name.text, name.length);
    laip_str_adds(&t->events, "}}");
    free(name.text);
}

bool laip_trace_open(laip_trace **trace, const char *path, const laip_ranks *ranks, laip_device *d,
                     laip_error *error)
{
    laip_trace *t = laip_alloc(1, sizeof *t);
    *t = (laip_trace){.ranks = ranks, .device = d, .path = laip_strdup(path)};
    *trace = t;
    introduce(t);
    if (!laip_profiler_start(d, true, error) || !laip_profiler_trace(d, add_command, t, error))
        return false;
    laip_ranks_barrier(ranks);
    t->start = laip_seconds();
    return true;
}

void laip_trace_span(laip_trace *t, const char *name, double from, double to)
{
    if (t)
        add(t, HOST, name, from, to);
}

void laip_trace_gradients(void *context, const char *part, double from, double to, double bytes)
{
    laip_str name = {0};
    laip_str_addf(&name, "%s, %.1f MB", part, bytes * 1e-6);
    add(context, COMMUNICATION, name.text, from, to);
    free(name.text);
}

static bool write_all(laip_trace *t, laip_error *error)
{
    size_t ranks = (size_t)t->ranks->size, *first = laip_alloc(ranks + 1, sizeof *first);
    uint64_t own = t->events.length, *lengths = laip_alloc(ranks, sizeof *lengths);
    laip_ranks_allgather(t->ranks, &own, sizeof own, lengths);
    for (size_t k = 0; k < ranks; k++)
        first[k + 1] = first[k] + lengths[k];
    char *all = laip_alloc(first[ranks] + 1, 1);
    memcpy(all + first[t->ranks->rank], t->events.text, own);
    laip_ranks_allgatherv_items(t->ranks, all, 1, first);
    bool good = true;
    if (!t->ranks->rank) {
        laip_str text = {0};
        all[0] = '['; /* in the place of the first comma */
        laip_str_add(&text, all, first[ranks]);
        laip_str_adds(&text, "]\n");
        good = laip_file_write(t->path, text.text, text.length, error);
        free(text.text);
    }
    free(all);
    free(first);
    free(lengths);
    return good;
}

bool laip_trace_step(laip_trace **trace, bool last, laip_error *error)
{
    laip_trace *t = *trace;
    const laip_profiler_line *lines;
    size_t count;
    if (!t || (++t->steps < LAIP_TRACE_STEPS && !last))
        return true;
    bool good = laip_profiler_read(t->device, &lines, &count, error) &&
                laip_profiler_trace(t->device, NULL, NULL, error) &&
                laip_profiler_start(t->device, false, error) && write_all(t, error);
    if (good)
        laip_note("%s: a trace of %d steps", t->path, t->steps);
    free(t->events.text);
    free(t->path);
    free(t);
    *trace = NULL;
    return good;
}
