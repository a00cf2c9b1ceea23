/* Our tagger.  Each token has the properties of the lexicon; from left to right they are narrowed down to a
 * tag by what stands before (tagged already) and what comes next (its properties).  A participle or gerund
 * that is part of a noun phrase is JJ (VBN after an adverb), one that is the verb of a clause is VBN, VBD or
 * VBG.  So a chunk grammar over adjectives and nouns finds the phrases. */
#include "text/tag_rules.h"

#include "text/lexicon.h"
#include "text/unicode.h"
#include <stdlib.h>
#include <string.h>

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

const char *const laip_rule_tag_names[LAIP_RULE_TAGS] = {
    "CC",  "CD",   "DT", "EX", "IN", "JJ", "JJR", "JJS", "MD",  "NN",     "NNS", "POS",
    "PRP", "PRP$", "RB", "RP", "TO", "VB", "VBD", "VBG", "VBN", "VBP",    "VBZ", "WDT",
    "WP",  ",",    ".",  ":",  "(",  ")",  "``",  "''",  "SYM", "-START-"};

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

static bool is(const token *t, const char *word)
{
    return strcmp(t->low, word) == 0;
}

static bool any(const token *t, const char *const *words)
{
    for (; *words; words++)
        if (is(t, *words))
            return true;
    return false;
}

static uint8_t tag_before(const sentence *s, size_t i, size_t back)
{
    return i >= back ? s->tags[i - back] : START;
}

static const uint32_t function_word = LAIP_W_DET | LAIP_W_PRONOUN | LAIP_W_POSSESSIVE | LAIP_W_PREPOSITION |
                                      LAIP_W_CONJUNCTION | LAIP_W_MODAL | LAIP_W_BE | LAIP_W_WH;

static const char *const fractions[] = {"tone",  "toned",   "piece",   "quarter", "quarters", "button",
                                        "strap", "stripe",  "striped", "color",   "colored",  "way",
                                        "layer", "layered", "fourth",  "fourths", NULL};

/* Whether token t can go on or end a noun phrase that something before it began. */
static bool is_nominal(const token *t)
{
    if (is(t, "back") || is(t, "round") || is(t, "plus"))
        return !(t[1].p & (LAIP_W_PREPOSITION | LAIP_W_DET)) || is(t, "round");
    if ((t->p & function_word) || !t->p)
        return false;
    if (t->p & (LAIP_W_ADJECTIVE | LAIP_W_NOUN | LAIP_W_STUFF | LAIP_W_TRAIT)) {
        /* A verb that is a noun too, with an object: not here. */
        if ((t->p & (LAIP_W_VERB_S | LAIP_W_VERB)) &&
            !(t->p & (LAIP_W_THING | LAIP_W_TRAIT | LAIP_W_ADJECTIVE)))
            return !(t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE));
        return true;
    }
    if (t->p & (LAIP_W_JOINED | LAIP_W_ACTIVITY | LAIP_W_QUALITY))
        return true;
    if ((t->p & LAIP_W_PAST) && !(t->p & LAIP_W_ACTION))
        return t[1].p & (LAIP_W_ADJECTIVE | LAIP_W_NOUN) && !(t[1].p & function_word);
    return false;
}

/* A noun phrase has begun before: a determiner, or a modifier, stands there. */
static bool opens_phrase(uint8_t tag)
{
    return tag == DT || tag == PRPS || tag == JJ || tag == JJR || tag == JJS || tag == POS || tag == CD;
}

static bool is_be_before(const sentence *s, size_t i)
{
    for (size_t k = i; k-- > 0;) {
        if (s->t[k].p & LAIP_W_BE)
            return true;
        if (s->tags[k] != RB)
            return false;
    }
    return false;
}

/* The noun before is one that a participle may follow inside a phrase: fur trimmed, paint splattered. */
static bool is_stuff_before(const sentence *s, size_t i)
{
    if (tag_before(s, i, 1) != NN)
        return false;
    uint32_t p = s->t[i - 1].p;
    return !(p & (LAIP_W_PERSON | LAIP_W_THING)) || (p & (LAIP_W_STUFF | LAIP_W_TRAIT));
}

