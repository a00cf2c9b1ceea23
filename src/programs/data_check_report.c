/* What laip-data check found, as text or as JSON. */
#include "programs/data_check_report.h"

#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_spread(const char *what, const laip_spread *s)
{
    if (s->n)
        printf("%-22s %.1f on average, median %g, 99 %% up to %g, from %g to %g\n", what, s->mean, s->median,
               s->most99, s->least, s->most);
}

static const laip_picture *picture(const laip_check *c, size_t i)
{
    return &c->dataset->pictures[i];
}

static void print_rest(const laip_check_report *r, size_t count)
{
    if (count > r->list)
        printf("  and %zu more\n", count - r->list);
}

static void print_bad(const laip_check_report *r, const char *what, const laip_check_list *list)
{
    if (list->count)
        printf("%zu %s\n", list->count, what);
    for (size_t i = 0; i < list->count && i < r->list; i++)
        printf("  %s\n", r->check->pictures[list->items[i]].error);
    print_rest(r, list->count);
}

/* Captions or pictures by the name of the picture. */
static void print_named(const laip_check_report *r, const char *what, const laip_check_list *list,
                        bool captions)
{
    const laip_dataset *d = r->check->dataset;
    if (list->count)
        printf("%zu %s\n", list->count, what);
    for (size_t i = 0; i < list->count && i < r->list; i++) {
        size_t item = list->items[i], at = captions ? d->captions[item].picture : item;
        printf("  %s (person %d)", d->pictures[at].file, (int)d->pictures[at].person);
        if (captions)
            printf(": \"%.60s%s\"", d->captions[item].text, strlen(d->captions[item].text) > 60 ? "…" : "");
        printf("\n");
    }
    print_rest(r, list->count);
}

static void print_twins(const laip_check_report *r)
{
    const laip_check *c = r->check;
    if (c->twin_count)
        printf("%zu pictures are there twice\n", c->twin_count);
    for (size_t i = 0; i < c->twin_count && i < r->list; i++) {
        const laip_picture *a = picture(c, c->twins[i].first), *b = picture(c, c->twins[i].second);
        if (c->twins[i].same_name)
            printf("  %s: named twice (persons %d and %d)\n", a->file, (int)a->person, (int)b->person);
        else
            printf("  %s and %s: the same bytes (persons %d and %d)\n", a->file, b->file, (int)a->person,
                   (int)b->person);
    }
    print_rest(r, c->twin_count);
}

static void print_shared(const laip_check_report *r)
{
    const laip_check *c = r->check;
    if (c->shared_count)
        printf("%zu persons are in two splits\n", c->shared_count);
    for (size_t i = 0; i < c->shared_count && i < r->list; i++)
        printf("  %d: %s and %s\n", (int)c->shared[i].person, c->shared[i].splits[0], c->shared[i].splits[1]);
    print_rest(r, c->shared_count);
}

static void print_statistics(const laip_check_report *r)
{
    const laip_check *c = r->check;
    for (size_t i = 0; i < c->split_count; i++)
        printf("%-22s %zu persons, %zu pictures, %zu captions\n",
               c->splits[i].name ? c->splits[i].name : "all", c->splits[i].persons, c->splits[i].pictures,
               c->splits[i].captions);
    print_spread("width in pixels", &c->width);
    print_spread("height in pixels", &c->height);
    print_spread(r->words ? "words a caption" : "tokens a caption", &c->tokens);
    print_spread("phrases a caption", &c->phrases);
    print_spread("words a phrase", &c->phrase_words);
    if (c->phrases.n)
        printf("%-22s %.1f a caption of two words or more; %zu captions without a phrase\n", "",
               (double)c->phrases_of_words / (double)c->phrases.n, c->without_phrase);
}

/* What a person could do about what was found. */
static void print_advice(const laip_check_report *r)
{
    const laip_check *c = r->check;
    if (!c->dataset->split_count)
        printf(
            "the list has no splits: data.split.val and data.split.test hold back so many persons of it (or "
            "data.split.file names them); else all of it is for training\n");
    else if (c->dataset->divided)
        printf("the list has no splits: these are by data.split\n");
    if (c->missing.count + c->damaged.count && !r->skips)
        printf("--set data.bad_images=skip trains and evaluates without the missing pictures, and trains "
               "without the "
               "damaged ones\n");
    if (c->missing.count > c->dataset->picture_count / 2)
        printf("most pictures are missing: --images (data.images) names their folder\n");
    if (c->longer.count && !r->words)
        printf("--set data.max_tokens=%g keeps 99 %% of the captions whole\n", c->tokens.most99);
    if (c->shared_count)
        printf("persons in two splits make the figures on one of them too good\n");
}

void laip_check_print(const laip_check_report *r)
{
    const laip_check *c = r->check;
    char longer[80];
    snprintf(longer, sizeof longer, "captions have more than %zu %s and will be cut", r->max_tokens,
             r->words ? "words" : "tokens");
    printf("%s, pictures under %s\n", c->dataset->file, c->dataset->root);
    print_statistics(r);
    print_bad(r, "pictures are missing", &c->missing);
    print_bad(r, "pictures are damaged", &c->damaged);
    print_bad(r, "pictures are damaged within, and will be read as far as that goes", &c->damaged_within);
    print_twins(r);
    print_shared(r);
    print_named(r, "pictures have no caption", &c->silent, false);
    print_named(r, "captions have no word", &c->empty, true);
    print_named(r, longer, &c->longer, true);
    print_advice(r);
    printf("%zu pictures and %zu captions in %.1f s: %s\n", c->dataset->picture_count,
           c->dataset->caption_count, r->seconds,
           laip_check_faults(c) ? "not fit for training" : "fit for training");
}

