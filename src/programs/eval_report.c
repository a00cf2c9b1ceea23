#include "programs/eval_report.h"

#include "base/memory.h"
#include "synth/family.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *json_of(const laip_metrics *m)
{
    return json_pack("{s:f,s:f,s:f,s:f}", "R@1", m->r1, "R@5", m->r5, "R@10", m->r10, "mAP", m->map);
}

static laip_binding_metrics measure_binding(const laip_eval_results *r, laip_binding_metrics *unseen)
{
    const laip_evaluation *e = r->evaluation;
    return laip_binding_measure(r->binding, e->ranking, e->queries, e->depth, e->query_person,
                                e->gallery_person, unseen);
}

static json_t *json_of_binding(const laip_binding_metrics *m)
{
    return json_pack("{s:i,s:f,s:f,s:f}", "queries", (int)m->queries, "family", m->family, "garments",
                     m->garments, "hat_and_bag", m->hat_and_bag);
}

/* [family, captions, of these the right person, garments, hat and bag]: what intervals over families are made
 * of. */
static json_t *json_of_families(const laip_eval_results *r)
{
    const laip_evaluation *e = r->evaluation;
    json_t *list = json_array();
    laip_binding_family *families;
    size_t count = laip_binding_families(r->binding, e->ranking, e->queries, e->depth, e->query_person,
                                         e->gallery_person, &families);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("[i,i,i,i,i]", families[i].family, (int)families[i].queries,
                                              (int)families[i].person, (int)families[i].garments,
                                              (int)families[i].hat_and_bag));
    free(families);
    return list;
}

/* A caption, and the family that it belongs to, or the person where there are no families. */
typedef struct unit_of_query {
    int32_t unit;
    size_t query;
} unit_of_query;

static int by_unit(const void *a, const void *b)
{
    const unit_of_query *x = a, *y = b;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

/* [unit, captions, of these the right person first by features, by matching and by both], in the order of the
 * units' numbers: what laip-compare makes intervals of. */
static json_t *json_of_groups(const laip_eval_results *r)
{
    const laip_evaluation *e = r->evaluation;
    json_t *list = json_array();
    unit_of_query *all = laip_alloc(e->queries, sizeof *all);
    for (size_t q = 0; q < e->queries; q++) {
        int32_t family = laip_binding_family_of(r->binding, e->query_person[q]);
        all[q] = (unit_of_query){family < 0 ? e->query_person[q] : family, q};
    }
    qsort(all, e->queries, sizeof *all, by_unit);
    for (size_t q = 0; q < e->queries;) {
        int32_t unit = all[q].unit;
        int captions = 0, right[3] = {0};
        for (; q < e->queries && all[q].unit == unit; q++, captions++)
            for (int i = 0; i < 3; i++)
                right[i] += e->hits[i][all[q].query].first == 0;
        json_array_append_new(list, json_pack("[i,i,i,i,i]", unit, captions, right[0], right[1], right[2]));
    }
    free(all);
    return list;
}

static json_t *json_of_shares(const laip_attention_share *shares)
{
    json_t *o = json_object();
    for (int t = 0; t < LAIP_BOUNDS; t++) {
        const laip_attention_share *x = &shares[t];
        json_object_set_new(o, laip_bound_names[t],
                            json_pack("{s:i,s:f,s:f,s:f,s:f}", "phrases", (int)x->phrases, "area", x->area,
                                      laip_map_names[0], x->inside[0], laip_map_names[1], x->inside[1],
                                      laip_map_names[2], x->inside[2]));
    }
    return o;
}

void laip_eval_report_json(const laip_eval_results *r)
{
    const laip_evaluation *e = r->evaluation;
    const laip_traits *t = laip_device_traits(r->device);
    json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:o,s:o,s:o,s:f,s:f,s:i}", "checkpoint",
                          r->checkpoint, "split", r->split, "device", t->name, "platform", t->platform,
                          "driver", t->driver, "queries", (int)e->queries, "gallery", (int)e->gallery, "k",
                          (int)r->k, "retrieval", json_of(&e->retrieval), "rerank", json_of(&e->rerank),
                          "fused", json_of(&e->fused), "seconds_encode", e->seconds_encode, "seconds_match",
                          e->seconds_match, "pairs", (int)e->pairs);
    json_object_set_new(o, "groups", json_of_groups(r));
    if (r->chance)
        json_object_set_new(o, "chance", json_of(&e->chance));
    if (r->binding->count) {
        laip_binding_metrics unseen, all = measure_binding(r, &unseen);
        json_object_set_new(o, "binding_order",
                            json_string(!r->k      ? "retrieval"
                                        : r->fused ? "fused"
                                                   : "rerank"));
        json_object_set_new(o, "binding", json_of_binding(&all));
        json_object_set_new(o, "binding_unseen", json_of_binding(&unseen));
        json_object_set_new(o, "binding_families", json_of_families(r));
    }
    if (r->shares)
        json_object_set_new(o, "attention_inside", json_of_shares(r->shares));
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    puts(text);
    free(text);
    json_decref(o);
}

