#include "data/texts.h"

#include "base/memory.h"
#include "base/parallel.h"
#include <stdlib.h>
#include <string.h>

/* One caption's result, before all are packed. */
typedef struct made {
    laip_token_sequences caption, phrases;
    bool cut;
} made;

typedef struct job {
    const laip_dataset *d;
    const laip_tokenizer *tokenizer;
    const laip_tokenize_options *options;
    const laip_phraser *phraser;
    made *made;
} job;

static void append(laip_token_sequences *p, const int32_t *ids, const int32_t *word, size_t count)
{
    void *array = p->begin;
    laip_grow(&array, &p->count_capacity, p->count + 2, sizeof *p->begin);
    p->begin = array;
    if (!p->count)
        p->begin[0] = 0;
    size_t at = p->begin[p->count], room = p->token_capacity;
    array = p->ids;
    laip_grow(&array, &room, at + count, sizeof *p->ids);
    p->ids = array;
    array = p->word;
    laip_grow(&array, &p->token_capacity, at + count, sizeof *p->word);
    p->word = array;
    memcpy(p->ids + at, ids, count * sizeof *ids);
    memcpy(p->word + at, word, count * sizeof *word);
    p->begin[++p->count] = at + count;
    if (count > p->longest)
        p->longest = count;
}

static void free_token_sequences(laip_token_sequences *p)
{
    free(p->begin);
    free(p->ids);
    free(p->word);
    *p = (laip_token_sequences){0};
}

static void one(void *context, size_t i)
{
    job *j = context;
    const char *text = j->d->captions[i].text;
    laip_tokens tokens = {0};
    laip_spans spans = {0};
    laip_tokenize(j->tokenizer, text, strlen(text), j->options, &tokens);
    append(&j->made[i].caption, tokens.ids, tokens.word, tokens.count);
    j->made[i].cut = tokens.cut > 0;
    if (j->phraser)
        laip_phrases(j->phraser, text, strlen(text), &spans);
    for (size_t k = 0; k < spans.count; k++) {
        laip_tokenize(j->tokenizer, text + spans.start[k], spans.end[k] - spans.start[k], j->options,
                      &tokens);
        if (tokens.count > (j->options->sep ? 2u : 1u))
            append(&j->made[i].phrases, tokens.ids, tokens.word, tokens.count);
    }
    laip_spans_free(&spans);
    laip_tokens_free(&tokens);
}

void laip_texts_make(laip_texts *t, const laip_dataset *d, const laip_tokenizer *tokenizer,
                     const laip_tokenize_options *options, const laip_phraser *phraser, int threads)
{
    *t = (laip_texts){.first_phrase = laip_alloc(d->caption_count + 1, sizeof *t->first_phrase)};
    job j = {d, tokenizer, options, phraser, laip_alloc(d->caption_count, sizeof *j.made)};
    laip_parallel_for(d->caption_count, threads, one, &j);
    for (size_t i = 0; i < d->caption_count; i++) {
        made *m = &j.made[i];
        append(&t->captions, m->caption.ids, m->caption.word, m->caption.begin[1]);
        for (size_t k = 0; k < m->phrases.count; k++) {
            size_t at = m->phrases.begin[k];
            append(&t->phrases, m->phrases.ids + at, m->phrases.word + at, m->phrases.begin[k + 1] - at);
        }
        t->first_phrase[i + 1] = t->phrases.count;
        t->cut += m->cut;
        free_token_sequences(&m->caption);
        free_token_sequences(&m->phrases);
    }
    free(j.made);
}

void laip_texts_free(laip_texts *t)
{
    free_token_sequences(&t->captions);
    free_token_sequences(&t->phrases);
    free(t->first_phrase);
    *t = (laip_texts){0};
}
