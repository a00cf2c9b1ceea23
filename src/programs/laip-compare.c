/* laip-compare: whether some rows of an experiment are better than others. */
#include "base/log.h"
#include "base/memory.h"
#include "eval/experiment.h"
#include "programs/common_memory.h"
#include "report/compare_page.h"

#include <argp.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BASELINE = 256, CLAIM, METRIC, JSON, REPORT, TITLE, DRAWS, MARGIN, SEED, CLAIMS = 32 };

typedef struct arguments {
    const char *list, *baseline, *metric, *report, *title;
    const char *claims[CLAIMS];
    int claim_count;
    double draws, margin, seed;
    bool json;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    const struct {
        int key;
        const char **field;
    } texts[] = {{BASELINE, &a->baseline}, {METRIC, &a->metric}, {REPORT, &a->report}, {TITLE, &a->title}};
    const struct {
        int key;
        double *field, least;
    } numbers[] = {{DRAWS, &a->draws, 1}, {MARGIN, &a->margin, 0}, {SEED, &a->seed, 0}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (key == texts[i].key) {
            *texts[i].field = text;
            return 0;
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (key == numbers[i].key) {
            char *end;
            *numbers[i].field = strtod(text, &end);
            if (*end || end == text || !(*numbers[i].field >= numbers[i].least))
                argp_error(state, "%s: expected a number of at least %g", text, numbers[i].least);
            return 0;
        }
    if (key == JSON)
        a->json = true;
    else if (key == CLAIM) {
        if (a->claim_count == CLAIMS)
            argp_error(state, "more than %d claims", CLAIMS);
        a->claims[a->claim_count++] = text;
    } else if (key == ARGP_KEY_ARG && !a->list)
        a->list = text;
    else if (key == ARGP_KEY_ARG || (key == ARGP_KEY_END && !a->list))
        argp_usage(state);
    else
        return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
    return 0;
}

/* What is compared, and by which metric. */
typedef struct comparison {
    laip_arena arena;
    laip_experiment runs;
    enum laip_experiment_metric metric;
    laip_paired_units units;
    laip_paired_row *rows;
    size_t row_count;
    laip_compared *compared;
    size_t count, capacity;
} comparison;

static const laip_paired_row *row_named(const comparison *c, const char *name)
{
    for (size_t i = 0; i < c->row_count; i++)
        if (strcmp(c->rows[i].name, name) == 0)
            return &c->rows[i];
    return NULL;
}

static void compare(comparison *c, const arguments *a, const char *claim, const laip_paired_row *x,
                    const laip_paired_row *y)
{
    void *array = c->compared;
    laip_grow(&array, &c->capacity, c->count + 1, sizeof *c->compared);
    c->compared = array;
    laip_compared *to = &c->compared[c->count++];
    *to = (laip_compared){.claim = claim, .a = x->name, .b = y->name};
    to->d = laip_paired_compare(&c->units, x, y, (size_t)a->draws, (uint64_t)a->seed);
    to->p = to->d.p;
}

/* NAME=ROW-ROW[,ROW-ROW…]: all of these differences are to be above 0. */
static bool take_claim(comparison *c, const arguments *a, const char *text, laip_error *error)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return laip_bad_input(error, "--claim %s: expected NAME=ROW-ROW", text);
    char *name = laip_arena_strndup(&c->arena, text, (size_t)(equals - text)), *rest;
    char *parts = laip_arena_strndup(&c->arena, equals + 1, strlen(equals + 1));
    for (char *part = strtok_r(parts, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
        char *minus = strchr(part, '-');
        if (!minus)
            return laip_bad_input(error, "--claim %s: expected NAME=ROW-ROW", text);
        *minus = 0;
        const char *names[] = {part, minus + 1};
        const laip_paired_row *pair[2];
        for (int i = 0; i < 2; i++) {
            pair[i] = row_named(c, names[i]);
            if (!pair[i])
                return laip_bad_input(error, "--claim %s: %s has no row %s", text, a->list, names[i]);
        }
        compare(c, a, name, pair[0], pair[1]);
    }
    return true;
}

/* A claim is as sure as the least sure of its differences; Holm's correction is over the claims. */
static void correct(comparison *c, const arguments *a)
{
    double p[CLAIMS] = {0};
    const char *names[CLAIMS] = {NULL};
    size_t claims = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (!c->compared[i].claim)
            continue;
        if (!claims || names[claims - 1] != c->compared[i].claim)
            names[claims++] = c->compared[i].claim;
        p[claims - 1] = fmax(p[claims - 1], c->compared[i].d.p);
    }
    double least[CLAIMS];
    memcpy(least, p, sizeof least);
    laip_paired_holm(p, claims);
    for (size_t i = 0, at = 0; i < c->count; i++) {
        laip_compared *x = &c->compared[i];
        while (x->claim && names[at] != x->claim)
            at++;
        /* by as much as the claim's own */
        x->p = x->claim ? fmin(1, fmax(x->d.p, x->d.p * p[at] / fmax(least[at], 1e-300))) : x->d.p;
        x->verdict = laip_paired_judge(&x->d, x->p, a->margin);
    }
}

static bool differences(comparison *c, const arguments *a, laip_error *error)
{
    const laip_paired_row *base = a->baseline ? row_named(c, a->baseline) : &c->rows[0];
    if (!base)
        return laip_bad_input(error, "--baseline %s: %s has no such row", a->baseline, a->list);
    for (size_t i = 0; i < c->row_count; i++)
        if (&c->rows[i] != base)
            compare(c, a, NULL, &c->rows[i], base);
    for (int i = 0; i < a->claim_count; i++)
        if (!take_claim(c, a, a->claims[i], error))
            return false;
    correct(c, a);
    return true;
}

/* Means and standard deviations of all rows by all metrics that are there. */
typedef struct summary {
    size_t metrics, *runs;
    const char *names[LAIP_EXPERIMENT_METRICS], **rows;
    double *mean, *spread;
} summary;

static summary summarise(comparison *c)
{
    int first = c->runs.families ? 0 : LAIP_METRIC_FEATURES;
    summary s = {.metrics = (size_t)(LAIP_EXPERIMENT_METRICS - first)};
    s.mean = laip_arena_alloc(&c->arena, c->row_count * s.metrics, sizeof *s.mean);
    s.spread = laip_arena_alloc(&c->arena, c->row_count * s.metrics, sizeof *s.spread);
    s.runs = laip_arena_alloc(&c->arena, c->row_count, sizeof *s.runs);
    s.rows = laip_arena_alloc(&c->arena, c->row_count, sizeof *s.rows);
    for (size_t m = 0; m < s.metrics; m++) {
        laip_paired_units units;
        laip_paired_row *rows;
        s.names[m] = laip_experiment_metric_names[(size_t)first + m];
        laip_experiment_rows(&c->runs, (enum laip_experiment_metric)((size_t)first + m), &c->arena, &units,
                             &rows);
        for (size_t r = 0; r < c->row_count; r++) {
            double mean = laip_paired_mean(&units, &rows[r]), square = 0;
            size_t n = rows[r].count;
            for (size_t i = 0; i < n; i++)
                square += pow(laip_paired_accuracy(&units, &rows[r].runs[i]) - mean, 2);
            s.mean[r * s.metrics + m] = mean;
            s.spread[r * s.metrics + m] = n > 1 ? sqrt(square / (double)(n - 1)) : 0;
            s.runs[r] = n;
            s.rows[r] = rows[r].name;
        }
    }
    return s;
}

static void print_table(const comparison *c, const summary *s)
{
    printf("| row | runs |");
    for (size_t m = 0; m < s->metrics; m++)
        printf(" %s |", s->names[m]);
    printf("\n| --- | --- |");
    for (size_t m = 0; m < s->metrics; m++)
        printf(" --- |");
    for (size_t r = 0; r < c->row_count; r++) {
        printf("\n| %s | %zu |", s->rows[r], s->runs[r]);
        for (size_t m = 0; m < s->metrics; m++)
            printf(" %.1f ± %.1f |", s->mean[r * s->metrics + m], s->spread[r * s->metrics + m]);
    }
    printf("\n\n| difference of %s | claim | seeds | runs | mean | 95 %% interval | p | |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
           laip_experiment_metric_names[c->metric]);
    for (size_t i = 0; i < c->count; i++) {
        const laip_compared *x = &c->compared[i];
        printf("| %s − %s | %s | %zu | %zu | %+.2f | %+.2f to %+.2f | %.4f | %s |\n", x->a, x->b,
               x->claim ? x->claim : "", x->d.seeds, x->d.runs, x->d.mean, x->d.low, x->d.high, x->p,
               laip_paired_verdict_names[x->verdict]);
    }
}

static void print_json(const comparison *c, const summary *s)
{
    json_t *rows = json_array(), *list = json_array();
    for (size_t r = 0; r < c->row_count; r++) {
        json_t *row = json_pack("{s:s,s:i}", "row", s->rows[r], "runs", (int)s->runs[r]);
        for (size_t m = 0; m < s->metrics; m++)
            json_object_set_new(
                row, s->names[m],
                json_pack("[f,f]", s->mean[r * s->metrics + m], s->spread[r * s->metrics + m]));
        json_array_append_new(rows, row);
    }
    for (size_t i = 0; i < c->count; i++) {
        const laip_compared *x = &c->compared[i];
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s?,s:i,s:i,s:f,s:[f,f],s:f,s:s}", "a", x->a, "b", x->b,
                                        "claim", x->claim, "seeds", (int)x->d.seeds, "runs", (int)x->d.runs,
                                        "mean", x->d.mean, "interval", x->d.low, x->d.high, "p", x->p,
                                        "verdict", laip_paired_verdict_names[x->verdict]));
    }
    json_t *all = json_pack("{s:s,s:i,s:o,s:o}", "metric", laip_experiment_metric_names[c->metric], "units",
                            (int)c->units.count, "rows", rows, "differences", list);
    char *text = json_dumps(all, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    puts(text);
    free(text);
    json_decref(all);
}

