/* Our tagger.  Each token has the properties of the lexicon; from left to right they are narrowed down to a
 * tag by what stands before (tagged already) and what comes next (its properties).  A participle or gerund
 * that is part of a noun phrase is JJ (VBN after an adverb), one that is the verb of a clause is VBN, VBD or
 * VBG.  So a chunk grammar over adjectives and nouns finds the phrases. */
#include "phrases/tag_rules.h"

#include "phrases/tag_context.h"
#include "text/unicode.h"
#include <stdlib.h>
#include <string.h>

const char *const laip_rule_tag_names[LAIP_RULE_TAGS] = {
    "CC",  "CD",   "DT", "EX", "IN", "JJ", "JJR", "JJS", "MD",  "NN",     "NNS", "POS",
    "PRP", "PRP$", "RB", "RP", "TO", "VB", "VBD", "VBG", "VBN", "VBP",    "VBZ", "WDT",
    "WP",  ",",    ".",  ":",  "(",  ")",  "``",  "''",  "SYM", "-START-"};

/* Words with a life of their own; START when this is none of them. */
static uint8_t special_word(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    if (is(t, "that") || is(t, "which"))
        return laip_tag_nominal(t + 1) && before != NN && before != NNS && before != VBN ? DT : WDT;
    if (is(t, "who") || is(t, "whom") || is(t, "what"))
        return WP;
    if (is(t, "there"))
        return t[1].p & LAIP_W_BE ? EX : RB;
    if (is(t, "her"))
        return laip_tag_nominal(t + 1) || t[1].p & (LAIP_W_PAST | LAIP_W_GERUND | LAIP_W_NUMBER) ? PRPS : PRP;
    if (is(t, "to"))
        return TO;
    if (is(t, "front") || is(t, "top"))
        return is(t + 1, "of") && i && any(t - 1, (const char *const[]){"in", "on", "over", NULL}) ? IN
                                                                                                   : START;
    if (is(t, "can") && opens_phrase(before))
        return NN;
    if (is(t, "next"))
        return is(t + 1, "to") ? IN : START;
    if (is(t, "down") &&
        any(t + 1, (const char *const[]){"jacket", "jackets", "coat", "vest", "parka", NULL}))
        return NN;
    if (is(t, "half"))
        return laip_tag_nominal(t + 1) &&
                       t[1].p & (LAIP_W_PAST | LAIP_W_TRAIT | LAIP_W_JOINED | LAIP_W_FASTENING)
                   ? JJ
                   : DT;
    if (is(t, "off")) {
        bool begins = opens_phrase(before) || before == VBG || before == VBZ || before == IN ||
                      before == CC || before == COMMA;
        bool modifier = t[1].p & LAIP_W_ADJECTIVE || is(t + 1, "shoulder");
        return begins && modifier && laip_tag_nominal(t + 1) && laip_tag_nominal(t + 2) ? JJ : START;
    }
    if (is(t, "back")) {
        if (before == VBN || before == VBD || before == VBG || before == VBZ)
            return RB;
        return laip_tag_nominal(t + 1) ? JJ : NN;
    }
    if (is(t, "round"))
        return laip_tag_nominal(t + 1) && before != VBG && before != VBN ? JJ : START;
    if (is(t, "cut") && laip_tag_be_before(s, i))
        return VBN;
    if (is(t, "cut") && !laip_tag_nominal(t + 1))
        return (before == NN || before == JJ) && !is(t - 1, "hair") ? NN : START;
    if (is(t, "cut") && before == NN && is(t - 1, "hair"))
        return VBN;
    if (is(t, "like"))
        return before == TO || before == PRP ? VB : IN;
    if (is(t, "pretty") || is(t, "well"))
        return is(t, "pretty") && (before == DT || before == CC) && t[1].p & LAIP_W_NOUN ? JJ : RB;
    return START;
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
    if (t->p & LAIP_W_PARTICLE && !laip_tag_nominal(t + 1) &&
        !(t[1].p & (LAIP_W_DET | LAIP_W_POSSESSIVE | LAIP_W_NUMBER)))
        return RP;
    return IN;
}

