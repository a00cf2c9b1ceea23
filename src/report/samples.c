#include "report/samples.h"

#include "base/memory.h"
#include "report/page.h"

#include <stdlib.h>

enum { HEIGHT = 150 }; /* of a picture, pixels */

size_t laip_samples_place(const laip_evaluation *e, size_t query)
{
    for (size_t k = 0; k < e->gallery; k++)
        if (e->gallery_person[e->ranking[query * e->gallery + k]] == e->query_person[query])
            return k + 1;
    return 0;
}

static double average_precision(const laip_evaluation *e, size_t query)
{
    double sum = 0;
    size_t hits = 0;
    for (size_t k = 0; k < e->gallery; k++)
        if (e->gallery_person[e->ranking[query * e->gallery + k]] == e->query_person[query])
            sum += (double)++hits / (double)(k + 1);
    return hits ? sum / (double)hits : 0;
}

typedef struct answer {
    uint32_t query;
    size_t place;
    double precision;
} answer;

static int better(const void *a, const void *b)
{
    const answer *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->precision != y->precision)
        return x->precision > y->precision ? -1 : 1;
    return x->query < y->query ? -1 : 1;
}

void laip_samples_order(const laip_evaluation *e, uint32_t *order)
{
    answer *answers = laip_alloc(e->queries, sizeof *answers);
    for (size_t q = 0; q < e->queries; q++) {
        size_t place = laip_samples_place(e, q);
        answers[q] = (answer){(uint32_t)q, place ? place : SIZE_MAX, average_precision(e, q)};
    }
    qsort(answers, e->queries, sizeof *answers, better);
    for (size_t q = 0; q < e->queries; q++)
        order[q] = answers[q].query;
    free(answers);
}

void laip_samples_add(laip_str *page, const laip_evaluation *e, const laip_dataset *d, size_t query)
{
    size_t place = laip_samples_place(e, query);
    laip_str_adds(page, "<div class=\"query\"><p>");
    laip_page_text(page, d->captions[query].text);
    if (place)
        laip_str_addf(page, " <span class=\"soft\">first right picture at place %zu</span></p>", place);
    else
        laip_str_adds(page, " <span class=\"soft\">no picture of this person in the gallery</span></p>");
    laip_str_adds(page, "<div class=\"row\">");
    for (size_t k = 0; k < LAIP_SAMPLE_BEST && k < e->gallery; k++) {
        int32_t picture = e->ranking[query * e->gallery + k];
        char *file = laip_dataset_file(d, (size_t)picture);
        bool right = e->gallery_person[picture] == e->query_person[query];
        laip_str_adds(page, "<div class=\"tile\">");
        laip_page_picture_file(page, file, HEIGHT, right ? "right" : "", d->pictures[picture].file);
        laip_str_addf(page, "%zu · %.3f</div>", k + 1, (double)e->score[query * e->gallery + k]);
        free(file);
    }
    laip_str_adds(page, "</div></div>\n");
}

void laip_samples_spread(laip_str *page, const laip_evaluation *e, const laip_dataset *d, size_t count)
{
    count = count < e->queries ? count : e->queries;
    for (size_t i = 0; i < count; i++)
        laip_samples_add(page, e, d, i * e->queries / count);
}
