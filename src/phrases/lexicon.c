/* Building the lexicon: word lists, and the regular forms of verbs and nouns. */
#include "phrases/lexicon.h"

#include <string.h>

static void add(laip_map *map, const char *word, size_t length, uint32_t properties)
{
    int32_t known = 0;
    laip_map_get(map, word, length, &known);
    laip_map_set(map, word, length, (int32_t)((uint32_t)known | properties));
}

static void add_ending(laip_map *map, const char *stem, size_t length, const char *ending,
                       uint32_t properties)
{
    char word[64];
    size_t n = strlen(ending);
    if (length + n > sizeof word)
        return;
    memcpy(word, stem, length);
    memcpy(word + length, ending, n);
    add(map, word, length + n, properties);
}

static bool is_vowel(char c)
{
    return strchr("aeiou", c) != NULL;
}

/* Whether -s makes -es of this word. */
static bool hisses(const char *w, size_t n)
{
    char a = w[n - 1], b = n > 1 ? w[n - 2] : 0;
    return a == 's' || a == 'x' || a == 'z' || (a == 'h' && (b == 'c' || b == 's'));
}

static void add_s(laip_map *map, const char *w, size_t n, uint32_t properties)
{
    if (w[n - 1] == 'y' && n > 1 && !is_vowel(w[n - 2]))
        add_ending(map, w, n - 1, "ies", properties);
    else
        add_ending(map, w, n, hisses(w, n) ? "es" : "s", properties);
}

static void add_verb(laip_map *map, const char *w, size_t n, uint32_t properties)
{
    bool twice = w[n - 1] == '+';
    n -= twice;
    add(map, w, n, LAIP_W_VERB | properties);
    add_s(map, w, n, LAIP_W_VERB_S);
    char stem[64];
    if (n + 2 > sizeof stem)
        return;
    memcpy(stem, w, n);
    stem[n] = w[n - 1];
    if (w[n - 1] == 'e') {
        add_ending(map, w, n, "d", LAIP_W_PAST);
        if (w[n - 2] == 'i') {
            memcpy(stem + n - 2, "y", 1);
            add_ending(map, stem, n - 1, "ing", LAIP_W_GERUND);
        } else
            add_ending(map, w, n - 1, "ing", LAIP_W_GERUND);
        return;
    }
    size_t size = n + twice;
    add_ending(map, stem, size, "ing", LAIP_W_GERUND);
    if (w[n - 1] == 'y' && !is_vowel(w[n - 2]))
        add_ending(map, w, n - 1, "ied", LAIP_W_PAST);
    else
        add_ending(map, stem, size, "ed", LAIP_W_PAST);
}

static void add_noun(laip_map *map, const char *w, size_t n, uint32_t properties)
{
    add(map, w, n, LAIP_W_NOUN | properties);
    add_s(map, w, n, LAIP_W_NOUN | LAIP_W_PLURAL | properties);
}

static void each(laip_map *map, const laip_lexicon_list *list,
                 void (*take)(laip_map *, const char *, size_t, uint32_t))
{
    for (; list->words; list++)
        for (const char *w = list->words; *w;) {
            size_t n = strcspn(w, " ");
            if (n)
                take(map, w, n, list->properties);
            w += n + (w[n] == ' ');
        }
}

void laip_lexicon_build(laip_map *map)
{
    each(map, laip_lexicon_words, add);
    each(map, laip_lexicon_nouns, add_noun);
    each(map, laip_lexicon_verbs, add_verb);
}

static bool ends(const char *w, size_t n, const char *ending)
{
    size_t e = strlen(ending);
    return n > e + 2 && memcmp(w + n - e, ending, e) == 0;
}

/* A word that no list has. */
static uint32_t guess(const char *w, size_t n)
{
    static const char *const adjectives[] = {"ish",     "ous",      "ful",       "less",   "able",  "ible",
                                             "ive",     "ical",     "esque",     "like",   "-fit",  "proof",
                                             "-length", "-colored", "-coloured", "-style", "-high", "-sized"};
    if (ends(w, n, "ly"))
        return LAIP_W_ADVERB;
    for (size_t i = 0; i < sizeof adjectives / sizeof *adjectives; i++)
        if (ends(w, n, adjectives[i]))
            return LAIP_W_ADJECTIVE;
    if (ends(w, n, "ed"))
        return LAIP_W_PAST;
    if (ends(w, n, "ing"))
        return LAIP_W_GERUND;
    if (ends(w, n, "s") && w[n - 2] != 's' && w[n - 2] != 'u')
        return LAIP_W_NOUN | LAIP_W_PLURAL;
    if (w[n - 1] == 'y' && n > 4 && !is_vowel(w[n - 2]))
        return LAIP_W_ADJECTIVE | LAIP_W_NOUN; /* strappy */
    return LAIP_W_NOUN;
}

uint32_t laip_lexicon_find(const laip_map *map, const char *word, size_t length)
{
    int32_t found;
    if (laip_map_get(map, word, length, &found))
        return (uint32_t)found;
    if (word[0] >= '0' && word[0] <= '9')
        return LAIP_W_NUMBER;
    const char *last = word;
    for (size_t i = 0; i + 1 < length; i++)
        if (word[i] == '-')
            last = word + i + 1;
    size_t rest = length - (size_t)(last - word);
    if (last == word)
        return guess(word, length);
    /* Of a word with a hyphen the last part tells: knee-length, fur-trimmed, t-shirt, lace-up. */
    uint32_t p = laip_map_get(map, last, rest, &found) ? (uint32_t)found : guess(last, rest);
    if (p & (LAIP_W_PARTICLE | LAIP_W_PREPOSITION | LAIP_W_GERUND))
        return LAIP_W_ADJECTIVE | LAIP_W_NOUN;
    if (p & (LAIP_W_PAST | LAIP_W_ADJECTIVE | LAIP_W_NUMBER))
        return LAIP_W_ADJECTIVE;
    return (p & (LAIP_W_PLURAL | LAIP_W_TRAIT | LAIP_W_THING | LAIP_W_PERSON)) | LAIP_W_NOUN;
}