static bool choose_metric(comparison *c, const arguments *a, laip_error *error)
{
    int i = c->runs.families ? LAIP_METRIC_FAMILY : LAIP_METRIC_MATCHING;
    if (a->metric)
        for (i = 0; i < LAIP_EXPERIMENT_METRICS && strcmp(a->metric, laip_experiment_metric_names[i]) != 0;
             i++)
            ;
    if (i == LAIP_EXPERIMENT_METRICS)
        return laip_bad_input(
            error, "--metric %s: expected family, garments, hat_and_bag, features, matching or both",
            a->metric);
    if (i < LAIP_METRIC_FEATURES && !c->runs.families)
        return laip_bad_input(error, "--metric %s: %s is not of drawn families", a->metric, a->list);
    c->metric = (enum laip_experiment_metric)i;
    return true;
}

static bool execute(comparison *c, const arguments *a, laip_error *error)
{
    if (!laip_experiment_read(&c->runs, a->list, error) || !choose_metric(c, a, error))
        return false;
    c->row_count = laip_experiment_rows(&c->runs, c->metric, &c->arena, &c->units, &c->rows);
    if (!differences(c, a, error))
        return false;
    summary s = summarise(c);
    if (a->json)
        print_json(c, &s);
    else
        print_table(c, &s);
    laip_compare_page page = {.title = a->title,
                              .metric = laip_experiment_metric_names[c->metric],
                              .rows = c->row_count,
                              .metrics = s.metrics,
                              .differences = c->count,
                              .units = c->units.count,
                              .margin = a->margin,
                              .row_names = s.rows,
                              .metric_names = s.names,
                              .mean = s.mean,
                              .spread = s.spread,
                              .runs = s.runs,
                              .compared = c->compared};
    return !a->report || laip_compare_page_write(&page, a->report, error);
}