static void print_line(const char *what, const laip_metrics *m)
{
    printf("%-24s %8.2f %8.2f %8.2f %8.2f\n", what, m->r1, m->r5, m->r10, m->map);
}

static void report_metrics(const laip_eval_results *r)
{
    const laip_evaluation *e = r->evaluation;
    char what[128];
    printf("%-24s %8s %8s %8s %8s   %zu captions, %zu pictures\n", "", "R@1", "R@5", "R@10", "mAP",
           e->queries, e->gallery);
    if (r->chance)
        print_line("chance", &e->chance);
    const struct {
        const char *by;
        const laip_metrics *m;
    } lines[] = {{"by features", &e->retrieval}, {"by matching", &e->rerank}, {"by both", &e->fused}};
    for (size_t i = 0; i < (r->k ? 3 : 1); i++) {
        snprintf(what, sizeof what, "%s%s%s", r->label ? r->label : "", r->label ? ", " : "", lines[i].by);
        print_line(what, lines[i].m);
    }
}

/* Inside families, in the order that is shown. */
static void report_binding(const laip_eval_results *r)
{
    laip_binding_metrics unseen, all = measure_binding(r, &unseen);
    const struct {
        const char *what;
        const laip_binding_metrics *m;
    } lines[] = {{"inside the family", &all}, {"pairs never trained", &unseen}};
    printf("\n%-24s %8s %8s %8s   by %s\n", "", "person", "garments", "hat, bag",
           !r->k      ? "features"
           : r->fused ? "both"
                      : "matching");
    printf("%-24s %8.2f %8.2f %8.2f\n", "chance", 25.0, 50.0, 50.0);
    for (size_t i = 0; i < 2; i++)
        printf("%-24s %8.2f %8.2f %8.2f   %zu captions\n", lines[i].what, lines[i].m->family,
               lines[i].m->garments, lines[i].m->hat_and_bag, lines[i].m->queries);
}

/* Some captions with what was found for them, evenly spread. */
static void show_captions(const laip_eval_results *r, long count)
{
    const laip_evaluation *e = r->evaluation;
    for (long i = 0; i < count && (size_t)i < e->queries; i++) {
        size_t q = (size_t)i * e->queries / (size_t)count;
        printf("\n\"%s\"\n", r->dataset->captions[q].text);
        for (size_t k = 0; k < 5 && k < e->depth; k++) {
            int32_t picture = e->ranking[q * e->depth + k];
            printf("  %zu. %s %s (%.3f)\n", k + 1,
                   e->gallery_person[picture] == e->query_person[q] ? "right" : "     ",
                   r->dataset->pictures[picture].file, (double)e->score[q * e->depth + k]);
        }
    }
}

static void report_shares(const laip_attention_share *shares)
{
    printf("\n%-24s %8s %8s %8s %8s   of the attention inside the box of what is named, %%\n", "", "area",
           "forward", "backward", "both");
    for (int t = 0; t < LAIP_BOUNDS; t++)
        printf("%-24s %8.2f %8.2f %8.2f %8.2f   %zu phrases\n", laip_bound_names[t], shares[t].area,
               shares[t].inside[0], shares[t].inside[1], shares[t].inside[2], shares[t].phrases);
}

void laip_eval_report(const laip_eval_results *r, long show)
{
    report_metrics(r);
    if (r->binding->count)
        report_binding(r);
    if (r->shares)
        report_shares(r->shares);
    show_captions(r, show);
}
