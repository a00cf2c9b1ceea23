/* laip-bench tune: CLBlast's parameters for a device. */
#include "base/log.h"
#include "bench/bench.h"
#include "ops/gemm/gemm.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct arguments {
    const char *device;
    double seconds;
} arguments;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    char *end;
    switch (key) {
    case 'd':
        a->device = arg;
        return 0;
    case 't':
        a->seconds = strtod(arg, &end);
        if (*end || !(a->seconds > 0))
            argp_error(state, "--time %s: expected seconds above 0", arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static void show(void *context, const char *kernel, int tries, double first, double best)
{
    (void)context;
    laip_progress("%s: %d tries, %.1f GFLOP/s at first, %.1f at best", kernel, tries, first, best);
}

int laip_bench_tune(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"device", 'd', "WHICH", 0,
         "a number of `laip-bench devices`, gpu, cpu, or part of a name (default: auto)", 0},
        {"time", 't', "SECONDS", 0, "about how long the search takes (default: 120)", 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        "Searches CLBlast's parameters on a device and keeps the best in the user's cache folder, where "
        "every program"
        " finds them.  Runs that go on keep the parameters that they began with.",
        NULL,
        NULL,
        NULL};
    arguments a = {.seconds = 120};
    laip_error error;
    laip_device *d;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!laip_device_open(&d, a.device, 0, &error))
        return laip_bench_fails(argv[0], &error);
    bool good = laip_gemm_tune(d, a.seconds, show, NULL, &error);
    laip_progress_end();
    laip_device_close(d);
    return good ? 0 : laip_bench_fails(argv[0], &error);
}
