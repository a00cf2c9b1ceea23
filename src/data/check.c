/* Pictures and persons of a dataset under examination. */
#include "data/check.h"

#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/parallel.h"
#include "data/check_internal.h"
#include "image/image.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void laip_check_add(laip_check_list *list, size_t item)
{
    void *array = list->items;
    laip_grow(&array, &list->capacity, list->count + 1, sizeof *list->items);
    list->items = array;
    list->items[list->count++] = item;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

laip_spread laip_check_spread(double *values, size_t n)
{
    if (!n)
        return (laip_spread){0};
    double sum = 0;
    qsort(values, n, sizeof *values, rising);
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return (laip_spread){
        n, values[0], sum / (double)n, values[(n - 1) / 2], values[(n - 1) * 99 / 100], values[n - 1]};
}

typedef struct work {
    laip_check *check;
    atomic_size_t done, bad;
    pthread_mutex_t speaks;
} work;

static void look_at(laip_check *c, size_t i)
{
    laip_checked_picture *p = &c->pictures[i];
    char *path = laip_dataset_file(c->dataset, i), *data = NULL;
    size_t size;
    laip_error error;
    laip_image image = {0};
    if (access(path, F_OK) != 0) {
        p->state = LAIP_PICTURE_MISSING;
        laip_bad_input(&error, "%s: %s", path, strerror(errno));
    } else if (!laip_file_read(path, &data, &size, &error))
        p->state = LAIP_PICTURE_DAMAGED;
    else {
        p->hash = laip_hash(data, size);
        if (!laip_image_decode(data, size, path, true, &image, &error))
            p->state = LAIP_PICTURE_DAMAGED;
        else if (image.damaged)
            laip_bad_input(&error, "%s: the JPEG is damaged within", path);
        p->damaged_within = p->state == LAIP_PICTURE_GOOD && image.damaged;
    }
    if (p->state != LAIP_PICTURE_GOOD || p->damaged_within)
        p->error = laip_strdup(error.text);
    p->width = image.width;
    p->height = image.height;
    laip_image_free(&image);
    free(data);
    free(path);
}

static void one_picture(void *context, size_t i)
{
    work *w = context;
    laip_check *c = w->check;
    look_at(c, i);
    if (c->pictures[i].state != LAIP_PICTURE_GOOD)
        atomic_fetch_add(&w->bad, 1);
    size_t done = atomic_fetch_add(&w->done, 1) + 1, n = c->dataset->picture_count;
    if (pthread_mutex_trylock(&w->speaks) != 0)
        return; /* another thread is speaking */
    enum { BAR = 30 };
    char bar[BAR + 1];
    memset(bar, '.', BAR);
    memset(bar, '#', BAR * done / n);
    bar[BAR] = 0;
    laip_progress("[%s] %zu of %zu pictures, %zu bad", bar, done, n, atomic_load(&w->bad));
    pthread_mutex_unlock(&w->speaks);
}

static void check_pictures(laip_check *c, int threads)
{
    size_t n = c->dataset->picture_count, good = 0;
    work w = {.check = c};
    atomic_init(&w.done, 0);
    atomic_init(&w.bad, 0);
    pthread_mutex_init(&w.speaks, NULL);
    laip_parallel_for(n, threads, one_picture, &w);
    pthread_mutex_destroy(&w.speaks);
    laip_progress_end();
    double *widths = laip_alloc(n, sizeof *widths), *heights = laip_alloc(n, sizeof *heights);
    for (size_t i = 0; i < n; i++) {
        const laip_checked_picture *p = &c->pictures[i];
        if (p->state == LAIP_PICTURE_GOOD) {
            widths[good] = p->width;
            heights[good++] = p->height;
            if (p->damaged_within)
                laip_check_add(&c->damaged_within, i);
        } else
            laip_check_add(p->state == LAIP_PICTURE_MISSING ? &c->missing : &c->damaged, i);
    }
    c->width = laip_check_spread(widths, good);
    c->height = laip_check_spread(heights, good);
    free(widths);
    free(heights);
}

/* The earlier item with this key, or i itself, which is kept for later ones. */
static size_t earlier(laip_map *map, const void *key, size_t length, size_t i)
{
    int32_t first;
    if (laip_map_get(map, key, length, &first))
        return (size_t)first;
    laip_map_set(map, key, length, (int32_t)i);
    return i;
}

static void find_twins(laip_check *c)
{
    laip_map names = {0}, contents = {0};
    for (size_t i = 0; i < c->dataset->picture_count; i++) {
        const char *file = c->dataset->pictures[i].file;
        const laip_checked_picture *p = &c->pictures[i];
        size_t first = earlier(&names, file, strlen(file), i);
        bool same_name = first != i;
        if (!same_name && p->hash)
            first = earlier(&contents, (const char *)&p->hash, sizeof p->hash, i);
        if (first == i)
            continue;
        void *array = c->twins;
        laip_grow(&array, &c->twin_capacity, c->twin_count + 1, sizeof *c->twins);
        c->twins = array;
        c->twins[c->twin_count++] = (laip_check_twin){first, i, same_name};
    }
    laip_map_free(&names);
    laip_map_free(&contents);
}

typedef struct membership {
    int32_t person;
    size_t split;
} membership;

static int by_person(const void *a, const void *b)
{
    const membership *x = a, *y = b;
    if (x->person != y->person)
        return x->person < y->person ? -1 : 1;
    return x->split < y->split ? -1 : x->split > y->split;
}

static size_t split_of(const laip_dataset *d, const laip_picture *p)
{
    for (size_t s = 0; p->split && s < d->split_count; s++)
        if (strcmp(d->splits[s], p->split) == 0)
            return s;
    return 0;
}

/* Counts each split's persons, pictures and captions, and finds the persons of two. */
static void check_persons(laip_check *c)
{
    const laip_dataset *d = c->dataset;
    membership *m = laip_alloc(d->picture_count, sizeof *m);
    c->split_count = d->split_count ? d->split_count : 1;
    for (size_t s = 0; s < d->split_count; s++)
        c->splits[s].name = d->splits[s];
    for (size_t i = 0; i < d->picture_count; i++) {
        m[i] = (membership){d->pictures[i].person, split_of(d, &d->pictures[i])};
        c->splits[m[i].split].pictures++;
        c->splits[m[i].split].captions += d->pictures[i].captions;
    }
    qsort(m, d->picture_count, sizeof *m, by_person);
    for (size_t i = 0; i < d->picture_count; i++) {
        bool same_person = i && m[i].person == m[i - 1].person;
        if (same_person && m[i].split == m[i - 1].split)
            continue;
        c->splits[m[i].split].persons++;
        if (!same_person)
            continue;
        void *array = c->shared;
        laip_grow(&array, &c->shared_capacity, c->shared_count + 1, sizeof *c->shared);
        c->shared = array;
        c->shared[c->shared_count++] =
            (laip_check_shared){m[i].person, {d->splits[m[i - 1].split], d->splits[m[i].split]}};
    }
    free(m);
}

void laip_check_run(laip_check *check, const laip_dataset *dataset, const laip_check_options *options)
{
    *check = (laip_check){.dataset = dataset,
                          .pictures = laip_alloc(dataset->picture_count, sizeof *check->pictures)};
    check_persons(check);
    laip_check_texts(check, options);
    check_pictures(check, options->threads);
    find_twins(check);
}

void laip_check_free(laip_check *check)
{
    for (size_t i = 0; i < check->dataset->picture_count; i++)
        free(check->pictures[i].error);
    free(check->pictures);
    free(check->missing.items);
    free(check->damaged.items);
    free(check->damaged_within.items);
    free(check->silent.items);
    free(check->empty.items);
    free(check->longer.items);
    free(check->twins);
    free(check->shared);
    *check = (laip_check){0};
}

size_t laip_check_faults(const laip_check *check)
{
    return check->missing.count + check->damaged.count + check->shared_count;
}
