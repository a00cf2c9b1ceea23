#include "eval/attention.h"

#include "base/memory.h"
#include "data/assemble.h"
#include "synth/family.h"

#include <stdlib.h>
#include <string.h>

const char *const laip_map_names[LAIP_MAPS] = {"forward", "backward", "both"};

bool laip_attention_reader_open(laip_attention_reader *r, laip_model *model, const laip_loss_config *loss,
                                const laip_dataset *d, const laip_texts *texts,
                                const laip_tokenizer *tokenizer, laip_error *error)
{
    const laip_model_config *m = &model->sizes;
    size_t longest = texts->phrases.longest ? texts->phrases.longest : 1; /* as many words at most */
    *r = (laip_attention_reader){
        .dataset = d, .texts = texts, .tokenizer = tokenizer, .patches = (size_t)laip_patch_count(m)};
    r->planes = laip_alloc(3 * (size_t)m->image_height * (size_t)m->image_width, sizeof *r->planes);
    return laip_explainer_create(&r->explainer, model, loss,
                                 &(laip_explainer_sizes){longest, longest * longest, longest}, error);
}

void laip_attention_reader_close(laip_attention_reader *r)
{
    laip_explainer_free(&r->explainer);
    free(r->planes);
    *r = (laip_attention_reader){0};
}

bool laip_attention_picture(laip_attention_reader *r, size_t picture, laip_error *error)
{
    const laip_model_config *m = &r->explainer.model->sizes;
    return laip_picture_planes(r->dataset, picture, m->image_height, m->image_width, r->planes, error) &&
           laip_explain_image(&r->explainer, r->planes, error);
}

/* Negative values, which only the backward map has, count as 0. */
static void add_map(float *sum, const float *map, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += map[i] > 0 ? map[i] : 0;
}

static void scale_to_one(float *map, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)map[i];
    for (size_t i = 0; sum > 0 && i < count; i++)
        map[i] = (float)((double)map[i] / sum);
}

bool laip_attention_phrase(laip_attention_reader *r, size_t phrase, float *maps, laip_error *error)
{
    const laip_token_sequences *p = &r->texts->phrases;
    int32_t mask = laip_tokenizer_special(r->tokenizer, LAIP_MASK);
    size_t first = p->begin[phrase], length = p->begin[phrase + 1] - first, words = 0;
    int32_t *ids = laip_alloc(length * length, sizeof *ids),
            *target = laip_alloc(length * length, sizeof *target),
            *begin = laip_alloc(length + 1, sizeof *begin);
    memset(maps, 0, LAIP_MAPS * r->patches * sizeof *maps);
    for (size_t i = 0; i < length; i++) { /* a word begins where its number changes */
        int32_t word = p->word[first + i];
        if (word < 0 || (i && p->word[first + i - 1] == word))
            continue;
        for (size_t k = 0; k < length; k++) {
            bool masked = p->word[first + k] == word;
            ids[words * length + k] = masked ? mask : p->ids[first + k];
            target[words * length + k] = masked ? p->ids[first + k] : -1;
        }
        words++;
        begin[words] = (int32_t)(words * length);
    }
    float *each[LAIP_MAPS];
    for (int k = 0; k < LAIP_MAPS; k++)
        each[k] = laip_alloc(words * r->patches + 1, sizeof(float));
    bool good = words && laip_explain_phrases(&r->explainer, ids, target, begin, words, each[0], each[1],
                                              each[2], error);
    if (!words)
        error->text[0] = '\0';
    for (int k = 0; k < LAIP_MAPS; k++) {
        for (size_t w = 0; good && w < words; w++)
            add_map(maps + (size_t)k * r->patches, each[k] + w * r->patches, r->patches);
        scale_to_one(maps + (size_t)k * r->patches, r->patches);
        free(each[k]);
    }
    free(ids);
    free(target);
    free(begin);
    return good;
}

