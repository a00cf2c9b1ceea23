/* The page that a run keeps of itself. */
#include "report/run_page.h"
#include "report/samples.h"
#include "train/run.h"

enum { SAMPLES = 6 };

void laip_run_keep_samples(laip_run *r, const laip_evaluation *e)
{
    if (r->ranks->rank)
        return;
    laip_str_clear(&r->samples);
    laip_samples_spread(&r->samples, e, &r->val.dataset, SAMPLES);
}

bool laip_run_report(laip_run *r, const laip_phase *p, bool running, laip_error *error)
{
    return r->ranks->rank || laip_run_page_write(&(laip_run_page){.folder = r->config->out,
                                                                  .config = laip_str_text(&r->yaml),
                                                                  .samples = laip_str_text(&r->samples),
                                                                  .phase = p->name,
                                                                  .step = r->done,
                                                                  .total = r->total_steps,
                                                                  .running = running},
                                                 error);
}
