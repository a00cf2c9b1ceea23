/* What a run tells of its steps. */
#include "base/log.h"
#include "ops/matrix_unit.h"
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

static bool log_losses(laip_run *r, const laip_report *report, const laip_losses *v, laip_error *error)
{
    laip_str line = {0};
    laip_str_addf(&line, "{\"step\":%llu,\"phase\":", (unsigned long long)r->told.number);
    laip_str_add_json(&line, r->told.phase->name, strlen(r->told.phase->name));
    laip_add_number(&line, "lr", (double)r->told.lr);
    if (r->config->model.storage == LAIP_STORE_HALF || r->config->precision == LAIP_PRECISION_FP16)
        laip_add_number(&line, "loss_scale", (double)report->scale);
    for (int i = 0; i < LAIP_LOSSES; i++)
        laip_add_number(&line, laip_loss_names[i], v->value[i]);
    laip_add_number(&line, "total", v->total);
    laip_add_number(&line, "temperature", (double)report->temperature);
    laip_add_number(&line, "grad_norm", (double)report->norm);
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
    if (r->ranks->size > 1) {
        const laip_gradient_times *t = &s->exchange;
        laip_add_number(&line, "communication", t->busy);
        laip_add_number(&line, "exposed", t->exposed);
        laip_add_number(&line, "hidden", t->busy > 0 ? 1 - t->exposed / t->busy : 1);
        laip_add_number(&line, "bytes", t->bytes);
    }
    laip_add_number(&line, "gflop", laip_device_counters(r->device)->flops * 1e-9);
    laip_add_number(&line, "resident_gib", (double)laip_resident_bytes() / 0x1p30);
    laip_add_number(&line, "buffers_gib", (double)laip_mem_held() / 0x1p30);
    laip_str_adds(&line, "}");
    laip_device_reset_counters(r->device);
    bool good = laip_log_line(&r->timing, line.text, error);
    free(line.text);
    return good;
}

static void show(laip_run *r, const laip_losses *v)
{
    const laip_phase *p = r->told.phase;
    double taken = laip_seconds() - r->started, rate = r->images / taken;
    double left = taken / (double)r->told.number * (double)(r->total_steps - r->told.number);
    laip_str terms = {0};
    for (int i = 0; i < LAIP_LOSSES; i++)
        if (p->weight[i] > 0)
            laip_str_addf(&terms, "%s%s %.3f", terms.length ? " " : "", laip_loss_names[i], v->value[i]);
    laip_progress("%s, step %llu of %llu: loss %.3f (%s), %.1f pairs/s, %ld:%02ld:%02ld left", p->name,
                  (unsigned long long)r->told.number, (unsigned long long)r->total_steps, v->total,
                  laip_str_text(&terms), rate, (long)left / 3600, (long)left / 60 % 60, (long)left % 60);
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

static bool watch(laip_run *r, const laip_report *report, const laip_losses *v, laip_error *error)
{
    const char *term = broken_term(v);
    char what[300];
    if (term)
        snprintf(what, sizeof what, "loss %s of step %llu (phase %.100s, lr %g) is not a finite number", term,
                 (unsigned long long)r->told.number, r->told.phase->name, (double)r->told.lr);
    else if (report->bad)
        snprintf(what, sizeof what, "the gradient of step %llu is not finite, though its losses are",
                 (unsigned long long)r->told.number);
    return (!term && !report->bad) || bad_step(r, what, error);
}

bool laip_run_tell(laip_run *r, bool wait, laip_error *error)
{
    laip_report report;
    if (!r->told.number)
        return true;
    if (!(wait ? laip_step_report_last : laip_step_report)(&r->step, &report))
        return laip_device_ok(r->device, error);
    laip_losses v = laip_step_losses_of(&r->step, &report);
    laip_ranks_sum_doubles(r->ranks, v.value, LAIP_LOSSES);
    laip_ranks_sum_doubles(r->ranks, &v.total, 1);
    show(r, &v);
    bool good = log_losses(r, &report, &v, error) && watch(r, &report, &v, error);
    r->told.number = 0;
    return good;
}
