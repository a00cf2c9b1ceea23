#include "report/samples.h"

#include "base/memory.h"
#include "report/heat.h"
#include "report/page.h"

#include <stdlib.h>

enum { HEIGHT = 150, HEAT_HEIGHT = 120 }; /* of a picture, pixels */

size_t laip_samples_place(const laip_evaluation *e, size_t query)
{
    for (size_t k = 0; k < e->depth; k++)
        if (e->gallery_person[e->ranking[query * e->depth + k]] == e->query_person[query])
            return k + 1;
    return 0;
}

static double average_precision(const laip_evaluation *e, size_t query)
{
    double sum = 0;
    size_t hits = 0;
    for (size_t k = 0; k < e->depth; k++)
        if (e->gallery_person[e->ranking[query * e->depth + k]] == e->query_person[query])
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
    for (size_t k = 0; k < LAIP_SAMPLE_BEST && k < e->depth; k++) {
        int32_t picture = e->ranking[query * e->depth + k];
        char *file = laip_dataset_file(d, (size_t)picture);
        bool right = e->gallery_person[picture] == e->query_person[query];
        laip_str_adds(page, "<div class=\"tile\">");
        laip_page_picture_file(page, file, HEIGHT, right ? "right" : "", d->pictures[picture].file);
        laip_str_addf(page, "%zu · %.3f</div>", k + 1, (double)e->score[query * e->depth + k]);
        free(file);
    }
    laip_str_adds(page, "</div></div>\n");
}

static bool add_maps(laip_str *page, laip_attention_reader *r, const laip_image *picture, size_t phrase,
                     float *maps, laip_error *error)
{
    const laip_model_config *m = &r->explainer.model->sizes;
    if (!laip_attention_phrase(r, phrase, maps, error))
        return !error->text[0];
    laip_str words = {0};
    laip_phrase_text(&r->texts->phrases, phrase, r->tokenizer, &words);
    laip_str_adds(page, "<div class=\"phrase\"><b>");
    laip_page_text(page, laip_str_text(&words));
    free(words.text);
    laip_str_adds(page, "</b><div class=\"row\">");
    bool good = true;
    for (int k = 0; good && k < LAIP_MAPS; k++) {
        laip_image heat;
        laip_heat_draw(picture, maps + (size_t)k * r->patches, m->image_height / m->patch,
                       m->image_width / m->patch, &heat);
        laip_str_adds(page, "<div class=\"tile\">");
        good = laip_page_picture(page, &heat, HEAT_HEIGHT, "plain", laip_map_names[k], error);
        laip_str_addf(page, "%s</div>", laip_map_names[k]);
        laip_image_free(&heat);
    }
    laip_str_adds(page, "</div></div>\n");
    return good;
}

bool laip_samples_attention(laip_str *page, laip_attention_reader *r, size_t query, laip_error *error)
{
    const laip_dataset *d = r->dataset;
    size_t picture = d->captions[query].picture;
    laip_image image, small;
    char *file = laip_dataset_file(d, picture);
    bool good = laip_image_load(file, true, &image, error);
    free(file);
    if (!good)
        return false;
    int width = (int)((double)image.width * HEAT_HEIGHT / image.height + 0.5);
    laip_image_resize(&image, HEAT_HEIGHT, width < 1 ? 1 : width, &small);
    laip_image_free(&image);
    float *maps = laip_alloc(LAIP_MAPS * r->patches, sizeof *maps);
    good = laip_attention_picture(r, picture, error);
    laip_str_adds(
        page, "<details><summary>Where its phrases look in its own picture</summary><div class=\"row\">\n");
    for (size_t p = r->texts->first_phrase[query]; good && p < r->texts->first_phrase[query + 1]; p++)
        good = add_maps(page, r, &small, p, maps, error);
    laip_str_adds(page, "</div></details>\n");
    laip_image_free(&small);
    free(maps);
    return good;
}

void laip_samples_spread(laip_str *page, const laip_evaluation *e, const laip_dataset *d, size_t count)
{
    count = count < e->queries ? count : e->queries;
    for (size_t i = 0; i < count; i++)
        laip_samples_add(page, e, d, i * e->queries / count);
}