static void add_text(laip_str *s, const char *key, const char *text)
{
    laip_str_addf(s, "\"%s\": ", key);
    if (text)
        laip_str_add_json(s, text, strlen(text));
    else
        laip_str_adds(s, "null");
}

static void add_spread(laip_str *s, const char *key, const laip_spread *v)
{
    laip_str_addf(s,
                  ",\n \"%s\": {\"count\": %zu, \"least\": %g, \"mean\": %.6g, \"median\": %g, \"99%%\": %g, "
                  "\"most\": %g}",
                  key, v->n, v->least, v->mean, v->median, v->most99, v->most);
}

/* A list of pictures, or of captions, with the picture's file and what more there is to say. */
static void add_list(laip_str *s, const laip_check *c, const char *key, const laip_check_list *list,
                     bool captions)
{
    const laip_dataset *d = c->dataset;
    laip_str_addf(s, ",\n \"%s\": [", key);
    for (size_t i = 0; i < list->count; i++) {
        size_t item = list->items[i], at = captions ? d->captions[item].picture : item;
        laip_str_adds(s, i ? ",\n  {" : "\n  {");
        add_text(s, "file", d->pictures[at].file);
        laip_str_addf(s, ", \"id\": %d", (int)d->pictures[at].person);
        if (captions) {
            laip_str_adds(s, ", ");
            add_text(s, "caption", d->captions[item].text);
        } else if (c->pictures[at].error) {
            laip_str_adds(s, ", ");
            add_text(s, "error", c->pictures[at].error);
        }
        laip_str_adds(s, "}");
    }
    laip_str_adds(s, "]");
}

static void add_pairs(laip_str *s, const laip_check *c)
{
    laip_str_adds(s, ",\n \"duplicates\": [");
    for (size_t i = 0; i < c->twin_count; i++) {
        laip_str_adds(s, i ? ",\n  {" : "\n  {");
        add_text(s, "first", picture(c, c->twins[i].first)->file);
        laip_str_adds(s, ", ");
        add_text(s, "second", picture(c, c->twins[i].second)->file);
        laip_str_addf(s, ", \"same\": \"%s\"}", c->twins[i].same_name ? "name" : "bytes");
    }
    laip_str_adds(s, "],\n \"persons_in_two_splits\": [");
    for (size_t i = 0; i < c->shared_count; i++)
        laip_str_addf(s, "%s\n  {\"id\": %d, \"splits\": [\"%s\", \"%s\"]}", i ? "," : "",
                      (int)c->shared[i].person, c->shared[i].splits[0], c->shared[i].splits[1]);
    laip_str_adds(s, "]");
}

static void add_splits(laip_str *s, const laip_check *c)
{
    laip_str_adds(s, ",\n \"splits\": [");
    for (size_t i = 0; i < c->split_count; i++) {
        laip_str_adds(s, i ? ",\n  {" : "\n  {");
        add_text(s, "name", c->splits[i].name);
        laip_str_addf(s, ", \"persons\": %zu, \"pictures\": %zu, \"captions\": %zu}", c->splits[i].persons,
                      c->splits[i].pictures, c->splits[i].captions);
    }
    laip_str_adds(s, "]");
}

void laip_check_print_json(const laip_check_report *r)
{
    const laip_check *c = r->check;
    laip_str s = {0};
    laip_str_adds(&s, "{");
    add_text(&s, "file", r->file);
    laip_str_adds(&s, ", ");
    add_text(&s, "images", c->dataset->root);
    laip_str_addf(&s, ",\n \"pictures\": %zu, \"captions\": %zu, \"fit\": %s", c->dataset->picture_count,
                  c->dataset->caption_count, laip_check_faults(c) ? "false" : "true");
    add_splits(&s, c);
    add_spread(&s, "width", &c->width);
    add_spread(&s, "height", &c->height);
    add_spread(&s, r->words ? "words_per_caption" : "tokens_per_caption", &c->tokens);
    add_spread(&s, "phrases_per_caption", &c->phrases);
    add_spread(&s, "words_per_phrase", &c->phrase_words);
    laip_str_addf(&s, ",\n \"phrases_of_two_words\": %zu, \"captions_without_phrase\": %zu",
                  c->phrases_of_words, c->without_phrase);
    add_list(&s, c, "missing", &c->missing, false);
    add_list(&s, c, "damaged", &c->damaged, false);
    add_list(&s, c, "damaged_within", &c->damaged_within, false);
    add_pairs(&s, c);
    add_list(&s, c, "without_caption", &c->silent, false);
    add_list(&s, c, "empty", &c->empty, true);
    add_list(&s, c, "longer", &c->longer, true);
    laip_str_addf(&s, ",\n \"max_tokens\": %zu}\n", r->max_tokens);
    fputs(s.text, stdout);
    free(s.text);
}
