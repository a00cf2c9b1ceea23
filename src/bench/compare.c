/* laip-bench compare: the results that two reports share, side by side, with their ratio. */
#include "bench/bench.h"

#include <stdio.h>
#include <string.h>

typedef struct arguments {
    const char *paths[2];
} arguments;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    if (key == ARGP_KEY_ARG && state->arg_num < 2) {
        a->paths[state->arg_num] = arg;
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        argp_error(state, "expected two reports");
    if (key == ARGP_KEY_END && state->arg_num < 2)
        argp_error(state, "expected two reports, as `laip-bench ops --json` writes them");
    return ARGP_ERR_UNKNOWN;
}

static json_t *load(const char *path, laip_error *error)
{
    json_error_t at;
    json_t *report = json_load_file(path, 0, &at);
    if (!report)
        laip_bad_input(error, "%s:%d: %s", path, at.line, at.text);
    else if (!json_is_array(json_object_get(report, "results"))) {
        laip_bad_input(error, "%s: found no list \"results\", expected a report of laip-bench --json", path);
        json_decref(report);
        report = NULL;
    }
    return report;
}

static json_t *find(json_t *report, const char *name)
{
    size_t i;
    json_t *result;
    json_array_foreach(json_object_get(report, "results"), i, result)
    {
        const char *other = json_string_value(json_object_get(result, "name"));
        if (other && strcmp(other, name) == 0)
            return result;
    }
    return NULL;
}

static void heading(const char *which, json_t *report)
{
    const char *device = json_string_value(json_object_get(report, "device"));
    const char *driver = json_string_value(json_object_get(report, "driver"));
    printf("%s: %s, driver %s\n", which, device ? device : "?", driver ? driver : "?");
}

static size_t print_pairs(json_t *first, json_t *second)
{
    size_t i, pairs = 0;
    int width = laip_bench_name_width(first);
    json_t *result;
    json_array_foreach(json_object_get(first, "results"), i, result)
    {
        const char *name = json_string_value(json_object_get(result, "name"));
        const char *unit = json_string_value(json_object_get(result, "unit"));
        json_t *other = name && unit ? find(second, name) : NULL;
        double x = json_number_value(json_object_get(result, "value"));
        double y = json_number_value(json_object_get(other, "value"));
        if (!other || !(x > 0) || !(y > 0))
            continue;
        bool rate = strlen(unit) > 2 && strcmp(unit + strlen(unit) - 2, "/s") == 0;
        printf("%-*s %10.2f %10.2f %-10s B is %.2f times as fast\n", width, name, x, y, unit,
               rate ? y / x : x / y);
        pairs++;
    }
    return pairs;
}

int laip_bench_compare(int argc, char **argv)
{
    static const struct argp argp = {
        NULL,
        parse,
        "A.json B.json",
        "Prints the results that two reports of `laip-bench --json` have in common.",
        NULL,
        NULL,
        NULL};
    arguments a = {0};
    laip_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    json_t *first = load(a.paths[0], &error), *second = first ? load(a.paths[1], &error) : NULL;
    if (!second) {
        json_decref(first);
        return laip_bench_fails(argv[0], &error);
    }
    heading("A", first);
    heading("B", second);
    if (!print_pairs(first, second))
        puts("no result is in both");
    json_decref(first);
    json_decref(second);
    return 0;
}
