#include "eval/example.h"

#include "base/memory.h"
#include "data/assemble.h"
#include "model/score.h"

#include <stdlib.h>
#include <string.h>

static double area(const double *b)
{
    return b[2] > b[0] && b[3] > b[1] ? (b[2] - b[0]) * (b[3] - b[1]) : 0;
}

/* How much the things of a picture are in each other's way: over pairs, the part of the smaller box that the
 * other covers; 1 for a thing that is not there. */
static double covered(const double *boxes)
{
    double sum = 0;
    for (int i = 0; i < LAIP_BOUNDS; i++)
        for (int j = 0; j < i; j++) {
            const double *a = boxes + (ptrdiff_t)4 * i, *b = boxes + (ptrdiff_t)4 * j;
            const double both[4] = {a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1],
                                    a[2] < b[2] ? a[2] : b[2], a[3] < b[3] ? a[3] : b[3]};
            double smaller = area(a) < area(b) ? area(a) : area(b);
            sum += smaller > 0 ? area(both) / smaller : 1;
        }
    return sum;
}

static bool names_a_colour(const char *phrase)
{
    laip_str padded = {0};
    bool found = false;
    laip_str_addf(&padded, " %s ", phrase);
    for (int i = 0; !found && i < LAIP_COLOURS; i++) {
        const char *names[] = {laip_colours[i].name, laip_colours[i].other};
        for (int k = 0; !found && k < 2 && names[k]; k++) {
            laip_str word = {0};
            laip_str_addf(&word, " %s ", names[k]);
            found = strstr(padded.text, word.text) != NULL;
            free(word.text);
        }
    }
    free(padded.text);
    return found;
}

/* The phrases of a caption that name bound things, each thing once; returns how many give its colour. */
static int read_caption(laip_example *x, size_t caption, const laip_texts *texts,
                        const laip_tokenizer *tokenizer)
{
    int coloured = 0;
    x->caption = caption;
    x->phrases = 0;
    for (size_t p = texts->first_phrase[caption]; p < texts->first_phrase[caption + 1]; p++) {
        laip_str text = {0};
        laip_phrase_text(&texts->phrases, p, tokenizer, &text);
        int thing = laip_bound_of_phrase(laip_str_text(&text));
        bool again = false;
        for (size_t i = 0; i < x->phrases; i++)
            again = again || x->thing[i] == thing;
        if (thing >= 0 && !again) {
            x->phrase[x->phrases] = p;
            x->thing[x->phrases++] = thing;
            coloured += names_a_colour(laip_str_text(&text));
        }
        free(text.text);
    }
    return coloured;
}

/* The member of the family that a picture shows; -1: none, or its boxes are not known. */
static int member_of(const laip_binding *b, const laip_picture *picture, int32_t family)
{
    const laip_binding_person *p = laip_binding_find(b, picture->person);
    return p && p->family == family && laip_binding_boxes(b, picture->file) ? p->member : -1;
}

/* Of every member the picture that shows most. */
static void choose_pictures(laip_example *x, const laip_binding *b, const laip_dataset *d)
{
    double best[LAIP_FAMILY];
    memset(x->boxes, 0, sizeof x->boxes);
    for (size_t i = 0; i < d->picture_count; i++) {
        int m = member_of(b, &d->pictures[i], x->family);
        const double *boxes = m < 0 ? NULL : laip_binding_boxes(b, d->pictures[i].file);
        if (!boxes || (x->boxes[m] && covered(boxes) >= best[m]))
            continue;
        best[m] = covered(boxes);
        x->boxes[m] = boxes;
        x->picture[m] = i;
    }
}

/* The caption, and of its member the caption's own picture; false: none names a bound thing. */
static bool choose_caption(laip_example *x, const laip_binding *b, const laip_dataset *d,
                           const laip_texts *texts, const laip_tokenizer *tokenizer)
{
    laip_example best = *x;
    int most = -1;
    double least = 0;
    for (size_t q = 0; q < d->caption_count; q++) {
        const laip_picture *picture = &d->pictures[d->captions[q].picture];
        x->own = member_of(b, picture, x->family);
        int coloured = x->own < 0 ? 0 : read_caption(x, q, texts, tokenizer);
        if (x->own < 0 || !x->phrases)
            continue;
        double hidden = covered(laip_binding_boxes(b, picture->file));
        if (coloured < most || (coloured == most && hidden >= least))
            continue;
        most = coloured;
        least = hidden;
        best = *x;
    }
    *x = best;
    if (most < 0)
        return false;
    x->picture[x->own] = d->captions[x->caption].picture;
    x->boxes[x->own] = laip_binding_boxes(b, d->pictures[x->picture[x->own]].file);
    return true;
}

