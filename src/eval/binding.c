#include "eval/binding.h"

#include "base/file.h"
#include "base/memory.h"
#include "synth/family.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_id(const void *a, const void *b)
{
    int32_t x = ((const laip_binding_person *)a)->id, y = ((const laip_binding_person *)b)->id;
    return (x > y) - (x < y);
}

static char *path_beside(const char *annotations)
{
    const char *slash = strrchr(annotations, '/');
    char *folder = laip_strndup(annotations, slash ? (size_t)(slash - annotations) : 0);
    char *path = laip_path_join(slash ? folder : ".", "binding.json");
    free(folder);
    return path;
}

static bool read_persons(laip_binding *b, const json_t *list, const char *path, laip_error *error)
{
    size_t i;
    json_t *person;
    if (!json_is_array(list))
        return laip_bad_input(error, "%s: \"persons\" is missing or no list", path);
    b->persons = laip_alloc(json_array_size(list), sizeof *b->persons);
    json_array_foreach(list, i, person)
    {
        int id, family, member, unseen;
        if (json_unpack(person, "{s:i,s:i,s:i,s:b}", "id", &id, "family", &family, "member", &member,
                        "unseen", &unseen) ||
            member < 0 || member > 3 || family < 0 || family > 10000000)
            return laip_bad_input(
                error, "%s: persons[%zu]: expected id, family, member from 0 to 3, and unseen", path, i);
        b->persons[b->count++] = (laip_binding_person){id, family, member, unseen};
    }
    qsort(b->persons, b->count, sizeof *b->persons, by_id);
    return true;
}

static bool read_boxes(laip_binding *b, const json_t *boxes, const char *path, laip_error *error)
{
    const char *file;
    json_t *things;
    size_t n = 0;
    b->boxes = laip_alloc(json_object_size(boxes) * LAIP_BOUNDS * 4 + 1, sizeof *b->boxes);
    json_object_foreach((json_t *)boxes, file, things)
    {
        for (int i = 0; i < LAIP_BOUNDS; i++) {
            double *box = b->boxes + (n * LAIP_BOUNDS + (size_t)i) * 4;
            if (json_unpack(json_object_get(things, laip_bound_names[i]), "[F,F,F,F]", &box[0], &box[1],
                            &box[2], &box[3]))
                return laip_bad_input(error, "%s: boxes: %s: \"%s\" is no list of four numbers", path, file,
                                      laip_bound_names[i]);
        }
        laip_map_set(&b->files, file, strlen(file), (int32_t)n++);
    }
    return true;
}

const double *laip_binding_boxes(const laip_binding *b, const char *file)
{
    int32_t number;
    return laip_map_get(&b->files, file, strlen(file), &number) ? b->boxes + (size_t)number * LAIP_BOUNDS * 4
                                                                : NULL;
}

bool laip_binding_read(laip_binding *b, const char *annotations, laip_error *error)
{
    char *path = path_beside(annotations), *text = NULL;
    size_t size;
    bool good = true;
    *b = (laip_binding){0};
    if (access(path, F_OK) == 0) {
        json_error_t where;
        good = laip_file_read(path, &text, &size, error);
        json_t *all = good ? json_loadb(text, size, 0, &where) : NULL;
        if (good && !all)
            good = laip_bad_input(error, "%s:%d:%d: %s", path, where.line, where.column, where.text);
        good = good && read_persons(b, json_object_get(all, "persons"), path, error) &&
               read_boxes(b, json_object_get(all, "boxes"), path, error);
        const char *kind = json_string_value(json_object_get(all, "kind"));
        b->control = kind && strcmp(kind, "control") == 0;
        json_decref(all);
        free(text);
    }
    free(path);
    if (!good)
        laip_binding_free(b);
    return good;
}

void laip_binding_free(laip_binding *b)
{
    free(b->persons);
    free(b->boxes);
    laip_map_free(&b->files);
    *b = (laip_binding){0};
}

const laip_binding_person *laip_binding_find(const laip_binding *b, int32_t id)
{
    laip_binding_person key = {.id = id};
    return b->count ? bsearch(&key, b->persons, b->count, sizeof *b->persons, by_id) : NULL;
}

int32_t laip_binding_family_of(const laip_binding *b, int32_t person)
{
    const laip_binding_person *p = laip_binding_find(b, person);
    return p ? p->family : -1;
}

static void count(laip_binding_metrics *m, int wrong_bits)
{
    m->queries++;
    m->family += wrong_bits == 0;
    m->garments += !(wrong_bits & 1);
    m->hat_and_bag += !(wrong_bits & 2);
}

static void scale(laip_binding_metrics *m)
{
    double each = m->queries ? 100.0 / (double)m->queries : 0;
    m->family *= each;
    m->garments *= each;
    m->hat_and_bag *= each;
}

/* The bits that are wrong of the best ranked picture of the own family; -1: the caption is of no family, or
 * none of its pictures is in the gallery. */
static int wrong_bits(const laip_binding *b, const int32_t *ranking, size_t gallery, int32_t person,
                      const int32_t *gallery_person, const laip_binding_person **own)
{
    *own = laip_binding_find(b, person);
    for (size_t k = 0; *own && k < gallery; k++) {
        const laip_binding_person *x = laip_binding_find(b, gallery_person[ranking[k]]);
        if (x && x->family == (*own)->family)
            return x->member ^ (*own)->member;
    }
    return -1;
}

laip_binding_metrics laip_binding_measure(const laip_binding *b, const int32_t *ranking, size_t queries,
                                          size_t gallery, const int32_t *query_person,
                                          const int32_t *gallery_person, laip_binding_metrics *unseen)
{
    laip_binding_metrics all = {0}, rare = {0};
    for (size_t q = 0; q < queries; q++) {
        const laip_binding_person *own;
        int wrong = wrong_bits(b, ranking + q * gallery, gallery, query_person[q], gallery_person, &own);
        if (wrong < 0)
            continue;
        count(&all, wrong);
        if (own->unseen)
            count(&rare, wrong);
    }
    scale(&all);
    scale(&rare);
    if (unseen)
        *unseen = rare;
    return all;
}

size_t laip_binding_families(const laip_binding *b, const int32_t *ranking, size_t queries, size_t gallery,
                             const int32_t *query_person, const int32_t *gallery_person,
                             laip_binding_family **families)
{
    int32_t most = -1;
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++)
        most = b->persons[i].family > most ? b->persons[i].family : most;
    laip_binding_family *all = laip_alloc((size_t)(most + 1) + 1, sizeof *all);
    for (size_t q = 0; q < queries; q++) {
        const laip_binding_person *own;
        int wrong = wrong_bits(b, ranking + q * gallery, gallery, query_person[q], gallery_person, &own);
        if (wrong < 0)
            continue;
        laip_binding_family *f = &all[own->family];
        f->family = own->family;
        f->queries++;
        f->person += wrong == 0;
        f->garments += !(wrong & 1);
        f->hat_and_bag += !(wrong & 2);
    }
    for (int32_t i = 0; i <= most; i++)
        if (all[i].queries)
            all[n++] = all[i];
    *families = all;
    return n;
}
