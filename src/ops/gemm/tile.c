/* Which tile of the packed product suits a device, and the most steps of k in a block.  What is known of its
 * registers is their width; their number, the latency of its multiply-adds and its inner caches are not, so
 * that the candidates are measured, once a device, at a product of the model's.  Candidates are tiles in the
 * device's own vectors and in ones half as wide (a processor may run those faster).  The choice is kept as
 * any other is: two lines, "packed NAME" and "packed-depth STEPS". */
#include "ops/gemm/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 3072, LEAST_DEPTH = 64, MOST_DEPTH = 65536, MOST_TILES = 32 };
/* Of a few milliseconds or less each: on a busy machine some run undisturbed. */
enum { ROUNDS = 60, DEPTH_ROUNDS = 20 };
static const size_t depths[] = {384, 768, 1536, 3072};
enum { DEPTHS = sizeof depths / sizeof *depths };

bool laip_tile_competes(const laip_device *d, const laip_gemm_implementation *self)
{
    int native = d->traits.native_vector, least = native > 4 ? native / 2 : 4, most = native > 4 ? native : 4;
    most = most < 16 ? most : 16;
    least = least < 16 ? least : 16;
    return laip_packed_serves(d, NULL) && self->tile.vector >= least && self->tile.vector <= most;
}

bool laip_tile_choice_valid(const char *class, const char *value, bool *own)
{
    bool depth = strcmp(class, "packed-depth") == 0;
    *own = depth || strcmp(class, "packed") == 0;
    const laip_gemm_implementation *row = laip_gemm_find(value);
    char *end;
    unsigned long steps = strtoul(value, &end, 10);
    return depth ? *value && !*end && steps >= LEAST_DEPTH && steps <= MOST_DEPTH
                 : row && row->family && strcmp(row->family, "packed") == 0 && strcmp(row->name, value) == 0;
}

/* A product of zeros: what it computes does not matter to its speed. */
static laip_product trial(laip_device *d, size_t m, size_t n, size_t k)
{
    laip_product p = {.transpose_b = true, .m = m, .n = n, .k = k, .alpha = 1, .measuring = true};
    p.a = laip_mat_create(d, m, k);
    p.b = laip_mat_create(d, n, k);
    p.c = laip_mat_create(d, m, n);
    laip_mat_zero(d, p.a);
    laip_mat_zero(d, p.b);
    return p;
}

static void trial_end(laip_product *p)
{
    laip_mem_release(p->a.mem);
    laip_mem_release(p->b.mem);
    laip_mem_release(p->c.mem);
}

static void report_rate(laip_rate_report report, void *context, const char *name, const laip_product *p,
                        double seconds)
{
    if (report)
        report(context, name, 1e-9 * laip_product_flops(p) / seconds);
}

/* The longest blocks that are the quickest, at a k of several of them; in turns, as a busy machine may be
 * slow for as long as one of them is measured, and with more rows than a second-level cache holds. */
static void measure_depth(laip_device *d, const laip_gemm_implementation *row, laip_rate_report report,
                          void *context)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    laip_product p = trial(d, 384, 256, DEPTH);
    double least[DEPTHS];
    for (int round = 0; round < DEPTH_ROUNDS; round++)
        for (int i = 0; i < DEPTHS && d->error.status == LAIP_OK; i++) {
            double seconds;
            s->depth = depths[i];
            laip_gemm_quickest(d, &row, 1, &p, 1, &seconds);
            least[i] = round && least[i] < seconds ? least[i] : seconds;
        }
    int chosen = DEPTHS - 1;
    for (int i = DEPTHS - 1; i >= 0 && d->error.status == LAIP_OK; i--) {
        char name[64];
        if (least[i] < 0.97 * least[chosen]) /* within the noise the longer one stays */
            chosen = i;
        snprintf(name, sizeof name, "%s, blocks of %zu", row->name, depths[i]);
        report_rate(report, context, name, &p, least[i]);
    }
    char text[LAIP_CHOICE_TEXT];
    s->depth = depths[chosen];
    snprintf(text, sizeof text, "%zu", s->depth);
    if (d->error.status == LAIP_OK)
        laip_remember(d, "packed-depth", text);
    trial_end(&p);
}

static const laip_gemm_implementation *measure_tiles(laip_device *d, laip_rate_report report, void *context)
{
    const laip_gemm_implementation *rows[MOST_TILES];
    size_t count = 0;
    for (const laip_gemm_implementation *row = laip_gemm_table; row->name && count < MOST_TILES; row++)
        if (row->run == laip_packed_run && row->competes(d, row))
            rows[count++] = row;
    double seconds[MOST_TILES];
    d->profiler.paused = true;
    laip_product p = trial(d, 96, 768, 768);
    laip_gemm_state_of(d)->depth = DEPTH;
    const laip_gemm_implementation *best = rows[laip_gemm_quickest(d, rows, count, &p, ROUNDS, seconds)];
    for (size_t i = 0; i < count; i++)
        report_rate(report, context, rows[i]->name, &p, seconds[i]);
    trial_end(&p);
    if (d->error.status == LAIP_OK)
        laip_remember(d, "packed", best->name);
    measure_depth(d, best, report, context);
    d->profiler.paused = false;
    return best;
}

const laip_gemm_implementation *laip_tile_best(laip_device *d)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    if (s->tile)
        return s->tile;
    const char *name = laip_chosen(d, "packed");
    if (name) {
        s->tile = laip_gemm_find(name);
        const char *steps = laip_chosen(d, "packed-depth");
        s->depth = steps ? strtoul(steps, NULL, 10) : DEPTH;
    } else
        s->tile = measure_tiles(d, NULL, NULL);
    return s->tile;
}

size_t laip_tile_depth(laip_device *d)
{
    size_t depth = laip_gemm_state_of(d)->depth;
    return depth ? depth : DEPTH;
}

bool laip_gemm_tune_tiles(laip_device *d, laip_rate_report report, void *context, laip_error *error)
{
    if (laip_packed_serves(d, NULL))
        laip_gemm_state_of(d)->tile = measure_tiles(d, report, context);
    return laip_device_finish(d, error);
}