static uint8_t gerund(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    if (!is_nominal(t + 1)) {
        bool noun = before == DT || before == PRPS || before == POS;
        return noun && !(t->p & LAIP_W_QUALITY) && (i == 0 || !is(t - 1, "that")) ? NN : VBG;
    }
    if (t->p & LAIP_W_ACTION)
        return before == DT ? JJ : VBG;
    if (is(t, "looking"))
        return before == JJ && !is_be_before(s, i - 1) ? JJ : VBG;
    if (t->p & LAIP_W_ACTIVITY) {
        if (is_be_before(s, i) || !(t[1].p & LAIP_W_NOUN))
            return opens_phrase(before) && (t[1].p & LAIP_W_NOUN || t[2].p & LAIP_W_NOUN) ? JJ : VBG;
        if (before == NN || before == NNS || before == CC || before == COMMA)
            return (t[1].p & LAIP_W_THING) && !(i && (t[-1].p & LAIP_W_PERSON)) ? JJ : VBG;
        return JJ;
    }
    if (t->p & LAIP_W_QUALITY)
        return is_be_before(s, i) ? VBG : JJ;
    return opens_phrase(before) && !is_be_before(s, i ? i - 1 : 0) ? JJ : VBG;
}

static uint8_t participle(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    bool listed = (t[1].p & LAIP_W_CONJUNCTION || is(t + 1, ",")) &&
                  (t[2].p & (LAIP_W_ADJECTIVE | LAIP_W_PAST)) && is_nominal(t + 2) && is_nominal(t + 3) &&
                  (opens_phrase(before) || before == IN || before == VBZ);
    if (!is_nominal(t + 1) && !listed) {
        if (before == PRP || before == WP || (before == NNS && !(t->p & LAIP_W_JOINED)))
            return VBD;
        return VBN;
    }
    if (t->p & LAIP_W_ACTION)
        return before == DT || before == PRPS ? JJ : VBN;
    if (before == RB && !(t[-1].p & LAIP_W_DEGREE) && !is_be_before(s, i))
        return VBN;
    if (before == PRP || before == WP || is_be_before(s, i))
        return VBD;
    if (before == NN || before == NNS)
        return (t->p & LAIP_W_JOINED && before == NN) || is_stuff_before(s, i) ? JJ : VBD;
    return JJ;
}

/* A word in -s that is both a plural and a verb. */
static uint8_t verb_or_plural(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    bool object = t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE) && !is(t + 1, "that");
    if (before == PRP || before == WP || before == WDT || before == RB || before == EX)
        return VBZ;
    if (opens_phrase(before) || before == IN)
        return NNS;
    if (t->p & LAIP_W_ACTION)
        return VBZ;
    bool onwards = object || t[1].p & (LAIP_W_PREPOSITION | LAIP_W_ADVERB | LAIP_W_NUMBER);
    if (before == CC || before == NN || before == NNS) {
        if (i && (t[-1].p & LAIP_W_PERSON) && before == NN)
            return onwards || is(t + 1, "to") || t[1].p & LAIP_W_ADJECTIVE ? VBZ : NNS;
        if (before == NNS && onwards && !(t->p & LAIP_W_THING))
            return VBZ;
        if (!(t->p & LAIP_W_NOUN))
            return onwards || before == CC || t[1].p & (LAIP_W_ADJECTIVE | LAIP_W_GERUND) ? VBZ : NNS;
        return object || (before == CC && onwards && !(t->p & LAIP_W_THING)) ? VBZ : NNS;
    }
    return NNS;
}

