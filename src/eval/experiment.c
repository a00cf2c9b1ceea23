#include "eval/experiment.h"

#include "base/file.h"
#include "base/str.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const char *const laip_experiment_metric_names[] = {"family",   "garments", "hat_and_bag", "features",
                                                    "matching", "both",     NULL};

/* Counts of a unit: captions, and of these the right ones by each metric. */
typedef struct laip_experiment_group {
    int32_t unit;
    double captions, right[LAIP_EXPERIMENT_METRICS];
} group;

enum { NO_FAMILIES = 3 }; /* the first metric that needs none */

static group *group_of(laip_experiment_run *r, int32_t unit)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->groups[i].unit == unit)
            return &r->groups[i];
    void *array = r->groups;
    laip_grow(&array, &r->capacity, r->count + 1, sizeof *r->groups);
    r->groups = array;
    r->groups[r->count] = (group){.unit = unit};
    return &r->groups[r->count++];
}

/* A list of [unit, captions, right, right, right], whose counts are metrics first … first + 2. */
static bool take_counts(laip_experiment_run *r, const json_t *list, int first, const char *path,
                        const char *name, laip_error *error)
{
    size_t i;
    json_t *entry;
    if (!json_is_array(list) || !json_array_size(list))
        return laip_bad_input(error, "%s: \"%s\" is missing, expected a file of laip-eval --json", path,
                              name);
    json_array_foreach(list, i, entry)
    {
        int unit, captions, right[3];
        if (json_unpack(entry, "[i,i,i,i,i]", &unit, &captions, &right[0], &right[1], &right[2]))
            return laip_bad_input(error, "%s: %s[%zu]: expected five whole numbers", path, name, i);
        group *g = group_of(r, unit);
        if (first == NO_FAMILIES)
            g->captions += captions;
        for (int k = 0; k < 3; k++)
            g->right[first + k] += right[k];
    }
    return true;
}

static bool read_file(laip_experiment *e, laip_experiment_run *r, const char *path, laip_error *error)
{
    json_error_t where;
    char *text;
    size_t size;
    if (!laip_file_read(path, &text, &size, error))
        return false;
    json_t *all = json_loadb(text, size, 0, &where), *families = json_object_get(all, "binding_families");
    bool good = all ? take_counts(r, json_object_get(all, "groups"), NO_FAMILIES, path, "groups", error)
                    : laip_bad_input(error, "%s:%d:%d: %s", path, where.line, where.column, where.text);
    e->families = e->families && families;
    if (good && families)
        good = take_counts(r, families, 0, path, "binding_families", error);
    json_decref(all);
    free(text);
    return good;
}

static int by_unit(const void *a, const void *b)
{
    int32_t x = ((const group *)a)->unit, y = ((const group *)b)->unit;
    return (x > y) - (x < y);
}

/* All runs are to be counted on the same captions, and none twice. */
static bool check_run(const laip_experiment *e, const char *where, laip_error *error)
{
    const laip_experiment_run *r = &e->runs[e->count - 1], *first = &e->runs[0];
    bool same = r->count == first->count;
    for (size_t i = 0; same && i < r->count; i++)
        same =
            r->groups[i].unit == first->groups[i].unit && r->groups[i].captions == first->groups[i].captions;
    if (!same)
        return laip_bad_input(error, "%s: counts other captions than the runs before it", where);
    for (size_t i = 0; i + 1 < e->count; i++)
        if (!strcmp(e->runs[i].row, r->row) && e->runs[i].seed == r->seed &&
            e->runs[i].repetition == r->repetition)
            return laip_bad_input(error, "%s: %s, seed %d, repetition %d is there twice", where, r->row,
                                  (int)r->seed, (int)r->repetition);
    return true;
}

static bool read_line(laip_experiment *e, char *line, const char *where, const char *folder,
                      laip_error *error)
{
    char *rest, *end;
    const char *row = strtok_r(line, " \t\r", &rest);
    if (!row)
        return true;
    const char *number[2] = {strtok_r(NULL, " \t\r", &rest), NULL}, *file;
    number[1] = number[0] ? strtok_r(NULL, " \t\r", &rest) : NULL;
    long value[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        value[i] = number[i] ? strtol(number[i], &end, 10) : 0;
        if (!number[i] || *end || value[i] < 0 || value[i] > INT32_MAX)
            return laip_bad_input(error, "%s: expected ROW SEED REPETITION FILE", where);
    }
    void *array = e->runs;
    laip_grow(&array, &e->capacity, e->count + 1, sizeof *e->runs);
    e->runs = array;
    laip_experiment_run *r = &e->runs[e->count++];
    *r = (laip_experiment_run){laip_strdup(row), (int32_t)value[0], (int32_t)value[1], NULL, 0, 0};
    int files = 0;
    for (; (file = strtok_r(NULL, " \t\r", &rest)) != NULL; files++) {
        char *path = laip_path_join(folder, file);
        bool good = read_file(e, r, path, error);
        free(path);
        if (!good)
            return false;
    }
    if (!files)
        return laip_bad_input(error, "%s: %s has no file", where, row);
    qsort(r->groups, r->count, sizeof *r->groups, by_unit);
    return check_run(e, where, error);
}

bool laip_experiment_read(laip_experiment *e, const char *list, laip_error *error)
{
    char *text;
    size_t size, number = 0;
    *e = (laip_experiment){.families = true};
    if (!laip_file_read(list, &text, &size, error))
        return false;
    const char *slash = strrchr(list, '/');
    char *folder = slash ? laip_strndup(list, (size_t)(slash - list) + 1) : laip_strdup(".");
    bool good = true;
    for (char *line = text, *next; good && line; line = next) {
        laip_str where = {0};
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        line[strcspn(line, "#")] = 0;
        laip_str_addf(&where, "%s:%zu", list, ++number);
        good = read_line(e, line, where.text, folder, error);
        free(where.text);
    }
    if (good && !e->count)
        good = laip_bad_input(error, "%s: names no run", list);
    free(folder);
    free(text);
    if (!good)
        laip_experiment_free(e);
    return good;
}

void laip_experiment_free(laip_experiment *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free(e->runs[i].row);
        free(e->runs[i].groups);
    }
    free(e->runs);
    *e = (laip_experiment){0};
}

size_t laip_experiment_rows(const laip_experiment *e, enum laip_experiment_metric metric, laip_arena *arena,
                            laip_paired_units *units, laip_paired_row **rows)
{
    const laip_experiment_run *first = &e->runs[0];
    double *captions = laip_arena_alloc(arena, first->count, sizeof *captions);
    size_t count = 0;
    for (size_t i = 0; i < first->count; i++)
        captions[i] = first->groups[i].captions;
    *units = (laip_paired_units){first->count, captions};
    *rows = laip_arena_alloc(arena, e->count, sizeof **rows);
    for (size_t i = 0; i < e->count; i++) {
        const laip_experiment_run *r = &e->runs[i];
        size_t k = 0;
        while (k < count && strcmp((*rows)[k].name, r->row) != 0)
            k++;
        laip_paired_row *row = &(*rows)[k];
        if (k == count) {
            *row = (laip_paired_row){r->row, laip_arena_alloc(arena, e->count, sizeof *row->runs), 0};
            count++;
        }
        double *right = laip_arena_alloc(arena, r->count, sizeof *right);
        for (size_t g = 0; g < r->count; g++)
            right[g] = r->groups[g].right[metric];
        row->runs[row->count++] = (laip_paired_run){r->seed, r->repetition, right};
    }
    return count;
}
