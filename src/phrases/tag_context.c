/* The open classes in context: whether a participle is a modifier or a verb, a word in -s a plural or a verb,
 * and the like. */
#include "phrases/tag_context.h"

static const uint32_t function_word = LAIP_W_DET | LAIP_W_PRONOUN | LAIP_W_POSSESSIVE | LAIP_W_PREPOSITION |
                                      LAIP_W_CONJUNCTION | LAIP_W_MODAL | LAIP_W_BE | LAIP_W_WH;

/* What a number makes a modifier with: two tone shoes; and what it does inside of a phrase only: a two button
 * suit. */
static const char *const fractions[] = {"tone",   "toned",   "piece", "quarter", "quarters",
                                        "fourth", "fourths", "way",   NULL};
static const char *const details[] = {"button", "strap",   "stripe", "striped", "color", "colored",
                                      "layer",  "layered", "wheel",  "handle",  NULL};

bool laip_tag_nominal(const token *t)
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
    if (t->p & LAIP_W_FASTENING && t[1].p & LAIP_W_PARTICLE)
        return t[2].p & (LAIP_W_ADJECTIVE | LAIP_W_NOUN);
    if (t->p & LAIP_W_VERB_S && !(t->p & LAIP_W_ACTION))
        return !(t[1].p &
                 (LAIP_W_DET | LAIP_W_POSSESSIVE | LAIP_W_PREPOSITION | LAIP_W_ADVERB | LAIP_W_NUMBER));
    if (t->p & LAIP_W_VERB && !(t->p & (LAIP_W_ACTION | LAIP_W_PAST)))
        return !(t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE | LAIP_W_PRONOUN));
    if ((t->p & LAIP_W_PAST) && !(t->p & LAIP_W_ACTION))
        return t[1].p & (LAIP_W_ADJECTIVE | LAIP_W_NOUN) && !(t[1].p & function_word);
    return false;
}

bool laip_tag_be_before(const sentence *s, size_t i)
{
    for (size_t k = i; k-- > 0;) {
        if (s->t[k].p & LAIP_W_BE)
            return true;
        if (s->tags[k] != RB)
            return false;
    }
    return false;
}

bool laip_tag_stuff_before(const sentence *s, size_t i)
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
    if (!laip_tag_nominal(t + 1)) {
        bool noun = before == DT || before == PRPS || before == POS || (before == JJ && is(t, "writing"));
        return noun && !(t->p & LAIP_W_QUALITY) && (i == 0 || !is(t - 1, "that")) ? NN : VBG;
    }
    if (t->p & LAIP_W_ACTION)
        return before == DT ? JJ : VBG;
    if (is(t, "looking"))
        return before == JJ && !laip_tag_be_before(s, i - 1) ? JJ : VBG;
    if (t->p & LAIP_W_ACTIVITY) {
        if (laip_tag_be_before(s, i) || !(t[1].p & LAIP_W_NOUN))
            return opens_phrase(before) && (t[1].p & LAIP_W_NOUN || t[2].p & LAIP_W_NOUN) ? JJ : VBG;
        if (before == NN || before == NNS || before == CC || before == COMMA)
            return (t[1].p & LAIP_W_THING) && !(i && (t[-1].p & LAIP_W_PERSON)) ? JJ : VBG;
        return JJ;
    }
    if (t->p & LAIP_W_QUALITY)
        return laip_tag_be_before(s, i) ? VBG : JJ;
    if (before == NN && laip_tag_stuff_before(s, i) && t[1].p & LAIP_W_THING)
        return JJ; /* moisture wicking shirt */
    if (i && any(t - 1, (const char *const[]){"with", "has", "have", NULL}))
        return JJ;
    return opens_phrase(before) && !laip_tag_be_before(s, i ? i - 1 : 0) ? JJ : VBG;
}

static uint8_t participle(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    bool listed = (t[1].p & LAIP_W_CONJUNCTION || is(t + 1, ",")) &&
                  (t[2].p & (LAIP_W_ADJECTIVE | LAIP_W_PAST)) && laip_tag_nominal(t + 2) &&
                  laip_tag_nominal(t + 3) && (opens_phrase(before) || before == IN || before == VBZ);
    if (!laip_tag_nominal(t + 1) && !listed) {
        if (before == PRP || before == WP || (before == NNS && !(t->p & LAIP_W_JOINED)))
            return VBD;
        return VBN;
    }
    if (t->p & LAIP_W_JOINED && laip_tag_stuff_before(s, i) && t[1].p & LAIP_W_THING)
        return JJ;
    if (t->p & LAIP_W_ACTION)
        return before == DT || before == PRPS ? JJ : VBN;
    if (before == RB && !(t[-1].p & LAIP_W_DEGREE) && !laip_tag_be_before(s, i))
        return VBN;
    if (before == PRP || before == WP || laip_tag_be_before(s, i))
        return VBD;
    if (before == NN || before == NNS)
        return (t->p & LAIP_W_JOINED && before == NN) || laip_tag_stuff_before(s, i) ? JJ : VBD;
    return JJ;
}

