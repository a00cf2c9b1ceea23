/* A dataset looked at whole, before training: every picture decoded, every caption read.  Only what is found;
 * how it is told is the caller's. */
#ifndef LAIP_DATA_CHECK_H
#define LAIP_DATA_CHECK_H

#include "data/dataset.h"
#include "data/texts.h"

typedef struct laip_check_options {
    const laip_tokenizer *tokenizer;
    const laip_phraser *phraser;
    laip_tokenize_options tokenize; /* max_tokens: captions of more are over-long; they are not cut here */
    bool words;                     /* the tokenizer has no words: [CLS] and [SEP] are not counted */
    int threads;                    /* 0: one a core */
} laip_check_options;

enum laip_picture_state { LAIP_PICTURE_GOOD, LAIP_PICTURE_MISSING, LAIP_PICTURE_DAMAGED };

typedef struct laip_checked_picture {
    int state; /* enum laip_picture_state */
    int width, height;
    bool damaged_within; /* it can be read, but some of it is a guess */
    uint64_t hash;       /* of the file's bytes */
    char *error;         /* of a bad one, or one damaged within: what is wrong with it */
} laip_checked_picture;

/* A picture that is there twice: under the same name, or the same bytes under two. */
typedef struct laip_check_twin {
    size_t first, second;
    bool same_name;
} laip_check_twin;

typedef struct laip_check_shared {
    int32_t person;
    const char *splits[2];
} laip_check_shared;

/* Of n values: least, mean, median, 99 of 100, greatest. */
typedef struct laip_spread {
    size_t n;
    double least, mean, median, most99, most;
} laip_spread;

typedef struct laip_check_split {
    const char *name; /* NULL: the file has no splits */
    size_t persons, pictures, captions;
} laip_check_split;

typedef struct laip_check_list {
    size_t *items, count, capacity;
} laip_check_list;

typedef struct laip_check {
    const laip_dataset *dataset;
    laip_checked_picture *pictures; /* [picture_count] */
    laip_check_list missing, damaged, damaged_within;
    laip_check_twin *twins;
    size_t twin_count, twin_capacity;
    laip_check_shared *shared; /* persons in two splits */
    size_t shared_count, shared_capacity;
    laip_check_split splits[LAIP_SPLITS];
    size_t split_count;
    laip_check_list silent; /* pictures without a caption */
    laip_check_list empty;  /* captions without a word */
    laip_check_list longer; /* captions of more tokens than allowed */
    laip_spread width, height, tokens, phrases,
        phrase_words;        /* phrases: a caption's; phrase_words: a phrase's */
    size_t phrases_of_words; /* phrases of two or more words */
    size_t without_phrase;   /* captions */
} laip_check;

/* Nothing that it finds is an error.  Progress is shown while pictures are read. */
void laip_check_run(laip_check *check, const laip_dataset *dataset, const laip_check_options *options);
void laip_check_free(laip_check *check);
/* What no training should start with: missing or damaged pictures, persons in two splits. */
size_t laip_check_faults(const laip_check *check);

#endif
