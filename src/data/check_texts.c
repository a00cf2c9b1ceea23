/* Captions and phrases of a dataset under examination. */
#include "data/check_internal.h"

#include "base/memory.h"
#include <stdlib.h>

static void check_captions(laip_check *c, const laip_texts *t, const laip_check_options *o)
{
    size_t n = c->dataset->caption_count, fixed = o->tokenize.sep ? 2 : 1; /* [CLS], and [SEP] */
    double *tokens = laip_alloc(n, sizeof *tokens), *phrases = laip_alloc(n, sizeof *phrases);
    for (size_t i = 0; i < n; i++) {
        size_t length = t->captions.begin[i + 1] - t->captions.begin[i];
        size_t found = t->first_phrase[i + 1] - t->first_phrase[i];
        if (length <= fixed)
            laip_check_add(&c->empty, i);
        length -= o->words ? fixed : 0;
        if (o->tokenize.max_tokens && length > o->tokenize.max_tokens)
            laip_check_add(&c->longer, i);
        c->without_phrase += found == 0;
        tokens[i] = (double)length;
        phrases[i] = (double)found;
    }
    c->tokens = laip_check_spread(tokens, n);
    c->phrases = laip_check_spread(phrases, n);
    free(tokens);
    free(phrases);
}

static void check_phrases(laip_check *c, const laip_texts *t)
{
    size_t n = t->phrases.count;
    double *words = laip_alloc(n, sizeof *words);
    for (size_t i = 0; i < n; i++) {
        int32_t last = -1;
        for (size_t k = t->phrases.begin[i]; k < t->phrases.begin[i + 1]; k++)
            last = t->phrases.word[k] > last ? t->phrases.word[k] : last;
        words[i] = last + 1;
        c->phrases_of_words += last >= 1;
    }
    c->phrase_words = laip_check_spread(words, n);
    free(words);
}

void laip_check_texts(laip_check *check, const laip_check_options *options)
{
    laip_texts texts;
    laip_tokenize_options whole = options->tokenize;
    whole.max_tokens = 0;
    laip_texts_make(&texts, check->dataset, options->tokenizer, &whole, options->phraser, options->threads);
    check_captions(check, &texts, options);
    check_phrases(check, &texts);
    for (size_t i = 0; i < check->dataset->picture_count; i++)
        if (!check->dataset->pictures[i].captions)
            laip_check_add(&check->silent, i);
    laip_texts_free(&texts);
}
