#include "model/optimiser.h"

#include "base/memory.h"
#include "ops/adamw.h"
#include "ops/elementwise.h"
#include <stdlib.h>

/* Of the loss, with halves: at first, and within what bounds it moves; 1 would be that of floats. */
enum { FIRST_SCALE = 1 << 16, SMALLEST_SCALE = 2, LARGEST_SCALE = 1 << 24 };

bool laip_optimiser_create(laip_optimiser *o, laip_params *p, bool scaled, laip_error *error)
{
    laip_device *d = p->device;
    size_t most = 1;
    *o = (laip_optimiser){.params = p, .scaled = scaled};
    for (size_t i = 0; i < p->count; i++)
        if (p->chunks[i].last - p->chunks[i].first > most)
            most = p->chunks[i].last - p->chunks[i].first;
    o->report = laip_mat_create(d, 1, LAIP_REPORT_SIZE);
    o->square_sum = laip_mat_create(d, 1, 1);
    o->scratch = laip_mat_create(d, 1, laip_sum_partials(d, most));
    for (int i = 0; i < 2; i++)
        o->reads[i] = laip_download_create(d, LAIP_REPORT_SIZE * sizeof(float));
    laip_mat_zero(d, o->report);
    laip_optimiser_set_scaling(o, (laip_scaling){.scale = scaled ? FIRST_SCALE : 1});
    return laip_device_ok(d, error);
}

void laip_optimiser_free(laip_optimiser *o)
{
    for (int i = 0; i < 2; i++)
        laip_download_free(o->reads[i]);
    laip_mem_release(o->report.mem);
    laip_mem_release(o->square_sum.mem);
    laip_mem_release(o->scratch.mem);
    *o = (laip_optimiser){0};
}

void laip_optimiser_begin(laip_optimiser *o)
{
    laip_mem_zero(o->params->device, o->report.mem, LAIP_REPORT_LOSSES * sizeof(float),
                  LAIP_LOSSES * sizeof(float));
}

void laip_optimiser_ema_update(laip_optimiser *o, float mu)
{
    laip_params *p = o->params;
    for (size_t i = 0; i < p->count; i++)
        if (p->chunks[i].average.mem)
            laip_ema_update(p->device, p->chunks[i].average, p->chunks[i].average_low, p->chunks[i].value,
                            p->chunks[i].low, mu);
}

/* Of the gradient; where ranks share it out, of each its part, and of all of them on the host. */
static void sum_squares(laip_optimiser *o)
{
    laip_params *p = o->params;
    bool any = false;
    for (size_t i = 0; i < p->count; i++)
        if (p->chunks[i].last > p->chunks[i].first) {
            laip_sum_squares(p->device, o->square_sum, any, p->chunks[i].own_gradient, o->scratch);
            any = true;
        }
    if (!p->together)
        return;
    float sum = 0;
    if (any)
        laip_mat_read(p->device, o->square_sum, &sum);
    p->together->sum(p->together, &sum);
    laip_mat_write(p->device, o->square_sum, &sum);
}

/* Every rank's part of the weights to all. */
static void gather(laip_params *p)
{
    size_t *first = laip_alloc((size_t)p->shard_ranks + 1, sizeof *first);
    for (size_t i = 0; i < p->count; i++) {
        laip_chunk *c = &p->chunks[i];
        for (int k = 0; k <= p->shard_ranks; k++)
            first[k] = laip_params_share(p, c, k);
        p->together->gather(p->together, c->value, first);
        if (c->low.mem)
            p->together->gather(p->together, c->low, first);
    }
    free(first);
}

void laip_optimiser_step(laip_optimiser *o, const laip_optimiser_config *config, uint64_t t,
                         laip_mat temperature)
{
    laip_params *p = o->params;
    laip_device *d = p->device;
    laip_params_zero_unwritten_gradients(p);
    sum_squares(o);
    laip_step_control_launch(d, o->report, o->square_sum,
                             &(laip_step_control){.clip_norm = config->clip_norm,
                                                  .beta1 = config->beta1,
                                                  .beta2 = config->beta2,
                                                  .step = t,
                                                  .scaled = o->scaled,
                                                  .least_scale = SMALLEST_SCALE,
                                                  .most_scale = LARGEST_SCALE,
                                                  .good_steps = LAIP_SCALE_STEPS});
    for (size_t i = 0; i < p->count; i++) {
        laip_chunk *c = &p->chunks[i];
        laip_adamw step = {.lr = config->lr * (c->scalar ? config->temperature_lr : 1),
                           .beta1 = config->beta1,
                           .beta2 = config->beta2,
                           .eps = config->eps,
                           .weight_decay = c->decay ? config->weight_decay : 0};
        if (c->last > c->first)
            laip_adamw_step(d, c->own_value, c->own_low, c->own_gradient, c->exp_avg, c->exp_avg_sq,
                            o->report, &step);
    }
    if (p->together)
        gather(p);
    laip_clamp(d, temperature, (float)LAIP_TEMPERATURE_LEAST, (float)LAIP_TEMPERATURE_MOST);
    laip_mem_copy(d, o->report.mem, LAIP_REPORT_TEMPERATURE * sizeof(float), temperature.mem, 0,
                  sizeof(float));
    o->last = !o->last;
    o->step[o->last] = t;
    laip_download_begin(o->reads[o->last], o->report.mem, 0);
}

static bool report_of(laip_optimiser *o, int which, laip_report *r)
{
    const float *x = o->step[which] ? laip_download_wait(o->reads[which]) : NULL;
    if (!x)
        return false;
    *r = (laip_report){.step = o->step[which],
                       .norm = x[LAIP_REPORT_NORM],
                       .clip = x[LAIP_REPORT_CLIP],
                       .scale = x[LAIP_REPORT_STEP_SCALE],
                       .skipped = x[LAIP_REPORT_SKIPPED] != 0,
                       .temperature = x[LAIP_REPORT_TEMPERATURE]};
    r->bad = r->skipped && !(o->scaled && r->scale > SMALLEST_SCALE);
    for (int i = 0; i < LAIP_LOSSES; i++)
        r->value[i] = x[LAIP_REPORT_LOSSES + i];
    return true;
}

bool laip_optimiser_report(laip_optimiser *o, laip_report *r)
{
    return report_of(o, !o->last, r);
}

bool laip_optimiser_report_last(laip_optimiser *o, laip_report *r)
{
    return report_of(o, o->last, r);
}

laip_scaling laip_optimiser_scaling(laip_optimiser *o)
{
    float x[LAIP_REPORT_SIZE] = {0};
    laip_mat_read(o->params->device, o->report, x);
    return (laip_scaling){.scale = x[LAIP_REPORT_SCALE],
                          .good = (uint64_t)x[LAIP_REPORT_GOOD_STEPS],
                          .skipped = (uint64_t)x[LAIP_REPORT_STEPS_SKIPPED]};
}

void laip_optimiser_set_scaling(laip_optimiser *o, laip_scaling s)
{
    const float x[] = {s.scale, (float)s.good, (float)s.skipped};
    laip_mem_write(o->params->device, o->report.mem, LAIP_REPORT_SCALE * sizeof(float), x, sizeof x);
}
