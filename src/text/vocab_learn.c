/* Learning a WordPiece vocabulary by merging the most frequent pair of neighbours (text/tokenizer.h).  Words
 * are kept once with their counts; each pair knows the words that it was ever seen in, so that a merge
 * touches only those. */
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "text/caption.h"
#include "text/unicode.h"
#include "text/vocab.h"
#include "text/words.h"

#include <stdlib.h>
#include <string.h>

typedef struct word {
    uint32_t *tokens; /* symbols, in order */
    size_t count;
    int64_t times; /* it was seen */
} word;

typedef struct symbol {
    const char *text;
    int64_t times;
} symbol;

typedef struct pair {
    uint32_t left, right;
    int64_t times;
    uint32_t *words;
    size_t word_count, word_capacity;
} pair;

typedef struct learner {
    laip_arena arena;
    laip_map word_of, symbol_of, pair_of;
    word *words;
    symbol *symbols;
    pair *pairs;
    size_t word_count, word_capacity, symbol_count, symbol_capacity, pair_count, pair_capacity;
} learner;

static uint32_t intern_symbol(learner *l, const char *text, size_t length)
{
    int32_t id;
    if (laip_map_get(&l->symbol_of, text, length, &id))
        return (uint32_t)id;
    void *symbols = l->symbols;
    laip_grow(&symbols, &l->symbol_capacity, l->symbol_count + 1, sizeof *l->symbols);
    l->symbols = symbols;
    l->symbols[l->symbol_count] = (symbol){laip_arena_strndup(&l->arena, text, length), 0};
    laip_map_set(&l->symbol_of, text, length, (int32_t)l->symbol_count);
    return (uint32_t)l->symbol_count++;
}

/* Cuts a new word into characters. */
static void add_word(learner *l, const char *bytes, size_t size)
{
    void *words = l->words;
    laip_grow(&words, &l->word_capacity, l->word_count + 1, sizeof *l->words);
    l->words = words;
    word *w = &l->words[l->word_count];
    *w = (word){laip_arena_alloc(&l->arena, size, sizeof *w->tokens), 0, 0};
    laip_map_set(&l->word_of, bytes, size, (int32_t)l->word_count++);
    for (size_t i = 0, taken; i < size; i += taken) {
        laip_utf8_decode(bytes + i, size - i, &taken);
        char text[8] = "##";
        memcpy(text + 2, bytes + i, taken);
        w->tokens[w->count++] = intern_symbol(l, i ? text : text + 2, i ? taken + 2 : taken);
    }
}

static void count_words(learner *l, const char *text, size_t length)
{
    laip_words words;
    words.text = text;
    words.at = 0;
    words.end = length;
    while (laip_words_next(&words)) {
        int32_t id;
        if (words.characters > LAIP_WORD_CHARACTERS)
            continue;
        if (!laip_map_get(&l->word_of, words.bytes, words.size, &id)) {
            add_word(l, words.bytes, words.size);
            id = (int32_t)l->word_count - 1;
        }
        l->words[id].times++;
    }
}

static int more_frequent(const void *a, const void *b)
{
    const symbol *x = a, *y = b;
    return x->times != y->times ? (x->times < y->times ? 1 : -1) : strcmp(x->text, y->text);
}

static int in_byte_order(const void *a, const void *b)
{
    return strcmp(((const symbol *)a)->text, ((const symbol *)b)->text);
}

/* The characters that stay, at most `room`, in byte order; words with another one are left out of the
 * merging. Symbols are numbered afresh. */
static void choose_alphabet(learner *l, size_t room)
{
    for (size_t i = 0; i < l->word_count; i++)
        for (size_t k = 0; k < l->words[i].count; k++)
            l->symbols[l->words[i].tokens[k]].times += l->words[i].times;
    size_t all = l->symbol_count, kept = all < room ? all : room;
    if (!all)
        return;
    symbol *sorted = laip_alloc(all, sizeof *sorted);
    memcpy(sorted, l->symbols, all * sizeof *sorted);
    qsort(sorted, all, sizeof *sorted, more_frequent);
    qsort(sorted, kept, sizeof *sorted, in_byte_order);
    uint32_t *renumbered = laip_alloc(all, sizeof *renumbered);
    for (size_t i = 0; i < all; i++) {
        int32_t old = 0;
        laip_map_get(&l->symbol_of, sorted[i].text, strlen(sorted[i].text), &old);
        renumbered[old] = (uint32_t)i;
    }
    for (size_t i = 0; i < l->word_count; i++) {
        word *w = &l->words[i];
        bool whole = true;
        for (size_t k = 0; k < w->count; k++) {
            w->tokens[k] = renumbered[w->tokens[k]];
            whole = whole && w->tokens[k] < kept;
        }
        if (!whole)
            w->count = 0;
    }
    memcpy(l->symbols, sorted, all * sizeof *sorted);
    l->symbol_count = kept;
    laip_map_free(&l->symbol_of);
    l->symbol_of = (laip_map){0};
    for (size_t i = 0; i < kept; i++)
        laip_map_set(&l->symbol_of, sorted[i].text, strlen(sorted[i].text), (int32_t)i);
    free(sorted);
    free(renumbered);
}

