/* Which implementation serves a class of shapes: measured on the device once, kept in the user's cache
 * folder.
 *
 * A class is the two transpositions, how large m, n and k are, each in four steps, how B is stored,
 * and the precision where it is not fp32; products too small to matter are one class a transposition.  The
 * first product of a class runs by all implementations that compete into scratch memory, cut down to at most
 * MEASURED multiply-adds so that this costs milliseconds, and the quickest serves the class from then on. The
 * file is text, a line "CLASS NAME" each, under the hash of device, driver and versions; it is read again
 * before it is written, beside its place and renamed: processes that race lose a measurement at most. */
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "ops/attention.h"
#include "ops/gemm/internal.h"
#include "ops/matrix_unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 1 << 15, MEASURED = 1 << 26, REPEATS = 10, MOST_ROWS = 32 };

static int size_step(size_t x)
{
    return x <= 16 ? 0 : x <= 128 ? 1 : x <= 512 ? 2 : 3;
}

static bool is_tiny(const laip_product *p)
{
    return (double)p->m * (double)p->n * (double)p->k <= SMALL;
}

static int class_number(laip_device *d, const laip_product *p)
{
    int kind = p->transpose_a + 2 * p->transpose_b + 4 * (int)p->b.store + 12 * (int)laip_precision_of(d);
    int sizes = is_tiny(p) ? 64 : size_step(p->m) + 4 * size_step(p->n) + 16 * size_step(p->k);
    return 65 * kind + sizes;
}

static void class_name(laip_device *d, const laip_product *p, char name[LAIP_CLASS_TEXT])
{
    char a = p->transpose_a ? 't' : 'n', b = p->transpose_b ? 't' : 'n';
    const char *stored = (const char *const[]){"", "h", "b"}[p->b.store], *const steps = "smlx";
    if (is_tiny(p))
        snprintf(name, LAIP_CLASS_TEXT, "%c%c-tiny%s", a, b, stored);
    else
        snprintf(name, LAIP_CLASS_TEXT, "%c%c-%c%c%c%s", a, b, steps[size_step(p->m)], steps[size_step(p->n)],
                 steps[size_step(p->k)], stored);
    laip_precision precision = laip_precision_of(d);
    size_t used = strlen(name);
    if (precision != LAIP_PRECISION_FP32)
        snprintf(name + used, LAIP_CLASS_TEXT - used, "-%s", laip_precision_names[precision]);
}

/* The cache folder's file `gemm/HASH.SUFFIX` of this device; free() releases it. */
char *laip_gemm_cache_path(const laip_device *d, const char *suffix)
{
    char key[1200], name[64];
    snprintf(key, sizeof key, "%s|%s|%s|%s|%s|%d|%d|%d", d->traits.platform, d->traits.name, d->traits.driver,
             LAIP_VERSION, laip_clblast_version(), d->traits.lanes, d->traits.native_vector, d->traits.units);
    snprintf(name, sizeof name, "gemm/%016" PRIx64 ".%s", laip_hash(key, strlen(key)), suffix);
    char *folder = laip_cache_folder(), *path = laip_path_join(folder, name);
    free(folder);
    return path;
}

/* Writes a file of the cache folder; one that cannot be written costs a measurement next time, nothing else.
 */
void laip_gemm_cache_save(const char *path, const laip_str *text)
{
    laip_error ignored;
    char *folder = laip_strdup(path);
    *strrchr(folder, '/') = '\0';
    if (laip_make_folders(folder, &ignored))
        (void)laip_file_write(path, laip_str_text(text), text->length, &ignored);
    free(folder);
}

static const char *find(const laip_gemm_choices *c, const char *class)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->list[i].class, class) == 0)
            return c->list[i].name;
    return NULL;
}

static void put(laip_gemm_choices *c, const char *class, const char *name)
{
    size_t i = 0;
    while (i < c->count && strcmp(c->list[i].class, class) != 0)
        i++;
    if (i == c->count) {
        void *array = c->list;
        laip_grow(&array, &c->capacity, c->count + 1, sizeof *c->list);
        c->list = array;
        c->count++;
    }
    snprintf(c->list[i].class, sizeof c->list[i].class, "%s", class);
    snprintf(c->list[i].name, sizeof c->list[i].name, "%s", name);
}

