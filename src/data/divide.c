/* A list without splits divided by persons. */
#include "data/annotations.h"

#include "base/file.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

enum { TRAIN, VAL, TEST, NAMES };
static const char *const names[NAMES] = {"train", "val", "test"};

static int rising(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The different persons, in rising order; the caller frees them. */
static uint32_t *persons_of(const laip_dataset *d, size_t *count)
{
    uint32_t *all = laip_alloc(d->picture_count + 1, sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < d->picture_count; i++)
        all[i] = (uint32_t)d->pictures[i].person;
    qsort(all, d->picture_count, sizeof *all, rising);
    for (size_t i = 0; i < d->picture_count; i++)
        if (!n || all[n - 1] != all[i])
            all[n++] = all[i];
    *count = n;
    return all;
}

static void set_key(laip_map *map, uint32_t person, int split)
{
    laip_map_set(map, (const char *)&person, sizeof person, split);
}

static bool draw(laip_annotations *a, const laip_division *by, laip_map *split_of, laip_error *error)
{
    size_t n, val = (size_t)by->val, test = (size_t)by->test;
    uint32_t *persons = persons_of(a->d, &n);
    bool good =
        val + test < n ||
        laip_bad_input(error,
                       "%s: has %zu persons, expected more than data.split's %zu for val and %zu for test",
                       a->path, n, val, test);
    laip_rng r = laip_rng_stream(by->seed, 0, 0, LAIP_SITE_SPLIT);
    laip_rng_shuffle(&r, persons, (uint32_t)n);
    for (size_t i = 0; good && i < n; i++)
        set_key(split_of, persons[i], i < val ? VAL : i < val + test ? TEST : TRAIN);
    free(persons);
    return good;
}

/* One id of the file: a number, or the name that the annotations give the person. */
static bool read_id(const laip_annotations *a, const laip_division *by, const json_t *id, const char *split,
                    uint32_t *person, laip_error *error)
{
    int32_t number;
    const char *name = json_string_value(id);
    if (json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) <= INT32_MAX) {
        *person = (uint32_t)json_integer_value(id);
        return true;
    }
    if (name && laip_map_get(&a->persons, name, strlen(name), &number)) {
        *person = (uint32_t)number;
        return true;
    }
    return laip_bad_input(error, "%s: %s: holds %.60s%s, expected ids of persons of %s", by->file, split,
                          name ? name : laip_json_kind(id), name ? ", who is in no entry" : "", a->path);
}

/* {"val": [ids], "test": [ids]}: whoever is not named is for training. */
static bool from_file(laip_annotations *a, const laip_division *by, laip_map *split_of, laip_error *error)
{
    char *text;
    size_t size;
    json_error_t where;
    if (!laip_file_read(by->file, &text, &size, error))
        return false;
    json_t *top = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    free(text);
    bool good = json_is_object(top);
    if (!top)
        laip_bad_input(error, "%s:%d:%d: %.300s, expected JSON", by->file, where.line, where.column,
                       where.text);
    else if (!good)
        laip_bad_input(error, "%s: is %s, expected an object of lists: train, val, test", by->file,
                       laip_json_kind(top));
    for (int s = 0; good && s < NAMES; s++) {
        const json_t *list = json_object_get(top, names[s]);
        good = !list || json_is_array(list) ||
               laip_bad_input(error, "%s: %s is %s, expected a list of ids", by->file, names[s],
                              laip_json_kind(list));
        for (size_t i = 0; good && list && i < json_array_size(list); i++) {
            uint32_t person = 0;
            int32_t before = 0;
            good = read_id(a, by, json_array_get(list, i), names[s], &person, error);
            if (good && laip_map_get(split_of, (const char *)&person, sizeof person, &before) && before != s)
                good = laip_bad_input(error, "%s: person %u is in %s and in %s", by->file, person,
                                      names[before], names[s]);
            if (good)
                set_key(split_of, person, s);
        }
    }
    json_decref(top);
    return good;
}

bool laip_annotations_divide(laip_annotations *a, const laip_division *by, laip_error *error)
{
    laip_map split_of = {0};
    const char *own[NAMES];
    bool good = *by->file ? from_file(a, by, &split_of, error) : draw(a, by, &split_of, error);
    for (int s = 0; good && s < NAMES; s++)
        own[s] = laip_annotations_split(a, names[s]);
    for (size_t i = 0; good && i < a->d->picture_count; i++) {
        uint32_t person = (uint32_t)a->d->pictures[i].person;
        int32_t split = TRAIN;
        laip_map_get(&split_of, (const char *)&person, sizeof person, &split);
        a->d->pictures[i].split = own[split];
    }
    laip_map_free(&split_of);
    a->d->divided = good;
    return good;
}
