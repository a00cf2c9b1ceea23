/* WordPiece: words to the longest tokens of the vocabulary, from left to right. */
#include "text/caption.h"
#include "text/vocab.h"
#include "text/words.h"

#include <stdlib.h>
#include <string.h>

/* What one call works on: limit is the number of tokens kept before [SEP]. */
typedef struct work {
    const laip_tokenizer *t;
    laip_tokens *out;
    size_t limit;
    int32_t word;
} work;

static void reserve(laip_tokens *out, size_t needed)
{
    if (needed <= out->capacity)
        return;
    size_t capacity = out->capacity ? out->capacity : 64;
    while (capacity < needed)
        capacity *= 2;
    out->ids = laip_realloc(out->ids, capacity, sizeof *out->ids);
    out->start = laip_realloc(out->start, capacity, sizeof *out->start);
    out->end = laip_realloc(out->end, capacity, sizeof *out->end);
    out->word = laip_realloc(out->word, capacity, sizeof *out->word);
    out->capacity = capacity;
}

static void emit(laip_tokens *out, int32_t id, size_t start, size_t end, int32_t word)
{
    reserve(out, out->count + 1);
    size_t i = out->count++;
    out->ids[i] = id;
    out->start[i] = (uint32_t)start;
    out->end[i] = (uint32_t)end;
    out->word[i] = word;
}

static void emit_limited(work *w, int32_t id, size_t start, size_t end)
{
    if (w->out->count < w->limit)
        emit(w->out, id, start, end, w->word);
    else
        w->out->cut++;
}

/* The tokens of a word: ids and where each ends; 0 when it cannot be cut. */
static size_t cut_word(const laip_tokenizer *t, const char *bytes, size_t size, int32_t ids[], size_t ends[])
{
    size_t count = 0, at = 0;
    while (at < size) {
        uint32_t state = at ? t->inside : 0;
        if (at && !state)
            return 0;
        size_t best = 0;
        for (size_t i = at; i < size; i++) {
            state = laip_trie_step(t, state, (unsigned char)bytes[i]);
            if (!state)
                break;
            if (t->values[state] >= 0) {
                best = i + 1;
                ids[count] = t->values[state];
            }
        }
        if (!best)
            return 0;
        ends[count++] = at = best;
    }
    return count;
}

static void add_words(work *w, const char *text, size_t from, size_t to)
{
    laip_words words;
    words.text = text;
    words.at = from;
    words.end = to;
    while (laip_words_next(&words)) {
        int32_t ids[LAIP_WORD_BYTES];
        size_t ends[LAIP_WORD_BYTES], count = 0;
        if (words.characters <= LAIP_WORD_CHARACTERS)
            count = cut_word(w->t, words.bytes, words.size, ids, ends);
        if (count == 0)
            emit_limited(w, w->t->specials[LAIP_UNK], words.from, words.to);
        for (size_t i = 0, at = 0; i < count; at = ends[i++])
            emit_limited(w, ids[i], words.start[at], words.stop[ends[i] - 1]);
        w->word++;
    }
}

/* The special whose name stands at text, or -1. */
static int special_at(const char *text, size_t length, size_t *size)
{
    for (int i = 0; i < LAIP_SPECIALS; i++) {
        *size = strlen(laip_special_names[i]);
        if (length >= *size && memcmp(text, laip_special_names[i], *size) == 0)
            return i;
    }
    return -1;
}

static void add_text(work *w, const char *text, size_t length, bool literal)
{
    size_t from = 0, size;
    const char *bracket;
    for (size_t at = 0; !literal && at < length && (bracket = memchr(text + at, '[', length - at));) {
        at = (size_t)(bracket - text);
        int special = special_at(bracket, length - at, &size);
        if (special < 0) {
            at++;
            continue;
        }
        add_words(w, text, from, at);
        emit_limited(w, w->t->specials[special], at, at + size);
        w->word++;
        from = at += size;
    }
    add_words(w, text, from, length);
}

/* Places in the cleaned caption become places in the caption. */
static void map_back(laip_tokens *out)
{
    for (size_t i = 0; i < out->count; i++)
        if (out->word[i] >= 0) {
            out->start[i] = out->scratch_start[out->start[i]];
            out->end[i] = out->scratch_end[out->end[i] - 1];
        }
}

void laip_tokenize(const laip_tokenizer *t, const char *text, size_t length,
                   const laip_tokenize_options *options, laip_tokens *out)
{
    static const laip_tokenize_options plain = {0};
    if (!options)
        options = &plain;
    out->count = out->cut = out->cut_words = 0;
    size_t added = 1 + options->sep;
    work w = {t, out, SIZE_MAX, 0};
    if (options->max_tokens)
        w.limit = options->max_tokens > added ? options->max_tokens - options->sep : 1;
    emit(out, t->specials[LAIP_CLS], 0, 0, -1);
    if (options->rule != LAIP_RULE_NONE) {
        size_t size = laip_caption_rule_apply(text, length, options->rule, options->max_words, out);
        add_text(&w, out->scratch, size, options->literal_specials);
        map_back(out);
    } else
        add_text(&w, text, length, options->literal_specials);
    if (options->sep)
        emit(out, t->specials[LAIP_SEP], length, length, -1);
}

void laip_tokens_free(laip_tokens *tokens)
{
    free(tokens->ids);
    free(tokens->start);
    free(tokens->end);
    free(tokens->word);
    free(tokens->scratch);
    free(tokens->scratch_start);
    free(tokens->scratch_end);
    *tokens = (laip_tokens){0};
}
