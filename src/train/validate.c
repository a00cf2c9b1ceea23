/* Evaluation on the validation split in the course of training, and the best model. */
#include "base/log.h"
#include "eval/evaluate.h"
#include "store/checkpoint.h"
#include "train/run.h"

#include <stdlib.h>

static bool save_best(laip_run *r, laip_error *error)
{
    laip_checkpoint_notes notes = {
        .config = r->yaml.text, .vocab = r->corpus.vocab, .step = r->done, .best = r->best, .data = r->data};
    char *path = laip_run_path(r, "best.safetensors");
    bool good = r->ranks->rank || laip_checkpoint_save(path, &r->model, NULL, &notes, error);
    free(path);
    return good;
}

/* The R@1 that the best model is chosen by. */
static double worth(const laip_config *c, const laip_evaluation *e, bool rerank)
{
    if (!rerank)
        return e->retrieval.r1;
    if (c->eval_fused)
        return e->fused.r1;
    return e->rerank.r1 > e->retrieval.r1 ? e->rerank.r1 : e->retrieval.r1; /* matching learns late */
}

bool laip_validate(laip_run *r, const laip_phase *p, laip_error *error)
{
    const laip_config *c = r->config;
    laip_evaluation e;
    bool rerank = c->eval_rerank && p->weight[LAIP_LOSS_ITM] > 0;
    if (!r->val.dataset.caption_count)
        return save_best(r, error); /* no validation split: the last model is kept */
    laip_reranking how = {.k = rerank ? (size_t)c->eval_k : 0,
                          .fused = c->eval_fused,
                          .weight = c->eval_weight,
                          .plain_tail = c->compat_tail != 0,
                          .image_cache = laip_evaluation_image_cache()};
    bool good =
        laip_evaluate(&r->model, &r->val.dataset, &r->val.texts, how, c->threads, r->ranks, &e, error);
    const struct {
        const char *name, *by;
        const laip_metrics *m;
    } lines[] = {{"retrieval", "features", &e.retrieval},
                 {"rerank", "matching", &e.rerank},
                 {"fused", "both", &e.fused}};
    if (good && !r->ranks->rank) {
        laip_str line = {0};
        laip_str_addf(&line, "{\"step\":%llu,\"val\":{", (unsigned long long)r->done);
        for (int i = 0; i < 3; i++)
            laip_str_addf(&line, "%s\"%s\":[%.4f,%.4f,%.4f,%.4f]", i ? "," : "", lines[i].name,
                          lines[i].m->r1, lines[i].m->r5, lines[i].m->r10, lines[i].m->map);
        laip_str_adds(&line, "}}");
        good = laip_log_line(&r->metrics, line.text, error);
        free(line.text);
    }
    if (good) {
        laip_run_keep_samples(r, &e);
        double value = worth(c, &e, rerank);
        for (int i = 0; i < (rerank ? 3 : 1); i++)
            laip_note("step %llu: val R@1/5/10/mAP by %-8s %.1f %.1f %.1f %.1f%s",
                      (unsigned long long)r->done, lines[i].by, lines[i].m->r1, lines[i].m->r5,
                      lines[i].m->r10, lines[i].m->map, i == 0 && value > r->best ? ", the best so far" : "");
        if (value > r->best) {
            r->best = value;
            good = save_best(r, error);
        }
    }
    laip_evaluation_free(&e);
    return good;
}
