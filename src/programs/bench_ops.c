/* laip-bench ops: the operations at the model's shapes, a group a file. */
#include "programs/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool (*run)(const laip_bench_run *run, laip_error *error);
} groups[] = {{"gemm", laip_bench_gemm}};
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
        argp_error(state, "%s: no such group of operations; there is: gemm", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

int laip_bench_ops(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"time", 't', "SECONDS", 0, "about how long each measurement takes (default: 0.3)", 0}, {0}};
    static const struct argp_child children[] = {{&laip_bench_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     "[GROUP]",
                                     "Times the operations (or those of one group: gemm) at the model's "
                                     "shapes: medians, each run waited for, with"
                                     " the share of the device's own measured limit.",
                                     children,
                                     NULL,
                                     NULL};
    arguments a = {.budget = 0.3};
    laip_error error;
    laip_device *d;
    laip_bench_limits limits;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!laip_device_open(&d, a.common.device ? a.common.device : getenv("LAIP_DEVICE"), 0, &error))
        return laip_bench_fails(argv[0], &error);
    json_t *report = laip_bench_report(d, "ops");
    bool good = laip_bench_limits_measure(d, &limits, &error);
    laip_bench_run run = {d, &limits, report, a.budget};
    if (good)
        laip_bench_add(report, "multiply-adds, fp32", limits.gflops, "GFLOP/s", 0);
    for (size_t i = 0; good && i < GROUPS; i++)
        if (!a.group || strcmp(a.group, groups[i].name) == 0)
            good = groups[i].run(&run, &error);
    laip_device_close(d);
    if (!good) {
        json_decref(report);
        return laip_bench_fails(argv[0], &error);
    }
    return laip_bench_finish(argv[0], report, &a.common);
}
