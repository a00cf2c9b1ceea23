/* laip-bench tune: CLBlast's parameters, the packed product's tile and attention's vectors for a device. */
#include "base/log.h"
#include "bench/bench.h"
#include "ops/attention.h"
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

static void show_rate(void *context, const char *name, double gflops)
{
    (void)context;
    printf("%-32s %8.1f GFLOP/s\n", name, gflops);
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
        "Searches CLBlast's parameters on a device, measures the tiles of the packed product and the vectors "
        "of attention, prints what these reach, and keeps the best in the user's cache folder, where every "
        "program finds them.  "
        "Runs that go on keep what they began with.",
        NULL,
        NULL,
        NULL};
    arguments a = {.seconds = 120};
    laip_error error;
    laip_device *d;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!laip_device_open(&d, a.device, 0, &error))
        return laip_bench_fails(argv[0], &error);
    const laip_traits *t = laip_device_traits(d);
    printf("%s, %d units, native vectors of %d floats (%s, driver %s)\n", t->name, t->units, t->native_vector,
           t->platform, t->driver);
    bool good = laip_gemm_tune(d, a.seconds, show, NULL, &error); /* forgets what was chosen before */
    laip_progress_end();
    good = good && laip_gemm_tune_tiles(d, show_rate, NULL, &error) &&
           laip_attention_tune(d, show_rate, NULL, &error);
    laip_device_close(d);
    return good ? 0 : laip_bench_fails(argv[0], &error);
}