int main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"baseline", BASELINE, "ROW", 0, "What the others are compared with (the list's first)", 0},
        {"claim", CLAIM, "NAME=ROW-ROW", 0,
         "That one row is better than another, or, divided by commas, several than others; given again for a "
         "further one, p is corrected by Holm",
         0},
        {"metric", METRIC, "NAME", 0,
         "Of the differences: family, garments, hat_and_bag, or R@1 by features, matching or both (family; "
         "without drawn families, matching)",
         0},
        {"draws", DRAWS, "N", 0, "Of the bootstrap (10000)", 0},
        {"seed", SEED, "S", 0, "The same seed draws the same intervals (1)", 0},
        {"margin", MARGIN, "POINTS", 0, "Within which an interval says: no effect (2)", 0},
        {"json", JSON, NULL, 0, "Prints JSON", 0},
        {"report", REPORT, "DIR", 0, "Writes DIR/index.html", 0},
        {"title", TITLE, "TEXT", 0, "Of the page", 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        "LIST",
        "Compares runs that were trained several times, by what laip-eval --json printed of them.  LIST has "
        "a "
        "line for each: ROW SEED REPETITION FILE [FILE...].  Differences are paired: of runs of the same "
        "seed "
        "and repetition, on the same captions.  Of fewer than three seeds nothing is concluded.\v"
        "Example:\n\n  laip-compare runs/list --claim triplet=all-both_mpm --claim mpm=all-both_triplet",
        NULL,
        NULL,
        NULL};
    arguments a = {.title = "Rows compared", .draws = 10000, .margin = 2, .seed = 1};
    comparison c = {.count = 0};
    laip_error error;
    laip_exit_when_out_of_memory();
    argp_program_version = "laip-compare " LAIP_VERSION;
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    bool good = execute(&c, &a, &error);
    if (!good)
        fprintf(stderr, "laip-compare: %s\n", error.text);
    laip_experiment_free(&c.runs);
    free(c.compared);
    laip_arena_free(&c.arena);
    return good ? 0 : (int)error.status;
}
