/* Which implementation serves a class of shapes: measured on the device once, kept in the user's cache
 * folder.
 *
 * A class is the two transpositions, how large m, n and k are, each in four steps, and whether B lies in
 * halves; products too small to matter are one class a transposition.  The first product of a class runs both
 * ways into scratch memory, cut down to at most MEASURED multiply-adds so that this costs milliseconds, and
 * the quicker serves the class from then on.  The file is text, a line "CLASS NAME" each, under the hash of
 * device, driver and versions; it is read again before it is written, beside its place and renamed: processes
 * that race lose a measurement at most. */
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "ops/gemm_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 1 << 15, MEASURED = 1 << 26, REPEATS = 3 };

static char size_letter(size_t x)
{
    return x <= 16 ? 's' : x <= 128 ? 'm' : x <= 512 ? 'l' : 'x';
}

static void class_name(const laip_product *p, char name[LAIP_CLASS_TEXT])
{
    char a = p->transpose_a ? 't' : 'n', b = p->transpose_b ? 't' : 'n';
    const char *halves = p->b.half ? "h" : "";
    if ((double)p->m * (double)p->n * (double)p->k <= SMALL)
        snprintf(name, LAIP_CLASS_TEXT, "%c%c-tiny%s", a, b, halves);
    else
        snprintf(name, LAIP_CLASS_TEXT, "%c%c-%c%c%c%s", a, b, size_letter(p->m), size_letter(p->n),
                 size_letter(p->k), halves);
}

/* The cache folder's file `gemm/HASH.SUFFIX` of this device; free() releases it. */
char *laip_gemm_cache_path(const laip_device *d, const char *suffix)
{
    char key[1200], name[64];
    snprintf(key, sizeof key, "%s|%s|%s|%s|%s|%d|%d", d->traits.platform, d->traits.name, d->traits.driver,
             LAIP_VERSION, laip_clblast_version(), d->traits.lanes, d->traits.units);
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

static void remember(laip_gemm_state *s, const char *class, laip_gemm_backend backend)
{
    for (size_t i = 0; i < s->choice_count; i++)
        if (strcmp(s->choices[i].class, class) == 0) {
            s->choices[i].backend = backend;
            return;
        }
    void *array = s->choices;
    laip_grow(&array, &s->choice_capacity, s->choice_count + 1, sizeof *s->choices);
    s->choices = array;
    laip_gemm_choice *c = &s->choices[s->choice_count++];
    snprintf(c->class, sizeof c->class, "%s", class);
    c->backend = backend;
}

static bool known(const laip_gemm_state *s, const char *class, laip_gemm_backend *backend)
{
    for (size_t i = 0; i < s->choice_count; i++)
        if (strcmp(s->choices[i].class, class) == 0) {
            *backend = s->choices[i].backend;
            return true;
        }
    return false;
}

bool laip_gemm_choices_read(laip_device *d, const char *path, laip_error *error)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    char *data, class[16], name[LAIP_TUNED_TEXT];
    size_t size;
    int used, line = 1;
    if (!laip_file_read(path, &data, &size, error))
        return false;
    const char *at = data;
    bool good = true;
    for (; good && sscanf(at, "%15s %95s%n", class, name, &used) == 2; at += used, line++) {
        if (laip_tuned_set(s, class, name))
            continue;
        laip_gemm_backend b = strcmp(name, "packed") == 0    ? LAIP_GEMM_PACKED
                              : strcmp(name, "clblast") == 0 ? LAIP_GEMM_CLBLAST
                                                             : LAIP_GEMM_AUTO;
        if (b == LAIP_GEMM_AUTO)
            good = laip_bad_input(error, "%s:%d: found %s, expected packed or clblast", path, line, name);
        else if (strlen(class) >= sizeof s->choices->class)
            good = laip_bad_input(error, "%s:%d: found %s, expected a shape class", path, line, class);
        else if (b == LAIP_GEMM_PACKED && !laip_packed_serves(d))
            good = laip_bad_input(error, "%s:%d: class %s is served by the packed product, which %s has not",
                                  path, line, class, d->traits.name);
        else
            remember(s, class, b);
    }
    if (good && at[strspn(at, " \n")])
        good = laip_bad_input(error, "%s:%d: expected a shape class and packed or clblast", path, line);
    free(data);
    s->tuning_settled = true;
    return good;
}