/* The share of patch number i of the grid that lies inside the box. */
static double overlap(const laip_model_config *m, size_t i, const double *box)
{
    size_t wide = (size_t)(m->image_width / m->patch), tall = (size_t)(m->image_height / m->patch);
    double left = (double)(i % wide) / (double)wide, right = left + 1.0 / (double)wide;
    size_t row = i / wide;
    double top = (double)row / (double)tall, bottom = top + 1.0 / (double)tall;
    double across = (box[2] < right ? box[2] : right) - (box[0] > left ? box[0] : left);
    double down = (box[3] < bottom ? box[3] : bottom) - (box[1] > top ? box[1] : top);
    return across > 0 && down > 0 ? across * down * (double)wide * (double)tall : 0;
}

void laip_phrase_text(const laip_token_sequences *p, size_t phrase, const laip_tokenizer *tokenizer,
                      laip_str *out)
{
    bool first = true;
    for (size_t i = p->begin[phrase]; i < p->begin[phrase + 1]; i++) {
        const char *token = p->word[i] < 0 ? NULL : laip_tokenizer_token(tokenizer, p->ids[i]);
        bool inside = token && strncmp(token, "##", 2) == 0 && token[2];
        if (!token)
            continue;
        laip_str_addf(out, "%s%s", inside || first ? "" : " ", inside ? token + 2 : token);
        first = false;
    }
}

int laip_phrase_thing(const laip_token_sequences *p, size_t phrase, const laip_tokenizer *tokenizer)
{
    laip_str text = {0};
    laip_phrase_text(p, phrase, tokenizer, &text);
    int thing = laip_bound_of_phrase(laip_str_text(&text));
    free(text.text);
    return thing;
}

double laip_attention_inside(const laip_attention_reader *r, const float *map, const double *box)
{
    double sum = 0;
    for (size_t i = 0; i < r->patches; i++)
        sum += 100 * overlap(&r->explainer.model->sizes, i, box) * (double)map[i];
    return sum;
}

static bool add_phrase(laip_attention_reader *r, const double *box, size_t phrase, float *maps,
                       laip_attention_share *share, laip_error *error)
{
    if (!laip_attention_phrase(r, phrase, maps, error))
        return !error->text[0];
    share->phrases++;
    share->area += 100 * (box[2] - box[0]) * (box[3] - box[1]);
    for (int k = 0; k < LAIP_MAPS; k++)
        share->inside[k] += laip_attention_inside(r, maps + (size_t)k * r->patches, box);
    return true;
}

bool laip_attention_shares(laip_attention_reader *r, const laip_binding *b, size_t count,
                           laip_attention_share *shares, laip_error *error)
{
    const laip_dataset *d = r->dataset;
    float *maps = laip_alloc(LAIP_MAPS * r->patches, sizeof *maps);
    bool good = true;
    memset(shares, 0, LAIP_BOUNDS * sizeof *shares);
    count = count < d->caption_count ? count : d->caption_count;
    for (size_t i = 0; good && i < count; i++) {
        size_t q = i * d->caption_count / count, picture = d->captions[q].picture;
        const double *boxes = laip_binding_boxes(b, d->pictures[picture].file);
        if (!boxes)
            continue;
        good = laip_attention_picture(r, picture, error);
        for (size_t p = r->texts->first_phrase[q]; good && p < r->texts->first_phrase[q + 1]; p++) {
            int thing = laip_phrase_thing(&r->texts->phrases, p, r->tokenizer);
            if (thing >= 0)
                good = add_phrase(r, boxes + (ptrdiff_t)4 * thing, p, maps, &shares[thing], error);
        }
    }
    for (int t = 0; t < LAIP_BOUNDS; t++)
        if (shares[t].phrases) {
            double each = 1.0 / (double)shares[t].phrases;
            shares[t].area *= each;
            for (int k = 0; k < LAIP_MAPS; k++)
                shares[t].inside[k] *= each;
        }
    free(maps);
    return good;
}
