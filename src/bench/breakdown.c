/* Timing whole rounds of work, and where their time goes. */
#include "base/log.h"
#include "bench/workload.h"
#include "device/profiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { WARM = 2, PROFILED = 2 };
static const double UNSTEADY = 1.3; /* slowest to fastest */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool one(laip_device *d, laip_bench_round round, void *context, double *seconds, laip_error *error)
{
    double start = laip_seconds();
    if (!round(context, error) || !laip_device_finish(d, error))
        return false;
    *seconds = laip_seconds() - start;
    return true;
}

/* The profiler's lines become the timing's, and time is no longer measured. */
static bool take_lines(laip_device *d, laip_bench_timing *t, laip_error *error)
{
    const laip_profiler_line *lines;
    struct rusage usage;
    if (!laip_profiler_read(d, &lines, &t->count, error))
        return false;
    t->lines = laip_alloc(t->count + 1, sizeof *t->lines);
    for (size_t i = 0; i < t->count; i++) {
        t->lines[i] = lines[i];
        t->lines[i].kernel = laip_arena_strndup(&t->names, lines[i].kernel, strlen(lines[i].kernel));
    }
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        t->resident = 1024 * (double)usage.ru_maxrss; /* which is in KiB */
    return laip_profiler_start(d, false, error);
}

bool laip_bench_rounds(laip_device *d, const char *what, laip_bench_round round, void *context, int repeat,
                       laip_bench_timing *t, laip_error *error)
{
    double *times = laip_alloc((size_t)repeat, sizeof *times), ignored, flops = 0;
    bool good = true;
    for (int i = 0; good && i < WARM + repeat; i++) {
        laip_progress("%s: %s %d of %d", what, i < WARM ? "warm-up" : "round",
                      i < WARM ? i + 1 : i + 1 - WARM, i < WARM ? WARM : repeat);
        laip_device_reset_counters(d);
        good = one(d, round, context, i < WARM ? &ignored : &times[i - WARM], error);
        flops = laip_device_counters(d)->flops;
    }
    qsort(times, (size_t)repeat, sizeof *times, ascending);
    *t = (laip_bench_timing){
        .median = times[repeat / 2], .least = times[0], .most = times[repeat - 1], .flops = flops};
    free(times);
    if (good && t->most > UNSTEADY * t->least)
        laip_warn("%s: rounds took from %.3g to %.3g ms; something else may be using the machine", what,
                  1e3 * t->least, 1e3 * t->most);
    good = good && laip_profiler_start(d, true, error) && one(d, round, context, &ignored, error) &&
           laip_profiler_start(d, true, error); /* a new queue begins slowly */
    for (int i = 0; good && i < PROFILED; i++) {
        laip_progress("%s: profiling", what);
        good = one(d, round, context, &ignored, error);
        t->wall += ignored / PROFILED;
    }
    laip_progress_end();
    return good && take_lines(d, t, error);
}

void laip_bench_timing_free(laip_bench_timing *t)
{
    free(t->lines);
    laip_arena_free(&t->names);
    *t = (laip_bench_timing){0};
}

/* One line of the breakdown, of a round. */
static void add_line(json_t *report, const char *name, laip_profiler_line sum, double wall,
                     const laip_bench_limits *limits)
{
    double seconds = sum.seconds / PROFILED;
    laip_bench_add(report, name, 1e3 * seconds, "ms", 1e3 * wall);
    json_t *results = json_object_get(report, "results"),
           *line = json_array_get(results, json_array_size(results) - 1);
    json_object_set_new(line, "launches", json_integer((json_int_t)(sum.count / PROFILED)));
    if (sum.flops > 0 && sum.seconds > 0) {
        json_object_set_new(line, "gflops", json_real(1e-9 * sum.flops / sum.seconds));
        json_object_set_new(line, "of_peak", json_real(1e-9 * sum.flops / sum.seconds / limits->gflops));
    } else if (sum.seconds > 0) /* no share of a limit: much of it comes out of caches */
        json_object_set_new(line, "gbytes", json_real(1e-9 * sum.bytes / sum.seconds));
}

/* Every line as it is, for machines. */
static void add_lines(json_t *report, const char *prefix, const laip_bench_timing *t)
{
    if (!json_object_get(report, "lines"))
        json_object_set_new(report, "lines", json_array());
    for (size_t i = 0; i < t->count; i++) {
        const laip_profiler_line *l = &t->lines[i];
        json_array_append_new(json_object_get(report, "lines"),
                              json_pack("{s:s, s:s, s:s, s:I, s:f, s:f, s:f}", "round", prefix, "part",
                                        l->part, "kernel", l->kernel, "launches",
                                        (json_int_t)(l->count / PROFILED), "ms", 1e3 * l->seconds / PROFILED,
                                        "gflop", 1e-9 * l->flops / PROFILED, "gbyte",
                                        1e-9 * l->bytes / PROFILED));
    }
}

static int slower_first(const void *a, const void *b)
{
    const laip_profiler_line *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

/* Sums by kernel, or by part; returns how many there are. */
static size_t totals(const laip_profiler_line *lines, size_t count, bool kernels, laip_profiler_line *sums)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = kernels ? lines[i].kernel : lines[i].part;
        size_t k = 0;
        while (k < found && strcmp(kernels ? sums[k].kernel : sums[k].part, name) != 0)
            k++;
        if (k == found)
            sums[found++] = laip_profiler_sum(lines, count, kernels ? NULL : name, kernels ? name : NULL);
    }
    return found;
}

void laip_bench_breakdown(json_t *report, const char *prefix, const laip_bench_timing *t,
                          const laip_bench_limits *limits)
{
    const laip_profiler_line *lines = t->lines;
    size_t count = t->count;
    char name[160];
    laip_profiler_line *sums = laip_alloc(count + 1, sizeof *sums),
                       all = laip_profiler_sum(lines, count, NULL, NULL);
    size_t parts = totals(lines, count, false, sums);
    for (size_t i = 0; i < parts; i++) {
        snprintf(name, sizeof name, "%spart %s", prefix, *sums[i].part ? sums[i].part : "of no name");
        add_line(report, name, sums[i], t->wall, limits);
    }
    double host = t->wall - all.seconds / PROFILED;
    snprintf(name, sizeof name, "%spart host, the device idle", prefix);
    laip_bench_add(report, name, host > 0 ? 1e3 * host : 0, "ms", 1e3 * t->wall);
    size_t kernels = totals(lines, count, true, sums);
    qsort(sums, kernels, sizeof *sums, slower_first);
    for (size_t i = 0; i < kernels; i++) {
        snprintf(name, sizeof name, "%skernel %s", prefix, sums[i].kernel);
        add_line(report, name, sums[i], t->wall, limits);
    }
    free(sums);
    add_lines(report, prefix, t);
}