static uint8_t plain_noun(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    bool plural = t->p & LAIP_W_PLURAL;
    if (t->p & LAIP_W_TRAIT) {
        /* A trait with modifiers after it is one itself: short sleeve red shirt. */
        const token *n = t + 1;
        bool modifier =
            (n->p & (LAIP_W_ADJECTIVE | LAIP_W_PAST)) && !(n->p & (function_word | LAIP_W_ACTION));
        if (modifier && is_nominal(n) && is_nominal(n + 1))
            return JJ;
        if (n->p & LAIP_W_CONJUNCTION && opens_phrase(tag_before(s, i, 1)) && n[1].p & LAIP_W_TRAIT &&
            is_nominal(n + 2) && !(t->p & LAIP_W_THING) && !plural)
            return JJ;
        if (plural && is_nominal(n) && !(n->p & LAIP_W_VERB_S))
            return NN;
    }
    if (t->p & LAIP_W_STUFF && (t[1].p & LAIP_W_CONJUNCTION) &&
        (t[2].p & (LAIP_W_STUFF | LAIP_W_ADJECTIVE)) && is_nominal(t + 3) && !(t[2].p & function_word) &&
        !plural)
        return JJ;
    if (t->p & LAIP_W_STUFF && is_nominal(t + 1) && (t[1].p & LAIP_W_ADJECTIVE) && is_nominal(t + 2) &&
        !plural)
        return JJ;
    return plural ? NNS : NN;
}

static uint8_t adjective(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    if (t->p & LAIP_W_NOUN && !is_nominal(t + 1)) {
        const token *n = t + 1;
        bool listed = (n->p & LAIP_W_CONJUNCTION || is(n, ",") || is(n, "/") || is(n, "&")) &&
                      n[1].p & (LAIP_W_ADJECTIVE | LAIP_W_STUFF) && is_nominal(n + 1) && is_nominal(n + 2) &&
                      t->p & LAIP_W_TINT;
        if (!listed)
            return t->p & LAIP_W_PLURAL ? NNS : NN;
    }
    (void)s;
    return JJ;
}

static uint8_t verb(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    if (before == TO || before == MD)
        return VB;
    if (before == PRP || before == WP || before == WDT)
        return VBP;
    if (!(t->p & LAIP_W_NOUN))
        return before == NN && i && t[-1].p & LAIP_W_PERSON           ? VBP
               : opens_phrase(before) || before == NN || before == IN ? NN
               : before == NNS                                        ? VBP
                                                                      : VB;
    bool object = t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE | LAIP_W_PARTICLE);
    if ((before == NNS || (before == NN && i && t[-1].p & LAIP_W_PERSON)) && object && !(t->p & LAIP_W_THING))
        return VBP;
    return NN;
}

/* Words with a life of their own; START when this is none of them. */
static uint8_t special_word(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    if (is(t, "that") || is(t, "which"))
        return is_nominal(t + 1) && before != NN && before != NNS && before != VBN ? DT : WDT;
    if (is(t, "who") || is(t, "whom") || is(t, "what"))
        return WP;
    if (is(t, "there"))
        return t[1].p & LAIP_W_BE ? EX : RB;
    if (is(t, "her"))
        return is_nominal(t + 1) || t[1].p & (LAIP_W_PAST | LAIP_W_GERUND | LAIP_W_NUMBER) ? PRPS : PRP;
    if (is(t, "to"))
        return TO;
    if (is(t, "front") || is(t, "top"))
        return is(t + 1, "of") && i && any(t - 1, (const char *const[]){"in", "on", "atop", NULL}) ? IN
                                                                                                   : START;
    if (is(t, "next"))
        return is(t + 1, "to") ? IN : START;
    if (is(t, "half"))
        return is_nominal(t + 1) && t[1].p & (LAIP_W_TRAIT | LAIP_W_JOINED | LAIP_W_FASTENING) ? JJ : DT;
    if (is(t, "off"))
        return (t[1].p & LAIP_W_ADJECTIVE || is(t + 1, "shoulder")) && is_nominal(t + 1) &&
                       is_nominal(t + 2) &&
                       (opens_phrase(before) || before == VBG || before == VBZ || before == IN ||
                        before == CC)
                   ? JJ
                   : START;
    if (is(t, "back")) {
        if (before == VBN || before == VBD || before == VBG || before == VBZ)
            return RB;
        return is_nominal(t + 1) ? JJ : NN;
    }
    if (is(t, "round"))
        return is_nominal(t + 1) && before != VBG && before != VBN ? JJ : START;
    if (is(t, "cut") && is_be_before(s, i))
        return VBN;
    if (is(t, "cut") && !is_nominal(t + 1))
        return (before == NN || before == JJ) && !is(t - 1, "hair") ? NN : START;
    if (is(t, "cut") && before == NN && is(t - 1, "hair"))
        return VBN;
    if (is(t, "like"))
        return before == TO || before == PRP ? VB : IN;
    if (is(t, "pretty") || is(t, "well"))
        return is(t, "pretty") && (before == DT || before == CC) && t[1].p & LAIP_W_NOUN ? JJ : RB;
    return START;
}

