/* What our tagger's rules share: tokens with their properties, tags so far, and questions about neighbours.
 */
#ifndef LAIP_PHRASES_TAG_CONTEXT_H
#define LAIP_PHRASES_TAG_CONTEXT_H

#include "phrases/lexicon.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The order is that of laip_rule_tag_names; START is what stands before the first token. */
enum {
    CC,
    CD,
    DT,
    EX,
    IN,
    JJ,
    JJR,
    JJS,
    MD,
    NN,
    NNS,
    POS,
    PRP,
    PRPS,
    RB,
    RP,
    TO,
    VB,
    VBD,
    VBG,
    VBN,
    VBP,
    VBZ,
    WDT,
    WP,
    COMMA,
    STOP,
    COLON,
    OPEN,
    SHUT,
    QUOTE,
    UNQUOTE,
    SYM,
    START
};

enum { LONGEST = 40 };

typedef struct token {
    char low[LONGEST + 1]; /* lower case, cut */
    uint32_t p;            /* properties; 0: no word */
} token;

typedef struct sentence {
    token *t; /* two empty ones before the first and four after the last */
    uint8_t *tags;
    size_t count;
} sentence;

static inline bool is(const token *t, const char *word)
{
    return strcmp(t->low, word) == 0;
}

static inline bool any(const token *t, const char *const *words)
{
    for (; *words; words++)
        if (is(t, *words))
            return true;
    return false;
}

static inline uint8_t tag_before(const sentence *s, size_t i, size_t back)
{
    return i >= back ? s->tags[i - back] : START;
}

/* A noun phrase has begun before: a determiner, or a modifier, stands there. */
static inline bool opens_phrase(uint8_t tag)
{
    return tag == DT || tag == PRPS || tag == JJ || tag == JJR || tag == JJS || tag == POS || tag == CD;
}

/* Whether token t can go on or end a noun phrase that something before it began. */
bool laip_tag_nominal(const token *t);
/* A form of "to be" before token i, with adverbs at most between. */
bool laip_tag_be_before(const sentence *s, size_t i);
/* The noun before token i is one that a participle may follow inside a phrase: fur trimmed, paint splattered.
 */
bool laip_tag_stuff_before(const sentence *s, size_t i);
/* The tag of a noun, verb, adjective, adverb or number. */
uint8_t laip_tag_open_class(const sentence *s, size_t i);

#endif