static bool check(const laip_device *d, const char *path, int line, const char *class, const char *name,
                  laip_error *error)
{
    bool own, good = laip_tile_choice_valid(class, name, &own);
    const laip_gemm_implementation *row = laip_gemm_find(name);
    bool attention, serves = laip_attention_choice_valid(d, class, name, &attention);
    if (attention)
        return serves ||
               laip_bad_input(error, "%s:%d: found %s for %s, expected vectors of %s, such as 16-8x2", path,
                              line, name, class, d->traits.name);
    if (own)
        return good || laip_bad_input(error, "%s:%d: found %s for %s, expected %s", path, line, name, class,
                                      strcmp(class, "packed") == 0 ? "a tile such as packed-8-6x16"
                                                                   : "steps of k from 64 to 65536");
    if (!row)
        return laip_bad_input(error, "%s:%d: found %s, expected packed or clblast", path, line, name);
    if (strlen(class) >= LAIP_CLASS_TEXT)
        return laip_bad_input(error, "%s:%d: found %s, expected a shape class", path, line, class);
    return row->serves(d, NULL) || laip_bad_input(error,
                                                  "%s:%d: class %s is served by the product %s, which %s has"
                                                  " not",
                                                  path, line, class, name, d->traits.name);
}

/* CLBlast's parameters go to s, the rest to c. */
static bool read_choices(const laip_device *d, const char *path, laip_gemm_state *s, laip_gemm_choices *c,
                         laip_error *error)
{
    char *data, class[LAIP_CLASS_TEXT + 1], name[LAIP_TUNED_TEXT];
    size_t size;
    int used, line = 1;
    if (!laip_file_read(path, &data, &size, error))
        return false;
    const char *at = data;
    bool good = true;
    for (; good && sscanf(at, "%16s %95s%n", class, name, &used) == 2; at += used, line++)
        if (!laip_tuned_set(s, class, name)) {
            good = check(d, path, line, class, name, error);
            if (good)
                put(c, class, name);
        }
    if (good && at[strspn(at, " \n")])
        good = laip_bad_input(error, "%s:%d: expected a shape class and packed or clblast", path, line);
    free(data);
    return good;
}

bool laip_gemm_choices_read(laip_device *d, const char *path, laip_error *error)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    bool good = read_choices(d, path, s, &s->choices, error);
    s->tuning_settled = true;
    s->tile = NULL;
    s->depth = 0;
    laip_gemm_forget_serving(s);
    return good;
}

static laip_str listing(const laip_gemm_choices *c)
{
    laip_str text = {0};
    for (size_t i = 0; i < c->count; i++)
        laip_str_addf(&text, "%s %s\n", c->list[i].class, c->list[i].name);
    return text;
}

bool laip_gemm_choices_write(laip_device *d, const char *path, laip_error *error)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    laip_str text = listing(&s->choices);
    laip_tuned_list(s, &text);
    bool good = laip_file_write(path, laip_str_text(&text), text.length, error);
    free(text.text);
    return good;
}

void laip_gemm_forget_serving(laip_gemm_state *s)
{
    memset(s->serving, 0, sizeof s->serving);
}

void laip_gemm_choices_free(laip_gemm_choices *c)
{
    free(c->list);
    *c = (laip_gemm_choices){0};
}

/* What the cache folder's file says; CLBlast's parameters lie in another. */
static laip_gemm_choices cached(const laip_device *d, const char *path)
{
    laip_gemm_choices c = {0};
    laip_gemm_state ignored_parameters = {0};
    laip_error ignored;
    (void)read_choices(d, path, &ignored_parameters, &c, &ignored);
    return c;
}

const char *laip_chosen(laip_device *d, const char *class)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    if (!find(&s->choices, class)) {
        char *path = laip_gemm_cache_path(d, "choices");
        laip_gemm_choices c = cached(d, path);
        const char *name = find(&c, class);
        if (name)
            put(&s->choices, class, name);
        laip_gemm_choices_free(&c);
        free(path);
    }
    return find(&s->choices, class);
}

void laip_remember(laip_device *d, const char *class, const char *name)
{
    char *path = laip_gemm_cache_path(d, "choices");
    laip_gemm_choices c = cached(d, path);
    put(&laip_gemm_state_of(d)->choices, class, name);
    laip_gemm_forget_serving(laip_gemm_state_of(d));
    put(&c, class, name);
    laip_str text = listing(&c);
    laip_gemm_cache_save(path, &text);
    free(text.text);
    laip_gemm_choices_free(&c);
    free(path);
}