/* A number that begins a modifier: two tone, three quarter, 3/4 length. */
static uint8_t number(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    bool modifier = any(t + 1, fractions) && is_nominal(t + 2);
    bool fraction = strchr(t->low, '/') && (t[1].p & LAIP_W_TRAIT || any(t + 1, fractions));
    return modifier || fraction ? JJ : CD;
}

static uint8_t function_tag(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    if (t->p & LAIP_W_POSSESSIVE)
        return PRPS;
    if (t->p & LAIP_W_DET)
        return DT;
    if (t->p & LAIP_W_CONJUNCTION)
        return CC;
    if (t->p & LAIP_W_PRONOUN)
        return PRP;
    if (t->p & LAIP_W_MODAL)
        return MD;
    if (t->p & LAIP_W_BE)
        return is(t, "been") ? VBN : is(t, "being") ? VBG : is(t, "be") ? VB : is(t, "are") ? VBP : VBZ;
    if (!(t->p & LAIP_W_PREPOSITION))
        return START;
    if (t->p & LAIP_W_PARTICLE && !is_nominal(t + 1) &&
        !(t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE | LAIP_W_NUMBER)))
        return RP;
    return IN;
}

static uint8_t open_tag(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    if (t->p & LAIP_W_NUMBER)
        return number(s, i);
    if (t->p & LAIP_W_ADJECTIVE)
        return adjective(s, i);
    if (t->p & LAIP_W_ADVERB)
        return RB;
    if (t->p & LAIP_W_PARTICLE)
        return RB;
    if (t->p & LAIP_W_GERUND && !(t->p & LAIP_W_NOUN))
        return gerund(s, i);
    if (t->p & LAIP_W_VERB && (before == TO || before == MD))
        return VB;
    if (t->p & LAIP_W_PAST && !(t->p & LAIP_W_NOUN))
        return participle(s, i);
    if (t->p & LAIP_W_VERB_S)
        return verb_or_plural(s, i);
    if (t->p & LAIP_W_VERB) {
        uint8_t v = verb(s, i);
        if (v != NN)
            return v;
    }
    /* A word nobody knows that ends in -s after a person: jaywalks. */
    if (t->p == (LAIP_W_NOUN | LAIP_W_PLURAL) && before == NN && i && t[-1].p & LAIP_W_PERSON &&
        !strchr(t->low, '-') &&
        t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE | LAIP_W_PREPOSITION | LAIP_W_ADVERB))
        return VBZ;
    return plain_noun(s, i);
}

/* "button down shirt", "rolled up jeans": the word and its particle are modifiers. */
static bool fastening(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    static const char *const particles[] = {"up",   "down",   "on",      "off",  "out", "back",
                                            "over", "around", "through", "away", NULL};
    if (!(t->p & LAIP_W_FASTENING) || !any(t + 1, particles))
        return false;
    if (before == TO || before == MD || before == PRP || before == WP || is_be_before(s, i))
        return false;
    if (t->p & LAIP_W_PAST && !(t->p & LAIP_W_NOUN) &&
        (before == NNS || (before == NN && !is_stuff_before(s, i))))
        return false;
    bool past = t->p & LAIP_W_PAST,
         noun_after = is_nominal(t + 2) && !(t[2].p & LAIP_W_VERB_S && !(t[2].p & LAIP_W_NOUN));
    if (noun_after) {
        /* "hair cut off black shirt" does not occur; "cut on top" does. */
        return !(past && (before == NN || before == NNS) && !opens_phrase(before));
    }
    return !past && opens_phrase(before) && !(t[2].p & (LAIP_W_DET | LAIP_W_POSSESSIVE)) &&
           any(t + 1, (const char *const[]){"up", "down", "on", "over", NULL}) &&
           any(t, (const char *const[]){"button", "zip", "lace", "pull", "slip", "snap", NULL});
}