/* A word in -s that is both a plural and a verb. */
static uint8_t verb_or_plural(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    bool object = t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE) && !is(t + 1, "that");
    if (t->p & LAIP_W_ACTION)
        return VBZ;
    if ((before == COMMA || before == START) && object && !(t->p & LAIP_W_THING))
        return VBZ;
    if (before == PRP || before == WP || before == WDT || before == RB || before == EX)
        return VBZ;
    if (opens_phrase(before) || before == IN)
        return NNS;
    bool onwards =
        object || is(t + 1, "next") || t[1].p & (LAIP_W_PREPOSITION | LAIP_W_ADVERB | LAIP_W_NUMBER);
    if (before == CC || before == NN || before == NNS) {
        if (i && (t[-1].p & LAIP_W_PERSON) && before == NN)
            return onwards || t->p & LAIP_W_DEED || is(t + 1, "to") || t[1].p & LAIP_W_ADJECTIVE ? VBZ : NNS;
        if ((before == NNS || t->p & LAIP_W_DEED) && onwards && !(t->p & LAIP_W_THING))
            return VBZ;
        if (!(t->p & LAIP_W_NOUN))
            return onwards || before != NN || (laip_tag_nominal(t + 1) && !(t[1].p & LAIP_W_VERB_S)) ? VBZ
                                                                                                     : NNS;
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
        if (modifier && laip_tag_nominal(n) && laip_tag_nominal(n + 1))
            return JJ;
        if (n->p & LAIP_W_CONJUNCTION && opens_phrase(tag_before(s, i, 1)) && n[1].p & LAIP_W_TRAIT &&
            laip_tag_nominal(n + 2) && !(t->p & LAIP_W_THING) && !plural)
            return JJ;
        if (plural && laip_tag_nominal(n) && !(n->p & LAIP_W_VERB_S))
            return NN;
    }
    if (t->p & LAIP_W_STUFF && !(t->p & LAIP_W_THING) && (t[1].p & LAIP_W_CONJUNCTION) &&
        (t[2].p & (LAIP_W_STUFF | LAIP_W_ADJECTIVE)) && laip_tag_nominal(t + 3) &&
        !(t[2].p & function_word) && !plural)
        return JJ;
    if (t->p & LAIP_W_STUFF && laip_tag_nominal(t + 1) && (t[1].p & LAIP_W_ADJECTIVE) &&
        laip_tag_nominal(t + 2) && !plural)
        return JJ;
    return plural ? NNS : NN;
}

static uint8_t adjective(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    if (t->p & LAIP_W_NOUN && !laip_tag_nominal(t + 1)) {
        const token *n = t + 1;
        bool listed = (n->p & LAIP_W_CONJUNCTION || is(n, ",") || is(n, "/") || is(n, "&")) &&
                      n[1].p & (LAIP_W_ADJECTIVE | LAIP_W_STUFF) && laip_tag_nominal(n + 1) &&
                      laip_tag_nominal(n + 2) && t->p & LAIP_W_TINT;
        bool predicate = t->p & LAIP_W_TINT && laip_tag_be_before(s, i);
        if (!listed && !predicate)
            return t->p & LAIP_W_PLURAL ? NNS : NN;
    }
    return t->p & LAIP_W_PAST && tag_before(s, i, 1) == RB && !(t[-1].p & LAIP_W_DEGREE) ? VBN : JJ;
}

static uint8_t verb(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    if (before == TO || before == MD)
        return VB;
    if (before == PRP || before == WP || before == WDT)
        return VBP;
    if (t->p & LAIP_W_DEED && (before == NN || before == NNS) && i && t[-1].p & LAIP_W_PERSON)
        return VBP;
    if (!(t->p & LAIP_W_NOUN))
        return before == NN && i && t[-1].p & LAIP_W_PERSON                     ? VBP
               : opens_phrase(before) || before == NN || before == IN           ? NN
               : before == CC && laip_tag_nominal(t) && laip_tag_nominal(t + 1) ? NN
               : before == NNS                                                  ? VBP
                                                                                : VB;
    bool object = t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE | LAIP_W_PARTICLE);
    if ((before == NNS || (before == NN && i && t[-1].p & LAIP_W_PERSON)) && object && !(t->p & LAIP_W_THING))
        return VBP;
    return NN;
}

/* A number that begins a modifier: two tone, three quarter, 3/4 length. */
static uint8_t number(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    bool inside = opens_phrase(tag_before(s, i, 1)) && (any(t + 1, details) || t[1].p & LAIP_W_JOINED);
    bool shoulder = is(t, "one") && is(t + 1, "shoulder");
    bool modifier = (any(t + 1, fractions) || shoulder || inside) && laip_tag_nominal(t + 2);
    bool fraction = strchr(t->low, '/') && (t[1].p & LAIP_W_TRAIT || any(t + 1, fractions));
    return modifier || fraction ? JJ : CD;
}

uint8_t laip_tag_open_class(const sentence *s, size_t i)
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
    bool object = t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE);
    if (t->p & LAIP_W_GERUND && (!(t->p & LAIP_W_NOUN) || object))
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
    /* A noun or unknown word in -s between a person and an object or a place: purses his lips, jaywalks
     * across. */
    bool unknown = t->p == (LAIP_W_NOUN | LAIP_W_PLURAL) && !strchr(t->low, '-');
    if (t->p & LAIP_W_PLURAL && before == NN && i && t[-1].p & LAIP_W_PERSON &&
        (object || (unknown && t[1].p & (LAIP_W_PREPOSITION | LAIP_W_ADVERB))))
        return VBZ;
    return plain_noun(s, i);
}