static laip_str listing(const laip_gemm_state *s)
{
    laip_str text = {0};
    for (size_t i = 0; i < s->choice_count; i++)
        laip_str_addf(&text, "%s %s\n", s->choices[i].class, laip_gemm_names[s->choices[i].backend]);
    return text;
}

bool laip_gemm_choices_write(laip_device *d, const char *path, laip_error *error)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    laip_str text = listing(s);
    laip_tuned_list(s, &text);
    bool good = laip_file_write(path, laip_str_text(&text), text.length, error);
    free(text.text);
    return good;
}

void laip_gemm_choices_free(laip_gemm_state *s)
{
    free(s->choices);
    s->choices = NULL;
    s->choice_count = s->choice_capacity = 0;
}

static double measure(laip_device *d, const laip_product *p, void (*run)(laip_device *, const laip_product *))
{
    double best = 1e9;
    run(d, p); /* compiles, and allocates */
    clFinish(d->queue);
    for (int i = 0; i < REPEATS && d->error.status == LAIP_OK; i++) {
        double start = laip_seconds();
        run(d, p);
        clFinish(d->queue);
        double taken = laip_seconds() - start;
        best = taken < best ? taken : best;
    }
    return best;
}

static laip_gemm_backend quicker(laip_device *d, const laip_product *p)
{
    laip_product q = *p; /* on a C of its own: the real one may be accumulated into */
    while ((double)q.m * (double)q.n * (double)q.k > MEASURED) {
        size_t *largest = q.m >= q.n && q.m >= q.k ? &q.m : q.n >= q.k ? &q.n : &q.k;
        *largest = (*largest + 1) / 2;
    }
    q.a = (laip_mat){p->a.mem, q.transpose_a ? q.k : q.m, q.transpose_a ? q.m : q.k, p->a.half};
    q.b = (laip_mat){p->b.mem, q.transpose_b ? q.n : q.k, q.transpose_b ? q.k : q.n, p->b.half};
    q.c = p->c.half ? laip_mat_create_half(d, q.m, q.n) : laip_mat_create(d, q.m, q.n);
    q.beta = 0;
    q.measuring = true;
    memset(&q.epilogue, 0, sizeof q.epilogue);
    d->profiler.paused = true;
    double packed = measure(d, &q, laip_packed_gemm), clblast = measure(d, &q, laip_clblast_gemm);
    d->profiler.paused = false;
    laip_mem_release(q.c.mem);
    return packed <= clblast ? LAIP_GEMM_PACKED : LAIP_GEMM_CLBLAST;
}

laip_gemm_backend laip_gemm_choose(laip_device *d, const laip_product *p)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    if (s->forced != LAIP_GEMM_AUTO)
        return s->forced;
    if (!laip_packed_serves(d))
        return LAIP_GEMM_CLBLAST;
    char class[LAIP_CLASS_TEXT];
    laip_gemm_backend backend;
    laip_error ignored;
    class_name(p, class);
    if (known(s, class, &backend))
        return backend;
    char *path = laip_gemm_cache_path(d, "choices");
    laip_gemm_state cached = {0};
    d->gemm = &cached; /* what the file says must not change what this run already uses */
    (void)laip_gemm_choices_read(d, path, &ignored);
    d->gemm = s;
    if (!known(&cached, class, &backend)) {
        backend = quicker(d, p);
        if (d->error.status == LAIP_OK) {
            remember(&cached, class, backend);
            laip_str text = listing(&cached);
            laip_gemm_cache_save(path, &text);
            free(text.text);
        }
    }
    remember(s, class, backend);
    laip_gemm_choices_free(&cached);
    free(path);
    return backend;
}
