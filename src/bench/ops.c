/* laip-bench ops: the operations at the model's shapes, a group a file. */
#include "base/memory.h"
#include "bench/bench.h"
#include "device/profiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool (*run)(const laip_bench_run *run, laip_error *error);
} groups[] = {{"gemm", laip_bench_gemm}, {"attention", laip_bench_attention}, {"rows", laip_bench_rows}};
enum { GROUPS = sizeof groups / sizeof *groups };

typedef struct arguments {
    laip_bench_options common;
    const char *group;
    double budget;
} arguments;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->common;
        return 0;
    case 't':
        a->budget = strtod(arg, &end);
        if (*end || !(a->budget > 0))
            argp_error(state, "--time %s: expected seconds above 0", arg);
        return 0;
    case ARGP_KEY_ARG:
        for (size_t i = 0; i < GROUPS; i++)
            if (strcmp(arg, groups[i].name) == 0) {
                a->group = arg;
                return 0;
            }
        argp_error(state, "%s: no such group of operations; there are: gemm, attention, rows", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

void laip_bench_fill(laip_device *d, laip_mat m)
{
    size_t count = m.rows * m.cols;
    float *values = laip_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i * 2654435761u % 1024) / 1024 - 0.5f;
    laip_mat_write(d, m, values);
    free(values);
}

bool laip_bench_op(const laip_bench_run *run, const char *name, void (*work)(laip_device *, void *),
                   void *context, laip_error *error)
{
    const laip_profiler_line *lines;
    size_t count;
    double seconds, copy;
    work(run->device, context); /* compiles, and chooses who serves a product */
    if (!laip_profiler_start(run->device, false, error))
        return false;
    work(run->device, context);
    if (!laip_profiler_read(run->device, &lines, &count, error))
        return false;
    laip_profiler_line all = laip_profiler_sum(lines, count, NULL, NULL);
    if (!laip_bench_time(run->device, work, context, run->budget, &seconds, error))
        return false;
    if (all.flops > 0) {
        laip_bench_add(run->report, name, 1e-9 * all.flops / seconds, "GFLOP/s", run->limits->gflops);
        return true;
    }
    if (!laip_bench_copy(run->device, all.bytes, run->budget / 2, &copy, error))
        return false;
    double gbytes = 1e-9 * all.bytes / seconds;
    laip_bench_add(run->report, name, gbytes, "GB/s", 0);
    json_t *results = json_object_get(run->report, "results");
    json_object_set_new(json_array_get(results, json_array_size(results) - 1), "of_copy",
                        json_real(gbytes / copy));
    return true;
}

int laip_bench_ops(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"time", 't', "SECONDS", 0, "about how long each measurement takes (default: 0.3)", 0}, {0}};
    static const struct argp_child children[] = {{&laip_bench_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "[GROUP]",
        "Times the operations (or those of one group: gemm, attention, rows) at the model's "
        "shapes: medians, each run waited for, with"
        " the share of the device's own measured peak, or how many times as fast as a copy of as many bytes"
        " (what writes where it has read can be faster than one).",
        children,
        NULL,
        NULL};
    arguments a = {.budget = 0.3};
    laip_error error;
    laip_device *d;
    laip_bench_limits limits;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!laip_device_open(&d, a.common.device, 0, &error))
        return laip_bench_fails(argv[0], &error);
    json_t *report = laip_bench_report(d, "ops");
    bool good = laip_bench_limits_measure(d, &limits, &error);
    laip_bench_run run = {d, &limits, report, a.budget};
    if (good)
        laip_bench_add_peak(report, &limits);
    for (size_t i = 0; good && i < GROUPS; i++)
        if (!a.group || strcmp(a.group, groups[i].name) == 0)
            good = groups[i].run(&run, &error);
    good = good && laip_bench_peak_again(d, &limits, report, &error);
    laip_device_close(d);
    if (!good) {
        json_decref(report);
        return laip_bench_fails(argv[0], &error);
    }
    return laip_bench_finish(argv[0], report, &a.common);
}
