/* What training and evaluation read text with: the vocabulary and the phraser of a configuration, and splits
 * with their captions made into tokens. */
#ifndef LAIP_CONFIG_CORPUS_H
#define LAIP_CONFIG_CORPUS_H

#include "config/config.h"
#include "data/texts.h"

typedef struct laip_corpus {
    laip_tokenizer *tokenizer;
    char *vocab; /* the text of vocab.txt */
    laip_phraser *phraser;
    laip_tokenize_options options;
    laip_dataset learned; /* what the vocabulary was learned from, until that split is opened */
} laip_corpus;

/* vocab_text (NULL: none) is that of a checkpoint; else config->vocab names a file; else a vocabulary is
 * learned from the training captions.  config->model.vocab is set when it was 0, and must be at least the
 * vocabulary's size. */
bool laip_corpus_open(laip_corpus *c, laip_config *config, const char *vocab_text, laip_error *error);
void laip_corpus_close(laip_corpus *c);

typedef struct laip_split {
    laip_dataset dataset;
    laip_texts texts;
} laip_split;

bool laip_split_open(laip_split *s, laip_corpus *c, const laip_config *config, const char *annotations,
                     const char *images, const char *name, bool phrases, laip_error *error);
void laip_split_close(laip_split *s);

#endif
