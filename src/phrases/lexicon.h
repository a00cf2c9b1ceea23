/* What our tagger knows about words: properties of each, of which most words have several. */
#ifndef LAIP_PHRASES_LEXICON_H
#define LAIP_PHRASES_LEXICON_H

#include "base/map.h"

enum laip_word_property {
    LAIP_W_DET = 1 << 0,        /* a the each several */
    LAIP_W_PRONOUN = 1 << 1,    /* he them who */
    LAIP_W_POSSESSIVE = 1 << 2, /* his their */
    LAIP_W_PREPOSITION = 1 << 3,
    LAIP_W_PARTICLE = 1 << 4, /* up down off: also after verbs, and inside of modifiers */
    LAIP_W_CONJUNCTION = 1 << 5,
    LAIP_W_NUMBER = 1 << 6,
    LAIP_W_MODAL = 1 << 7,
    LAIP_W_BE = 1 << 8,
    LAIP_W_ADVERB = 1 << 9,
    LAIP_W_DEGREE = 1 << 10, /* of adverbs: very, slightly */
    LAIP_W_VERB = 1 << 11,   /* base form */
    LAIP_W_VERB_S = 1 << 12,
    LAIP_W_PAST = 1 << 13, /* past tense or participle */
    LAIP_W_GERUND = 1 << 14,
    LAIP_W_ACTION = 1 << 15,    /* a participle that says what someone does or has done: wearing, dressed */
    LAIP_W_ACTIVITY = 1 << 16,  /* a gerund that says what a thing is for: running shoes, shopping bag */
    LAIP_W_QUALITY = 1 << 17,   /* a gerund that is an adjective: matching, fitting */
    LAIP_W_JOINED = 1 << 18,    /* a participle that takes a noun before it: fur trimmed, cream colored */
    LAIP_W_FASTENING = 1 << 19, /* makes a modifier with a particle: button down, lace up, rolled up */
    LAIP_W_ADJECTIVE = 1 << 20,
    LAIP_W_NOUN = 1 << 21,
    LAIP_W_PLURAL = 1 << 22,
    LAIP_W_TRAIT = 1 << 23, /* a noun that modifiers may follow inside a phrase: sleeve, length, neck */
    LAIP_W_STUFF = 1 << 24, /* a material or pattern: noun or modifier */
    LAIP_W_PERSON = 1 << 25,
    LAIP_W_THING = 1 << 26, /* worn, carried, or a part of the body: the head of its phrase */
    LAIP_W_WH = 1 << 27,
    LAIP_W_TINT = 1 << 28, /* a noun that is a colour before another noun: peach, gold */
    LAIP_W_DEED = 1 << 29  /* a noun whose form in -s is rather a verb: walk, show */
};

typedef struct laip_lexicon_list {
    uint32_t properties;
    const char *words; /* divided by blanks */
} laip_lexicon_list;

/* Lists of words; of verbs (base forms, whose regular forms are made; a + after one doubles its last letter);
 * of nouns (singular, whose plurals are made).  Each ends with words NULL. */
extern const laip_lexicon_list laip_lexicon_words[], laip_lexicon_verbs[], laip_lexicon_nouns[];

void laip_lexicon_build(laip_map *map);
/* The properties of a word in lower case: known ones, or those that its form suggests. */
uint32_t laip_lexicon_find(const laip_map *map, const char *word, size_t length);

#endif
