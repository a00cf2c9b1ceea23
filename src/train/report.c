/* The page that a run keeps of itself. */
#include "base/file.h"
#include "report/run_page.h"
#include "report/samples.h"
#include "train/run.h"

#include <stdlib.h>

enum { SAMPLES = 6 };

void laip_run_keep_samples(laip_run *r, const laip_evaluation *e)
{
    if (r->ranks->rank)
        return;
    laip_str_clear(&r->samples);
    laip_samples_spread(&r->samples, e, &r->val.dataset, SAMPLES);
}

bool laip_run_report_begin(laip_run *r, laip_error *error)
{
    if (r->ranks->rank || !r->config->tensorboard)
        return true;
    char *folder = laip_run_path(r, "tensorboard"), *metrics = laip_run_path(r, "metrics.jsonl");
    bool good = laip_tensorboard_open(&r->events, folder, metrics, r->options->resume, error);
    free(folder);
    free(metrics);
    return good;
}

bool laip_run_report(laip_run *r, const laip_phase *p, bool running, laip_error *error)
{
    if (r->ranks->rank)
        return true;
    laip_run_page page = {.folder = r->config->out,
                          .config = laip_str_text(&r->yaml),
                          .samples = laip_str_text(&r->samples),
                          .phase = p->name,
                          .step = r->done,
                          .total = r->total_steps,
                          .running = running};
    return laip_run_page_write(&page, error) && laip_tensorboard_update(&r->events, error);
}