/* The smallest and the largest number of the split's families; false: it has none. */
static bool families_of(const laip_binding *b, const laip_dataset *d, int32_t *first, int32_t *least,
                        int32_t *most)
{
    bool any = false;
    for (size_t i = 0; i < d->picture_count; i++) {
        int32_t f = laip_binding_family_of(b, d->pictures[i].person);
        if (f < 0)
            continue;
        *first = any ? *first : f;
        *least = any && *least < f ? *least : f;
        *most = any && *most > f ? *most : f;
        any = true;
    }
    return any;
}

bool laip_example_choose(laip_example *x, const laip_binding *b, const laip_dataset *d,
                         const laip_texts *texts, const laip_tokenizer *tokenizer, long family,
                         laip_error *error)
{
    int32_t first = 0, least = 0, most = 0;
    *x = (laip_example){.control = b->control};
    if (!families_of(b, d, &first, &least, &most))
        return laip_bad_input(error,
                              "%s: has no families: expected data of laip-data synth --bind, with "
                              "binding.json beside its annotations",
                              d->file);
    if (family > INT32_MAX || (family >= 0 && (family < least || family > most)))
        return laip_bad_input(error, "%s: the split has no family %ld: expected one of %d to %d", d->file,
                              family, (int)least, (int)most);
    x->family = family < 0 ? first : (int32_t)family;
    choose_pictures(x, b, d);
    for (int m = 0; m < LAIP_FAMILY; m++)
        if (!x->boxes[m])
            return laip_bad_input(error,
                                  "%s: the split has no picture of member %d of family %d, expected "
                                  "one of each of the four",
                                  d->file, m, (int)x->family);
    if (!choose_caption(x, b, d, texts, tokenizer))
        return laip_bad_input(error, "%s: no caption of family %d names a garment, a hat or a bag", d->file,
                              (int)x->family);
    return true;
}

_Static_assert(LAIP_BOUND_UPPER == 0 && LAIP_BOUND_LOWER == 1 && LAIP_BOUND_HAT == 2 && LAIP_BOUND_BAG == 3,
               "bit t / 2 of members exchanges the colours of things t and t ^ 1");

const double *laip_example_swapped(const laip_example *x, size_t phrase, int member)
{
    int thing = x->thing[phrase], bit = thing / 2;
    return !x->control && (member ^ x->own) >> bit & 1 ? x->boxes[member] + (ptrdiff_t)4 * (thing ^ 1) : NULL;
}

static float dot(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return (float)sum;
}

/* One picture after the other: four of them are not worth a batch. */
static bool score_pictures(laip_example *x, laip_scorer *s, const laip_dataset *d, const float *states,
                           const int32_t *begin, const float *text, float *planes, float *image,
                           laip_error *error)
{
    const laip_model_config *m = &s->model->sizes;
    for (int i = 0; i < LAIP_FAMILY; i++) {
        float logits[2];
        if (!laip_picture_planes(d, x->picture[i], m->image_height, m->image_width, planes, error) ||
            !laip_score_images(s, planes, 1, image, error) || !laip_score_set_image(s, planes, error) ||
            !laip_score_match(s, states, begin, 1, logits, error))
            return false;
        x->matching[i] = logits[1];
        x->cosine[i] = dot(image, text, (size_t)m->embed);
    }
    return true;
}

bool laip_example_score(laip_example *x, laip_model *model, const laip_dataset *d, const laip_texts *texts,
                        laip_error *error)
{
    const laip_model_config *m = &model->sizes;
    const laip_token_sequences *t = &texts->captions;
    size_t rows = t->begin[x->caption + 1] - t->begin[x->caption], E = (size_t)m->embed;
    int32_t begin[2] = {0, (int32_t)rows};
    laip_scorer s;
    float *states = laip_alloc(rows, (size_t)m->width * sizeof *states),
          *features = laip_alloc(2 * E, sizeof *features),
          *planes = laip_alloc(3 * (size_t)m->image_height * (size_t)m->image_width, sizeof *planes);
    bool good = laip_scorer_create(&s, model, &(laip_score_sizes){1, 1, rows, rows}, error) &&
                laip_score_texts(&s, t->ids + t->begin[x->caption], begin, 1, features, states, error) &&
                score_pictures(x, &s, d, states, begin, features, planes, features + E, error);
    laip_scorer_free(&s);
    free(states);
    free(features);
    free(planes);
    return good;
}