size_t laip_gemm_quickest(laip_device *d, const laip_gemm_implementation *const *rows, size_t count,
                          const laip_product *p, int rounds, double *seconds)
{
    double least[MOST_ROWS];
    size_t best = 0;
    bool paused = d->profiler.paused;
    d->profiler.paused = true;
    for (int round = -1; round < rounds && d->error.status == LAIP_OK; round++)
        for (size_t i = 0; i < count; i++) {
            double start = laip_seconds();
            rows[i]->run(d, rows[i], p);
            clFinish(d->queue);
            double taken = laip_seconds() - start;
            if (round <= 0 || taken < least[i]) /* the round before the first compiles, and allocates */
                least[i] = taken;
        }
    d->profiler.paused = paused;
    for (size_t i = 0; i < count && d->error.status == LAIP_OK; i++) {
        if (least[i] < least[best])
            best = i;
        if (seconds)
            seconds[i] = least[i];
    }
    return best;
}

/* The row that a name stands for on this device. */
static const laip_gemm_implementation *row_of(laip_device *d, const char *name)
{
    const laip_gemm_implementation *row = laip_gemm_find(name);
    return row && row->family && strcmp(row->family, name) == 0 ? row->best(d) : row;
}

/* Those that compete for p, a family by its best; the reference where there is none. */
static size_t candidates(laip_device *d, const laip_product *p, const laip_gemm_implementation **rows)
{
    size_t count = 0;
    const char *family = NULL;
    for (const laip_gemm_implementation *row = laip_gemm_table; row->name && count < MOST_ROWS; row++) {
        if (!row->competes || !row->serves(d, p) || !row->competes(d, row))
            continue;
        if (!row->family)
            rows[count++] = row;
        else if (!family || strcmp(family, row->family) != 0)
            rows[count++] = row->best(d);
        family = row->family ? row->family : family;
    }
    if (!count)
        rows[count++] = laip_gemm_reference();
    return count;
}

/* The quickest at a product like p, with a C of its own: the real one may be accumulated into. */
static const laip_gemm_implementation *quickest(laip_device *d, const laip_product *p,
                                                const laip_gemm_implementation *const *rows, size_t count)
{
    laip_product q = *p;
    while ((double)q.m * (double)q.n * (double)q.k > MEASURED) {
        size_t *largest = q.m >= q.n && q.m >= q.k ? &q.m : q.n >= q.k ? &q.n : &q.k;
        *largest = (*largest + 1) / 2;
    }
    q.a = (laip_mat){p->a.mem, q.transpose_a ? q.k : q.m, q.transpose_a ? q.m : q.k, p->a.store};
    q.b = (laip_mat){p->b.mem, q.transpose_b ? q.n : q.k, q.transpose_b ? q.k : q.n, p->b.store};
    q.c = laip_mat_create_stored(d, q.m, q.n, p->c.store);
    q.beta = 0;
    q.measuring = true;
    memset(&q.epilogue, 0, sizeof q.epilogue);
    size_t best = laip_gemm_quickest(d, rows, count, &q, REPEATS, NULL);
    laip_mem_release(q.c.mem);
    return rows[best];
}

/* By the class's name. */
static const laip_gemm_implementation *look_up(laip_device *d, const laip_product *p)
{
    const laip_gemm_implementation *rows[MOST_ROWS], *row;
    const char *forced = laip_gemm_state_of(d)->forced, *name;
    if (forced && (row = row_of(d, forced)) && row->serves(d, p))
        return row;
    char class[LAIP_CLASS_TEXT];
    class_name(d, p, class);
    name = find(&laip_gemm_state_of(d)->choices, class);
    if (name && (row = row_of(d, name)) && row->serves(d, p))
        return row;
    size_t count = candidates(d, p, rows);
    if (count == 1)
        return rows[0];
    name = laip_chosen(d, class);
    if (name && (row = row_of(d, name)) && row->serves(d, p))
        return row;
    row = quickest(d, p, rows, count);
    if (d->error.status == LAIP_OK)
        laip_remember(d, class, row->family ? row->family : row->name);
    return row;
}

const laip_gemm_implementation *laip_gemm_choose(laip_device *d, const laip_product *p)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    const laip_gemm_implementation **serving = &s->serving[class_number(d, p)];
    if (*serving && (*serving)->serves(d, p))
        return *serving;
    const laip_gemm_implementation *row = look_up(d, p);
    *serving = d->error.status == LAIP_OK ? row : NULL;
    return row;
}
