/* Timing, reports and the flags common to laip-bench's subcommands. */
#include "base/log.h"
#include "base/memory.h"
#include "programs/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct argp_option options[] = {
    {"device", 'd', "WHICH", 0,
     "a number of `laip-bench devices`, gpu, cpu, or part of a name (default: auto)", 0},
    {"json", 'j', NULL, 0, "print JSON, for `laip-bench compare` and other programs", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    laip_bench_options *o = state->input;
    switch (key) {
    case 'd':
        o->device = arg;
        return 0;
    case 'j':
        o->json = true;
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

bool laip_bench_time(laip_device *d, void (*work)(laip_device *, void *), void *context, double budget,
                     double *seconds, laip_error *error)
{
    enum { FEWEST = 5, MOST = 200 };
    double times[MOST], total = 0;
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
    *seconds = times[count / 2];
    return true;
}

json_t *laip_bench_report(laip_device *d, const char *subcommand)
{
    const laip_traits *t = laip_device_traits(d);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[]}", "program", "laip-bench", "subcommand",
                     subcommand, "version", LAIP_VERSION, "device", t->name, "platform", t->platform,
                     "driver", t->driver, "units", t->units, "results");
}

void laip_bench_add(json_t *report, const char *name, double value, const char *unit, double limit)
{
    json_t *result = json_pack("{s:s, s:f, s:s}", "name", name, "value", value, "unit", unit);
    if (limit > 0)
        json_object_set_new(result, "share", json_real(value / limit));
    json_array_append_new(json_object_get(report, "results"), result);
}

void laip_bench_print(json_t *report, bool json)
{
    if (json) {
        json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
        putchar('\n');
        json_decref(report);
        return;
    }
    printf("%s (%s, driver %s)\n", json_string_value(json_object_get(report, "device")),
           json_string_value(json_object_get(report, "platform")),
           json_string_value(json_object_get(report, "driver")));
    size_t i;
    json_t *result;
    json_array_foreach(json_object_get(report, "results"), i, result)
    {
        json_t *share = json_object_get(result, "share");
        printf("%-58s %10.2f %-8s", json_string_value(json_object_get(result, "name")),
               json_number_value(json_object_get(result, "value")),
               json_string_value(json_object_get(result, "unit")));
        if (share)
            printf(" %5.1f %%", 100 * json_number_value(share));
        putchar('\n');
    }
    json_decref(report);
}
