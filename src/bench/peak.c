/* laip-bench peak: the limits that the operations are compared with, measured by kernels of cl/bench.cl. */
#include "bench/bench.h"
#include "cl/kernels.h"
#include "cl/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FMA_STEPS = 20000, CPU_STEPS = 20, COPY_FLOATS = 1 << 26, LAUNCHES = 200 };

typedef struct probe {
    laip_mat out, from, to;
    size_t groups;
    laip_options options;
    int steps; /* long enough that the launch does not count, short enough for a display's watchdog */
} probe;

static void fma_work(laip_device *d, void *context)
{
    const probe *p = context;
    LAIP_LAUNCH(d, bench_fma, p->options,
                ((laip_grid){.groups = {p->groups},
                             .items = {laip_device_traits(d)->lanes > 1 ? LAIP_FLAT_ITEMS : 1}}),
                LAIP_MAT(p->out), LAIP_F(0.5f), LAIP_I(p->steps));
}

static void copy_work(laip_device *d, void *context)
{
    const probe *p = context;
    size_t count = p->from.cols, each = laip_flat_each(d, count);
    LAIP_LAUNCH(d, bench_copy, "", laip_grid_flat(d, count, each), LAIP_MAT(p->from), LAIP_MAT(p->to),
                laip_arg_u64(count), laip_arg_u64(each));
}

static void one_launch(laip_device *d, void *context)
{
    const probe *p = context;
    LAIP_LAUNCH(d, bench_nothing, "", laip_grid_flat(d, 1, 1), LAIP_MAT(p->out));
}

static void many_launches(laip_device *d, void *context)
{
    for (int i = 0; i < LAUNCHES; i++)
        one_launch(d, context);
}

bool laip_bench_copy(laip_device *d, double bytes, double budget, double *gbytes, laip_error *error)
{
    size_t largest = laip_device_traits(d)->largest / 2 / sizeof(float);
    size_t floats = (size_t)(bytes / 2 / sizeof(float)) + 1;
    floats = floats < largest ? floats : largest;
    probe p = {.from = laip_mat_create(d, 1, floats), .to = laip_mat_create(d, 1, floats)};
    double seconds = 1;
    laip_mat_zero(d, p.from);
    bool good = laip_bench_fastest(d, copy_work, &p, budget, &seconds, error);
    *gbytes = 2e-9 * (double)(floats * sizeof(float)) / seconds;
    laip_mem_release(p.from.mem);
    laip_mem_release(p.to.mem);
    return good;
}

/* The best of every width of vectors, with as many sums as hide the latency of two to four units (4 to 6
 * cycles each) and lie in 16 or in 32 registers. */
bool laip_bench_peak_measure(laip_device *d, double *gflops, int *vector, laip_error *error)
{
    static const int shapes[][2] = {{4, 12}, {4, 24}, {8, 10}, {8, 12}, {8, 24}, {16, 12}, {16, 24}};
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    const laip_traits *t = laip_device_traits(d);
    size_t items = t->lanes > 1 ? LAIP_FLAT_ITEMS : 1;
    probe p = {.groups = (size_t)t->units * (t->lanes > 1 ? 32 : 4),
               .steps = FMA_STEPS * (t->lanes > 1 ? 1 : CPU_STEPS)};
    bool good = true;
    p.out = laip_mat_create(d, p.groups, items);
    *gflops = 0;
    for (size_t i = 0; i < SHAPES && good; i++) {
        double seconds;
        p.options = LAIP_OPTIONS("-DVEC=# -DCHAINS=#", "", shapes[i][0], shapes[i][1]);
        good = laip_bench_fastest(d, fma_work, &p, 0.1, &seconds, error);
        double rate =
            good ? 2e-9 * (double)(p.groups * items) * shapes[i][1] * p.steps * shapes[i][0] / seconds : 0;
        if (rate > *gflops) {
            *gflops = rate;
            *vector = shapes[i][0];
        }
    }
    laip_mem_release(p.out.mem);
    return good;
}

bool laip_bench_limits_measure(laip_device *d, laip_bench_limits *limits, laip_error *error)
{
    probe p = {.out = laip_mat_create(d, 1, 1)};
    double many = 1, one = 1;
    bool good = laip_bench_peak_measure(d, &limits->gflops, &limits->vector, error) &&
                laip_bench_copy(d, 2.0 * COPY_FLOATS * sizeof(float), 0.5, &limits->gbytes, error) &&
                laip_bench_time(d, many_launches, &p, 0.2, &many, error) &&
                laip_bench_time(d, one_launch, &p, 0.1, &one, error);
    limits->launch_us = 1e6 * many / LAUNCHES;
    limits->wait_us = 1e6 * one;
    laip_mem_release(p.out.mem);
    return good;
}

#define PEAK "multiply-adds, fp32"

void laip_bench_add_peak(json_t *report, const laip_bench_limits *limits)
{
    laip_bench_add(report, PEAK, limits->gflops, "GFLOP/s", 0);
    json_object_set_new(report, "peak_vector", json_integer(limits->vector));
}

bool laip_bench_peak_again(laip_device *d, laip_bench_limits *limits, json_t *report, laip_error *error)
{
    double gflops, before = limits->gflops;
    int vector;
    size_t i;
    json_t *r;
    if (!laip_bench_peak_measure(d, &gflops, &vector, error))
        return false;
    if (gflops <= before)
        return true;
    limits->gflops = gflops;
    limits->vector = vector;
    json_object_set_new(report, "peak_vector", json_integer(vector));
    json_array_foreach(json_object_get(report, "results"), i, r)
    {
        const char *unit = json_string_value(json_object_get(r, "unit"));
        json_t *share = json_object_get(r, "share");
        if (strcmp(json_string_value(json_object_get(r, "name")), PEAK) == 0)
            json_object_set_new(r, "value", json_real(gflops));
        else if (share && unit && strcmp(unit, "GFLOP/s") == 0)
            json_object_set_new(r, "share", json_real(json_number_value(share) * before / gflops));
    }
    return true;
}

int laip_bench_peak(int argc, char **argv)
{
    laip_bench_options o = {0};
    int status = 0;
    laip_error error;
    laip_device *d;
    laip_bench_limits limits;
    struct argp own = laip_bench_argp;
    own.doc = "Measures a device's limits: fp32 multiply-adds that wait for nothing, a copy through memory "
              "(bytes read and"
              " written), and a launch of an empty kernel, queued behind others and waited for.  The first is"
              " the best of vectors of 4, 8 and 16 with 10 to 24 independent sums.";
    argp_parse(&own, argc, argv, 0, NULL, &o);
    if (!laip_device_open(&d, o.device, 0, &error))
        return laip_bench_fails(argv[0], &error);
    bool good = laip_bench_limits_measure(d, &limits, &error);
    if (good) {
        json_t *report = laip_bench_report(d, "peak");
        laip_bench_add_peak(report, &limits);
        laip_bench_add(report, "copy", limits.gbytes, "GB/s", 0);
        laip_bench_add(report, "launch, queued", limits.launch_us, "us", 0);
        laip_bench_add(report, "launch, waited for", limits.wait_us, "us", 0);
        status = laip_bench_finish(argv[0], report, &o);
    }
    laip_device_close(d);
    return good ? status : laip_bench_fails(argv[0], &error);
}
