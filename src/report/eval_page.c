#include "report/eval_page.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/samples.h"

#include <stdlib.h>

static void add_metrics(laip_str *page, const laip_eval_page *p)
{
    const laip_evaluation *e = p->evaluation;
    const struct {
        const char *by;
        const laip_metrics *m;
    } lines[] = {{"by features", &e->retrieval},
                 {"re-ranked by matching", &e->rerank},
                 {"re-ranked by both", &e->fused}};
    laip_str_addf(page, "<p class=\"soft\">%zu captions, %zu pictures of the split ", e->queries, e->gallery);
    laip_page_text(page, p->split);
    laip_str_adds(page, "; checkpoint ");
    laip_page_text(page, p->checkpoint);
    if (p->k)
        laip_str_addf(page, "; the %zu best were re-ranked", p->k);
    laip_str_adds(
        page,
        ".</p><div "
        "class=\"beside\"><table><tr><th></th><th>R@1</th><th>R@5</th><th>R@10</th><th>mAP</th></tr>\n");
    for (size_t i = 0; i < (p->k ? 3 : 1); i++)
        laip_str_addf(page, "<tr><td>%s</td><td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td></tr>\n",
                      lines[i].by, lines[i].m->r1, lines[i].m->r5, lines[i].m->r10, lines[i].m->map);
    laip_str_adds(page, "</table>\n");
}

/* R@k of the ranking that is shown, for k up to a hundred. */
static void add_recall(laip_str *page, const laip_eval_page *p)
{
    enum { MOST = 100 };
    const laip_evaluation *e = p->evaluation;
    size_t most = e->depth < MOST ? e->depth : MOST;
    double k[MOST], recall[MOST] = {0};
    for (size_t q = 0; q < e->queries; q++) {
        size_t place = laip_samples_place(e, q);
        if (place && place <= most)
            recall[place - 1] += 100.0 / (double)e->queries;
    }
    for (size_t i = 0; i < most; i++) {
        k[i] = (double)(i + 1);
        recall[i] += i ? recall[i - 1] : 0;
    }
    const char *by = !p->k ? "by features" : p->fused ? "by both" : "by matching";
    laip_chart(page, "R@k, %", &(laip_chart_axes){.x = "k", .high = 100}, &(laip_series){by, k, recall, most},
               1);
    laip_str_adds(page, "</div>\n");
}

static bool add_captions(laip_str *page, const laip_eval_page *p, const char *title, const uint32_t *queries,
                         size_t count, laip_error *error)
{
    bool good = true;
    laip_str_addf(page, "<h2>%s</h2>\n", title);
    for (size_t i = 0; good && i < count; i++) {
        laip_samples_add(page, p->evaluation, p->dataset, queries[i]);
        good = !p->attention || laip_samples_attention(page, p->attention, queries[i], error);
    }
    return good;
}

bool laip_eval_page_write(const laip_eval_page *p, laip_error *error)
{
    const laip_evaluation *e = p->evaluation;
    laip_str page = {0};
    char *path = laip_path_join(p->folder, "index.html");
    uint32_t *order = laip_alloc(e->queries, sizeof *order);
    size_t count = p->count < e->queries ? p->count : e->queries;
    laip_page_begin(&page, "LAIP evaluation", 0);
    add_metrics(&page, p);
    add_recall(&page, p);
    laip_str_addf(
        &page,
        "<p class=\"soft\">Pictures of the right person are framed; below each its place and score%s. "
        "Maps of attention are forward, backward, and both, for each phrase of a caption.</p>\n",
        p->k ? ", which of those that were not re-ranked is the cosine" : "");
    laip_samples_order(e, order);
    bool good = add_captions(&page, p, "Answered best", order, count, error);
    for (size_t i = 0; i < count; i++) { /* the worst one first */
        uint32_t swap = order[i];
        order[i] = order[e->queries - 1 - i];
        order[e->queries - 1 - i] = swap;
    }
    good = good && add_captions(&page, p, "Answered worst", order, count, error);
    laip_rng r = laip_rng_stream(1, 0, 0, LAIP_SITE_TEST);
    laip_rng_shuffle(&r, order, (uint32_t)e->queries);
    good = good && add_captions(&page, p, "Drawn at random", order, count, error);
    laip_page_end(&page);
    good =
        good && laip_make_folders(p->folder, error) && laip_file_write(path, page.text, page.length, error);
    free(order);
    free(page.text);
    free(path);
    return good;
}