/* "button down shirt", "rolled up jeans": the word and its particle are modifiers. */
static bool fastening(const sentence *s, size_t i)
{
    const token *t = &s->t[i];
    uint8_t before = tag_before(s, i, 1);
    static const char *const particles[] = {"up",   "down",   "on",      "off",  "out", "back",
                                            "over", "around", "through", "away", NULL};
    bool tucked = is(t, "tucked") && is(t + 1, "in") && opens_phrase(before);
    if (!(t->p & LAIP_W_FASTENING) || !(any(t + 1, particles) || tucked))
        return false;
    if (before == TO || before == MD || before == PRP || before == WP || laip_tag_be_before(s, i))
        return false;
    if (t->p & LAIP_W_PAST && !(t->p & LAIP_W_NOUN) &&
        (before == NNS || (before == NN && !laip_tag_stuff_before(s, i))))
        return false;
    bool past = t->p & LAIP_W_PAST,
         noun_after = laip_tag_nominal(t + 2) && !(t[2].p & LAIP_W_VERB_S && !(t[2].p & LAIP_W_NOUN));
    if (noun_after) {
        /* "hair cut off black shirt" does not occur; "cut on top" does. */
        return !(past && (before == NN || before == NNS) && !opens_phrase(before));
    }
    return !past && (opens_phrase(before) || laip_tag_stuff_before(s, i)) &&
           !(t[2].p & (LAIP_W_DET | LAIP_W_POSSESSIVE)) &&
           any(t + 1, (const char *const[]){"up", "down", "on", "over", NULL}) &&
           any(t, (const char *const[]){"button", "zip", "lace", "pull", "slip", "snap", "cover", NULL});
}

/* "over the knee boots", "off the shoulder top": three words that make a modifier. */
static bool place_modifier(const token *t)
{
    return any(t, (const char *const[]){"over", "above", "below", "off", NULL}) && is(t + 1, "the") &&
           t[2].p & LAIP_W_TRAIT && t[2].p & LAIP_W_THING && t[3].p & LAIP_W_THING &&
           !(t[3].p & LAIP_W_VERB_S && t[4].p & LAIP_W_DET);
}

static bool is_ending(const sentence *s, size_t i)
{
    const char *w = s->t[i].low;
    size_t quote = strncmp(w, "\xe2\x80\x99", 3) == 0 ? 3 : w[0] == '\'';
    return is(&s->t[i], "n't") || (quote && w[quote]) || strncmp(w, "n\xe2\x80\x99", 4) == 0;
}

/* 's is a verb after a pronoun, and then what follows is its complement. */
static uint8_t ending_tag(sentence *s, size_t i)
{
    uint8_t before = tag_before(s, i, 1);
    const char *w = s->t[i].low;
    if (w[0] == 'n')
        return RB;
    bool possessive =
        w[strlen(w) - 1] == 's' && before != PRP && before != WP && before != EX && before != RB;
    s->t[i].p = possessive ? 0 : LAIP_W_BE;
    return possessive ? POS : VBZ;
}

static uint8_t mark(const char *text)
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

/* A noun with modifiers after it is one itself, unless it is what phrases end with: cable knit sweater, oil
 * stained rag. */
static void join_modifiers(sentence *s)
{
    for (size_t i = s->count; i-- > 1;) {
        const token *t = &s->t[i - 1];
        uint8_t before = tag_before(s, i - 1, 1);
        if (s->tags[i] != JJ || s->tags[i - 1] != NN || t->p & (LAIP_W_PERSON | LAIP_W_ADJECTIVE))
            continue;
        if (t->p & LAIP_W_THING && !(t->p & (LAIP_W_STUFF | LAIP_W_TRAIT)))
            continue;
        bool participle_after =
            t[1].p & (LAIP_W_PAST | LAIP_W_GERUND | LAIP_W_FASTENING) && before != NN && before != NNS;
        bool goes_on = i + 1 < s->count && s->tags[i + 1] != CC;
        if (goes_on && (opens_phrase(before) || participle_after))
            s->tags[i - 1] = JJ;
    }
}

/* "hair is shoulder length": a predicate, no noun phrase. */
static void measure_predicates(sentence *s)
{
    for (size_t i = 1; i < s->count; i++)
        if (s->tags[i] == NN && is(&s->t[i], "length") && laip_tag_be_before(s, i - 1))
            s->tags[i] = s->tags[i - 1] = JJ;
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
    return tag == START ? laip_tag_open_class(s, i) : tag;
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
        if (is_ending(&s, i))
            tags[i] = ending_tag(&s, i);
        else if (!t->p)
            tags[i] = lengths[i] ? mark(tokens[i]) : SYM;
        else if (place_modifier(t)) {
            memset(tags + i, JJ, 3);
            i += 2;
        } else if (fastening(&s, i)) {
            bool followed = laip_tag_nominal(t + 2);
            tags[i] = followed ? JJ : NN;
            tags[i + 1] = followed ? JJ : NN;
            i++;
        } else
            tags[i] = word_tag(&s, i);
        if (i && tags[i] == JJ && tags[i - 1] == NN && t->p & LAIP_W_PAST && !(t->p & LAIP_W_ADJECTIVE))
            tags[i - 1] = JJ; /* fur trimmed */
    }
    join_modifiers(&s);
    measure_predicates(&s);
    part_predicates(&s);
    free(all);
}