static uint8_t mark(const token *t, const char *text)
{
    switch (text[0]) {
    case ',':
        return COMMA;
    case '.':
    case '!':
    case '?':
        return STOP;
    case '(':
    case '[':
    case '{':
        return OPEN;
    case ')':
    case ']':
    case '}':
        return SHUT;
    case '&':
    case '/':
        return CC;
    case ':':
    case ';':
    case '-':
        return COLON;
    case '`':
        return QUOTE;
    case '\'':
        return t->low[1] ? POS : UNQUOTE;
    case '"':
        return UNQUOTE;
    default:
        return (unsigned char)text[0] >= 0x80 ? COLON : SYM;
    }
}

static void lower(token *t, const char *text, size_t length)
{
    size_t n = length < LONGEST ? length : LONGEST;
    for (size_t i = 0; i < n; i++)
        t->low[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    t->low[n] = 0;
}

static bool is_word(const token *t)
{
    unsigned char c = (unsigned char)t->low[0];
    size_t taken;
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    uint32_t wide = laip_utf8_decode(t->low, strlen(t->low), &taken);
    return !laip_is_punctuation(wide) && !laip_is_other(wide) && wide != LAIP_REPLACEMENT;
}

/* "hair is black, blue shirt": the comma after a predicate does not join modifiers. */
static void part_predicates(sentence *s)
{
    for (size_t i = 1; i < s->count; i++) {
        if (s->tags[i] != COMMA || s->tags[i - 1] != JJ)
            continue;
        size_t k = i;
        while (k > 0 && (s->tags[k - 1] == JJ || s->tags[k - 1] == CC || s->tags[k - 1] == RB))
            k--;
        if (k > 0 && s->t[k - 1].p & LAIP_W_BE)
            s->tags[i] = COLON;
    }
}

static uint8_t word_tag(sentence *s, size_t i)
{
    uint8_t tag = special_word(s, i);
    if (tag == START)
        tag = function_tag(s, i);
    return tag == START ? open_tag(s, i) : tag;
}

void laip_rule_tag(const laip_map *lexicon, const char *const *tokens, const uint32_t *lengths, size_t count,
                   uint8_t *tags)
{
    token *all = laip_alloc(count + 6, sizeof *all);
    sentence s = {all + 2, tags, count};
    for (size_t i = 0; i < count; i++) {
        lower(&s.t[i], tokens[i], lengths[i]);
        if (is_word(&s.t[i]))
            s.t[i].p = laip_lexicon_find(lexicon, s.t[i].low, strlen(s.t[i].low));
    }
    for (size_t i = 0; i < count; i++) {
        const token *t = &s.t[i];
        if (is(t, "n't")) {
            tags[i] = RB;
        } else if (!t->p)
            tags[i] = lengths[i] ? mark(t, tokens[i]) : SYM;
        else if (fastening(&s, i)) {
            bool followed = is_nominal(t + 2);
            tags[i] = followed ? JJ : NN;
            tags[i + 1] = followed ? JJ : NN;
            i++;
        } else
            tags[i] = word_tag(&s, i);
        if (i && tags[i] == JJ && tags[i - 1] == NN && t->p & LAIP_W_PAST && !(t->p & LAIP_W_ADJECTIVE))
            tags[i - 1] = JJ; /* fur trimmed */
    }
    part_predicates(&s);
    free(all);
}