static pair *find_pair(learner *l, uint32_t left, uint32_t right)
{
    uint32_t key[2] = {left, right};
    int32_t id;
    if (laip_map_get(&l->pair_of, (const char *)key, sizeof key, &id))
        return &l->pairs[id];
    void *pairs = l->pairs;
    laip_grow(&pairs, &l->pair_capacity, l->pair_count + 1, sizeof *l->pairs);
    l->pairs = pairs;
    l->pairs[l->pair_count] = (pair){left, right, 0, NULL, 0, 0};
    laip_map_set(&l->pair_of, (const char *)key, sizeof key, (int32_t)l->pair_count);
    return &l->pairs[l->pair_count++];
}

/* Adds (sign 1) or takes away (sign -1) the pairs of a word. */
static void count_pairs(learner *l, uint32_t id, int sign)
{
    const word *w = &l->words[id];
    for (size_t k = 0; k + 1 < w->count; k++) {
        pair *p = find_pair(l, w->tokens[k], w->tokens[k + 1]);
        p->times += sign * w->times;
        if (sign < 0 || (p->word_count && p->words[p->word_count - 1] == id))
            continue;
        void *words = p->words;
        laip_grow(&words, &p->word_capacity, p->word_count + 1, sizeof *p->words);
        p->words = words;
        p->words[p->word_count++] = id;
    }
}

static size_t best_pair(const learner *l)
{
    size_t best = l->pair_count;
    for (size_t i = 0; i < l->pair_count; i++) {
        const pair *p = &l->pairs[i];
        if (p->times < 2 || (best < l->pair_count && p->times < l->pairs[best].times))
            continue;
        if (best < l->pair_count && p->times == l->pairs[best].times) {
            const pair *b = &l->pairs[best];
            int order = strcmp(l->symbols[p->left].text, l->symbols[b->left].text);
            if (order == 0)
                order = strcmp(l->symbols[p->right].text, l->symbols[b->right].text);
            if (order > 0)
                continue;
        }
        best = i;
    }
    return best;
}

/* Replaces the pair by one symbol wherever it stands. */
static void merge(learner *l, size_t best)
{
    uint32_t left = l->pairs[best].left, right = l->pairs[best].right;
    laip_str text = {0};
    laip_str_adds(&text, l->symbols[left].text);
    laip_str_adds(&text, l->symbols[right].text + 2);
    uint32_t joined = intern_symbol(l, text.text, text.length);
    free(text.text);
    uint32_t *ids = l->pairs[best].words;
    size_t count = l->pairs[best].word_count;
    l->pairs[best].words = NULL;
    l->pairs[best].word_count = l->pairs[best].word_capacity = 0;
    for (size_t i = 0; i < count; i++) {
        word *w = &l->words[ids[i]];
        count_pairs(l, ids[i], -1);
        size_t out = 0;
        for (size_t k = 0; k < w->count; k++) {
            bool here = w->tokens[k] == left && k + 1 < w->count && w->tokens[k + 1] == right;
            w->tokens[out++] = here ? joined : w->tokens[k];
            k += here;
        }
        w->count = out;
        count_pairs(l, ids[i], 1);
    }
    free(ids);
}

static void learner_free(learner *l)
{
    for (size_t i = 0; i < l->pair_count; i++)
        free(l->pairs[i].words);
    laip_arena_free(&l->arena);
    laip_map_free(&l->word_of);
    laip_map_free(&l->symbol_of);
    laip_map_free(&l->pair_of);
    free(l->words);
    free(l->symbols);
    free(l->pairs);
}

bool laip_vocab_learn(const char *const *captions, size_t caption_count, laip_caption_rule rule, size_t size,
                      char ***words, size_t *count, laip_error *error)
{
    if (size <= LAIP_SPECIALS || size > INT32_MAX)
        return laip_bad_input(
            error, "a vocabulary of %zu tokens: expected %d, of which %d are [PAD] and the like, to %d", size,
            LAIP_SPECIALS + 1, LAIP_SPECIALS, INT32_MAX);
    enum { WORDS = 64 }; /* room to begin with */
    learner l = {.words = laip_alloc(WORDS, sizeof *l.words), .word_capacity = WORDS};
    laip_tokens scratch = {0};
    for (size_t i = 0; i < caption_count; i++) {
        size_t length = strlen(captions[i]);
        if (rule != LAIP_RULE_NONE) {
            length = laip_caption_rule_apply(captions[i], length, rule, 0, &scratch);
            count_words(&l, scratch.scratch, length);
        } else
            count_words(&l, captions[i], length);
    }
    laip_tokens_free(&scratch);
    choose_alphabet(&l, size - LAIP_SPECIALS);
    for (size_t i = 0; i < l.word_count; i++)
        count_pairs(&l, (uint32_t)i, 1);
    while (l.symbol_count < size - LAIP_SPECIALS) {
        size_t best = best_pair(&l);
        if (best == l.pair_count)
            break;
        merge(&l, best);
    }
    *count = l.symbol_count + LAIP_SPECIALS;
    *words = laip_alloc(*count, sizeof **words);
    for (size_t i = 0; i < *count; i++)
        (*words)[i] =
            laip_strdup(i < LAIP_SPECIALS ? laip_special_names[i] : l.symbols[i - LAIP_SPECIALS].text);
    learner_free(&l);
    return true;
}

bool laip_vocab_save(const char *path, char *const *words, size_t count, laip_error *error)
{
    laip_str text = {0};
    for (size_t i = 0; i < count; i++) {
        laip_str_adds(&text, words[i]);
        laip_str_add(&text, "\n", 1);
    }
    bool good = laip_file_write(path, laip_str_text(&text), text.length, error);
    free(text.text);
    return good;
}

void laip_vocab_free(char **words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(words[i]);
    free(words);
}
