/* One step of a run: all of this rank's micro-batches. */
#include "base/log.h"
#include "dist/exchange.h"
#include "train/run.h"

#include <stdlib.h>

unsigned laip_run_begin_step(laip_run *r, laip_run_step *s, laip_error *error)
{
    double start = laip_seconds();
    const laip_train_options *o = r->options;
    unsigned bits = 0;
    for (size_t i = 0; !bits && i < s->own; i++)
        bits = laip_loader_next(s->loader, &s->batches[i], error) ? 0 : LAIP_STEP_FAILED;
    if (o->stop && o->stop())
        bits |= LAIP_STEP_STOP;
    /* time for this step, for one that is slower, and for the state, which has taken as long as it did */
    if (o->time_limit > 0 && !r->ranks->rank &&
        laip_seconds() - o->begun + 2 * r->slowest + 2 * r->saving > o->time_limit)
        bits |= LAIP_STEP_TIME;
    s->waited = laip_seconds() - start;
    return laip_ranks_any(r->ranks, bits);
}

bool laip_run_one_step(laip_run *r, laip_run_step *s, laip_error *error)
{
    laip_step *step = &r->step;
    bool good = true;
    double start = laip_seconds(), busy = 0;
    if (s->own > 1)
        laip_step_keep_packed(step);
    laip_step_begin(step, s->mu);
    step->momentum_key = s->key;
    for (size_t i = 0; i < s->own; i++)
        laip_step_momentum(step, s->batches[i], s->first + i);
    if (r->shares_follow) /* the exchange waits for it, and for the others */
        good = laip_device_finish(r->device, error);
    busy = laip_seconds() - start;
    laip_exchange_keys(r->ranks, step);
    start = laip_seconds();
    for (size_t i = 0; good && i < s->own; i++) {
        if (i + 1 == s->own)
            laip_gradients_begin(r->gradients);
        good = laip_step_micro(step, s->batches[i], s->first + i, s->key, error);
    }
    if (!good || !laip_gradients_end(r->gradients, &s->exchange, error))
        return false;
    laip_run_pace(r, busy + s->exchange.through - start, s->own);
    laip_optimiser_config o = r->config->optimiser;
    o.lr = s->lr;
    return laip_step_end(step, &o, s->t, error);
}
