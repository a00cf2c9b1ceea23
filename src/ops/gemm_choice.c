/* Which implementation serves a class of shapes: measured on the device once, kept in the user's cache
 * folder.
 *
 * A class is the two transpositions and the powers of two above m, n and k.  Its first product runs both ways
 * on scratch memory of its own size, and the quicker serves the class from then on.  The file is text, a line
 * a class, and is written whole beside its place: ranks that race lose a measurement, never a line. */
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "ops/gemm_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int power(size_t x)
{
    int bits = 0;
    while (((size_t)1 << bits) < x)
        bits++;
    return bits;
}

static void class_name(const laip_product *p, char *name, size_t size)
{
    snprintf(name, size, "%c%c-%d-%d-%d", p->ta ? 't' : 'n', p->tb ? 't' : 'n', power(p->m), power(p->n),
             power(p->k));
}

static void load(laip_device *d, laip_gemm_state *s)
{
    char key[1024], name[64];
    snprintf(key, sizeof key, "%s|%s|%s|%s|%d", d->traits.platform, d->traits.name, d->traits.driver,
             LAIP_VERSION, d->traits.lanes);
    snprintf(name, sizeof name, "gemm/%016" PRIx64 ".txt", laip_hash(key, strlen(key)));
    char *folder = laip_cache_folder(), *data, line_name[64];
    s->choice_path = laip_path_join(folder, name);
    free(folder);
    size_t size;
    int choice, used;
    laip_error ignored;
    if (!laip_file_read(s->choice_path, &data, &size, &ignored))
        return;
    for (const char *at = data; sscanf(at, "%63s %d%n", line_name, &choice, &used) == 2; at += used)
        if (choice == LAIP_GEMM_PACKED || choice == LAIP_GEMM_CLBLAST)
            laip_map_set(&s->choices, line_name, strlen(line_name), choice);
    free(data);
}

static void save(laip_gemm_state *s, const char *name, int choice)
{
    laip_error ignored; /* a choice that cannot be kept is measured again next time */
    char *folder = laip_strdup(s->choice_path), *old = NULL;
    size_t size = 0;
    laip_str text = {0};
    *strrchr(folder, '/') = '\0';
    if (laip_file_read(s->choice_path, &old, &size, &ignored))
        laip_str_add(&text, old, size);
    free(old);
    laip_str_addf(&text, "%s %d\n", name, choice);
    if (laip_make_folders(folder, &ignored))
        (void)laip_file_write(s->choice_path, text.text, text.length, &ignored);
    free(text.text);
    free(folder);
}

static double measure(laip_device *d, const laip_product *p, void (*run)(laip_device *, const laip_product *))
{
    double best = 1e9;
    run(d, p); /* compiles */
    clFinish(d->queue);
    for (int i = 0; i < 3; i++) {
        double start = laip_seconds();
        run(d, p);
        clFinish(d->queue);
        double taken = laip_seconds() - start;
        best = taken < best ? taken : best;
    }
    return best;
}

laip_gemm_backend laip_gemm_choose(laip_device *d, const laip_product *p)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    char name[64];
    int32_t choice;
    if (!s->choice_path)
        load(d, s);
    class_name(p, name, sizeof name);
    if (laip_map_get(&s->choices, name, strlen(name), &choice))
        return (laip_gemm_backend)choice;
    laip_product q = *p; /* on a C of its own: the real one may be accumulated into */
    q.c = laip_mat_create(d, p->m, p->n);
    q.beta = 0;
    q.epilogue = (laip_epilogue){{0}, LAIP_LINEAR, {0}, {0}};
    laip_counters kept = d->counters;
    double packed = measure(d, &q, laip_gemm_packed), clblast = measure(d, &q, laip_gemm_clblast);
    d->counters = kept;
    laip_mem_release(q.c.mem);
    choice = packed <= clblast ? LAIP_GEMM_PACKED : LAIP_GEMM_CLBLAST;
    laip_map_set(&s->choices, name, strlen(name), choice);
    save(s, name, choice);
    return (laip_gemm_backend)choice;
}
