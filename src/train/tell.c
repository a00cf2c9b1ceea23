/* What a run tells of its steps. */
#include "base/log.h"
#include "train/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void laip_add_number(laip_str *line, const char *key, double value)
{
    if (isfinite(value))
        laip_str_addf(line, ",\"%s\":%.9g", key, value);
    else
        laip_str_addf(line, ",\"%s\":null", key); /* JSON has no other */
}

bool laip_run_log_losses(laip_run *r, const laip_phase *p, float lr, const laip_losses *v, laip_error *error)
{
    laip_str line = {0};
    laip_str_addf(&line, "{\"step\":%llu,\"phase\":", (unsigned long long)r->done);
    laip_str_add_json(&line, p->name, strlen(p->name));
    laip_add_number(&line, "lr", (double)lr);
    if (r->config->model.storage == LAIP_STORE_HALF)
        laip_add_number(&line, "loss_scale", (double)r->step.scaling.scale);
    for (int i = 0; i < LAIP_LOSSES; i++)
        laip_add_number(&line, laip_loss_names[i], v->value[i]);
    laip_add_number(&line, "total", v->total);
    laip_str_adds(&line, "}");
    bool good = laip_log_line(&r->metrics, line.text, error);
    free(line.text);
    return good;
}

bool laip_run_log_time(laip_run *r, double seconds, const laip_run_step *s, laip_error *error)
{
    laip_str line = {0};
    laip_str_addf(&line, "{\"step\":%llu", (unsigned long long)r->done);
    laip_add_number(&line, "seconds", seconds);
    laip_add_number(&line, "data", s->waited);
    laip_add_number(&line, "gflop", laip_device_counters(r->device)->flops * 1e-9);
    laip_str_adds(&line, "}");
    laip_device_reset_counters(r->device);
    bool good = laip_log_line(&r->timing, line.text, error);
    free(line.text);
    return good;
}

void laip_run_show(laip_run *r, const laip_phase *p, const laip_losses *v)
{
    double taken = laip_seconds() - r->started, rate = r->images / taken;
    double left = taken / (double)r->done * (double)(r->total_steps - r->done);
    laip_str terms = {0};
    for (int i = 0; i < LAIP_LOSSES; i++)
        if (p->weight[i] > 0)
            laip_str_addf(&terms, "%s%s %.3f", terms.length ? " " : "", laip_loss_names[i], v->value[i]);
    laip_progress("%s, step %llu of %llu: loss %.3f (%s), %.1f pairs/s, %d:%02d left", p->name,
                  (unsigned long long)r->done, (unsigned long long)r->total_steps, v->total,
                  laip_str_text(&terms), rate, (int)left / 60, (int)left % 60);
    free(terms.text);
}

/* The name of a term that is not finite; NULL: all are. */
static const char *broken_term(const laip_losses *v)
{
    for (int i = 0; i < LAIP_LOSSES; i++)
        if (!isfinite(v->value[i]))
            return laip_loss_names[i];
    return isfinite(v->total) ? NULL : "total";
}

/* One more step that went wrong: `what` says how.  Whether the run goes on. */
static bool bad_step(laip_run *r, const char *what, laip_error *error)
{
    const char *advice = "a lower lr, optimiser.clip_norm or --skip-bad-steps N may help";
    if (++r->bad_steps <= r->options->skip_bad_steps) {
        if (!r->ranks->rank)
            laip_warn("%s; it changed no weight (%ld of --skip-bad-steps %ld)", what, r->bad_steps,
                      r->options->skip_bad_steps);
        return true;
    }
    if (r->saved == UINT64_MAX)
        return laip_failure(error, "%s; nothing was saved before; %s", what, advice);
    return laip_failure(error, "%s; the last good checkpoint is %s/last/state.safetensors, of step %llu; %s",
                        what, r->config->out, (unsigned long long)r->saved, advice);
}

bool laip_run_watch_losses(laip_run *r, const laip_phase *p, float lr, const laip_losses *v,
                           laip_error *error)
{
    const char *term = broken_term(v);
    char what[300];
    if (!term)
        return true;
    r->broken = r->done; /* its gradient is of no further interest */
    snprintf(what, sizeof what, "loss %s of step %llu (phase %.100s, lr %g) is not a finite number", term,
             (unsigned long long)r->done, p->name, (double)lr);
    return bad_step(r, what, error);
}

bool laip_run_watch_gradient(laip_run *r, uint64_t step, laip_error *error)
{
    char what[100];
    if (!laip_step_take_skipped(&r->step) || r->broken == step)
        return true;
    snprintf(what, sizeof what, "the gradient of step %llu is not finite, though its losses are",
             (unsigned long long)step);
    return bad_step(r, what, error);
}
