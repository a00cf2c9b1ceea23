/* Timing, reports and the flags common to laip-bench's subcommands. */
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static const struct argp_option options[] = {
    {"device", 'd', "WHICH", 0,
     "a number of `laip-bench devices`, gpu, cpu, or part of a name (default: auto)", 0},
    {"json", 'j', "FILE", OPTION_ARG_OPTIONAL,
     "write JSON to FILE, or print it instead of the table: for `laip-bench compare` and other programs", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    laip_bench_options *o = state->input;
    switch (key) {
    case 'd':
        o->device = arg;
        return 0;
    case 'j':
        o->json = !arg;
        o->json_path = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp laip_bench_argp = {.options = options, .parser = parse};

int laip_bench_fails(const char *program, const laip_error *error)
{
    fprintf(stderr, "%s: %s\n", program, error->text);
    return (int)error->status;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs work again and again and sorts the times of all runs but the first, `count` of them. */
enum { FEWEST = 5, MOST = 200 };
static bool run_often(laip_device *d, void (*work)(laip_device *, void *), void *context, double budget,
                      double times[MOST], size_t *runs, laip_error *error)
{
    double total = 0;
    size_t count = 0;
    work(d, context);
    if (!laip_device_finish(d, error))
        return false;
    while (count < FEWEST || (count < MOST && total < budget)) {
        double start = laip_seconds();
        work(d, context);
        if (!laip_device_finish(d, error))
            return false;
        times[count] = laip_seconds() - start;
        total += times[count++];
    }
    qsort(times, count, sizeof *times, ascending);
    *runs = count;
    return true;
}

bool laip_bench_time(laip_device *d, void (*work)(laip_device *, void *), void *context, double budget,
                     double *seconds, laip_error *error)
{
    double times[MOST];
    size_t count;
    if (!run_often(d, work, context, budget, times, &count, error))
        return false;
    *seconds = times[count / 2];
    return true;
}

bool laip_bench_fastest(laip_device *d, void (*work)(laip_device *, void *), void *context, double budget,
                        double *seconds, laip_error *error)
{
    double times[MOST];
    size_t count;
    if (!run_often(d, work, context, budget, times, &count, error))
        return false;
    *seconds = times[0];
    return true;
}

json_t *laip_bench_report(laip_device *d, const char *subcommand)
{
    const laip_traits *t = laip_device_traits(d);
    json_t *report = json_pack("{s:s, s:s, s:s, s:{s:s}, s:s, s:s, s:s, s:i, s:i, s:{s:i, s:i}, s:[]}",
                               "program", "laip-bench", "subcommand", subcommand, "version", LAIP_VERSION,
                               "build", "compiler", COMPILER, "device", t->name, "platform", t->platform,
                               "driver", t->driver, "units", t->units, "native_vector", t->native_vector,
                               "settings", "lanes", t->lanes, "vector", t->vector, "results");
    const char *const variables[] = {"LAIP_GEMM", "LAIP_SHAPE"};
    for (size_t i = 0; i < 2; i++)
        if (getenv(variables[i]))
            json_object_set_new(json_object_get(report, "settings"), variables[i],
                                json_string(getenv(variables[i])));
    return report;
}

void laip_bench_add(json_t *report, const char *name, double value, const char *unit, double limit)
{
    json_t *result = json_pack("{s:s, s:f, s:s}", "name", name, "value", value, "unit", unit);
    if (limit > 0)
        json_object_set_new(result, "share", json_real(value / limit));
    json_array_append_new(json_object_get(report, "results"), result);
}

int laip_bench_name_width(const json_t *report)
{
    size_t i, most = 0;
    json_t *r;
    json_array_foreach(json_object_get(report, "results"), i, r)
    {
        const char *name = json_string_value(json_object_get(r, "name"));
        size_t length = name ? strlen(name) : 0;
        most = length > most && length < 100 ? length : most;
    }
    return (int)most;
}

static void print_table(const json_t *report)
{
    printf("%s, %d units, native vectors of %d floats (%s, driver %s)\n",
           json_string_value(json_object_get(report, "device")),
           (int)json_integer_value(json_object_get(report, "units")),
           (int)json_integer_value(json_object_get(report, "native_vector")),
           json_string_value(json_object_get(report, "platform")),
           json_string_value(json_object_get(report, "driver")));
    int width = laip_bench_name_width(report);
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(report, "results"), i, r)
    {
        json_t *share = json_object_get(r, "share"), *launches = json_object_get(r, "launches");
        json_t *gflops = json_object_get(r, "gflops"), *gbytes = json_object_get(r, "gbytes"),
               *of_copy = json_object_get(r, "of_copy");
        printf("%-*s %10.2f %-10s", width, json_string_value(json_object_get(r, "name")),
               json_number_value(json_object_get(r, "value")), json_string_value(json_object_get(r, "unit")));
        if (share)
            printf(" %5.1f %%", 100 * json_number_value(share));
        if (launches)
            printf(" %6" JSON_INTEGER_FORMAT " x", json_integer_value(launches));
        if (gflops)
            printf(" %8.1f GFLOP/s %5.1f %%", json_number_value(gflops),
                   100 * json_number_value(json_object_get(r, "of_peak")));
        if (gbytes)
            printf(" %8.1f GB/s", json_number_value(gbytes));
        if (of_copy)
            printf(" %5.2f of a copy", json_number_value(of_copy));
        putchar('\n');
    }
}

int laip_bench_finish(const char *program, json_t *report, const laip_bench_options *o)
{
    enum { FLAGS = JSON_INDENT(1) | JSON_REAL_PRECISION(6) };
    laip_error error;
    int status = 0;
    if (o->json) {
        json_dumpf(report, stdout, FLAGS);
        putchar('\n');
    } else
        print_table(report);
    if (o->json_path) {
        char *text = json_dumps(report, FLAGS);
        if (!text || !laip_file_write(o->json_path, text, strlen(text), &error))
            status = text ? laip_bench_fails(program, &error) : LAIP_FAILURE;
        free(text);
    }
    json_decref(report);
    return status;
}
