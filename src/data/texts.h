/* A dataset's captions as the network takes them: tokens, and the noun phrases with their own tokens, made
 * once. */
#ifndef LAIP_DATA_TEXTS_H
#define LAIP_DATA_TEXTS_H

#include "data/dataset.h"
#include "phrases/phrases.h"
#include "text/tokenizer.h"

/* Sequences of tokens, packed; word[i] is the word of its text that token i belongs to, −1 for [CLS] and
 * [SEP]. */
typedef struct laip_token_sequences {
    size_t count, *begin; /* [count + 1] */
    int32_t *ids, *word;
    size_t longest, count_capacity, token_capacity;
} laip_token_sequences;

typedef struct laip_texts {
    laip_token_sequences captions, phrases;
    size_t *first_phrase; /* [captions + 1] */
    size_t cut;           /* captions that were longer than allowed */
} laip_texts;

/* phraser NULL: no phrases.  Phrases begin with [CLS] as captions do; one that has no token of its own is
 * left out. */
void laip_texts_make(laip_texts *t, const laip_dataset *d, const laip_tokenizer *tokenizer,
                     const laip_tokenize_options *options, const laip_phraser *phraser, int threads);
void laip_texts_free(laip_texts *t);

#endif
