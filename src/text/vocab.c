/* Reading a vocabulary: lines to tokens, tokens to a trie. */
#include "text/vocab.h"

#include "base/file.h"
#include "text/unicode.h"
#include <stdlib.h>
#include <string.h>

const char *const laip_special_names[LAIP_SPECIALS] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

/* State and byte share 32 bits of an edge's key. */
enum { MOST_STATES = (1 << 24) - 2 };

static void place(laip_tokenizer *t, laip_trie_edge edge)
{
    size_t mask = t->edge_capacity - 1, i = (edge.key * 2654435769u >> 8) & mask;
    while (t->edges[i].key)
        i = (i + 1) & mask;
    t->edges[i] = edge;
}

static void grow_edges(laip_tokenizer *t)
{
    laip_trie_edge *old = t->edges;
    size_t size = t->edge_capacity;
    t->edge_capacity = size ? 2 * size : 1024;
    t->edges = laip_alloc(t->edge_capacity, sizeof *t->edges);
    for (size_t i = 0; i < size; i++)
        if (old[i].key)
            place(t, old[i]);
    free(old);
}

static uint32_t new_state(laip_tokenizer *t)
{
    void *values = t->values;
    laip_grow(&values, &t->states_capacity, t->states + 1, sizeof *t->values);
    t->values = values;
    t->values[t->states] = -1;
    return (uint32_t)t->states++;
}

/* Adds the token of the next id. */
static bool add(laip_tokenizer *t, const char *name, const char *token, size_t length, laip_error *error)
{
    if (!laip_utf8_valid(token, length) || memchr(token, 0, length))
        return laip_bad_input(error, "%s:%zu: this token is not UTF-8 text", name, t->count + 1);
    if (t->count >= INT32_MAX - 1 || t->states + length > MOST_STATES)
        return laip_bad_input(
            error, "%s:%zu: vocabulary too large: its tokens have more than %d different beginnings", name,
            t->count + 1, MOST_STATES);
    void *tokens = t->tokens;
    laip_grow(&tokens, &t->token_capacity, t->count + 1, sizeof *t->tokens);
    t->tokens = tokens;
    t->tokens[t->count] = laip_arena_strndup(&t->arena, token, length);
    uint32_t state = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)token[i];
        uint32_t next = laip_trie_step(t, state, byte);
        if (!next) {
            next = new_state(t);
            if (2 * (t->edge_count + 1) > t->edge_capacity)
                grow_edges(t);
            place(t, (laip_trie_edge){(state << 8 | byte) + 1, next});
            t->edge_count++;
        }
        state = next;
    }
    if (state)
        t->values[state] = (int32_t)t->count;
    t->count++;
    return true;
}

static laip_tokenizer *begin(void)
{
    laip_tokenizer *t = laip_alloc(1, sizeof *t);
    grow_edges(t);
    new_state(t);
    return t;
}

static laip_tokenizer *finish(laip_tokenizer *t, const char *name, laip_error *error)
{
    for (int i = 0; i < LAIP_SPECIALS; i++) {
        t->specials[i] = laip_tokenizer_id(t, laip_special_names[i]);
        if (t->specials[i] < 0) {
            laip_bad_input(error, "%s: no token %s among its %zu, which every BERT vocabulary has", name,
                           laip_special_names[i], t->count);
            laip_tokenizer_free(t);
            return NULL;
        }
    }
    uint32_t one = laip_trie_step(t, 0, '#');
    t->inside = one ? laip_trie_step(t, one, '#') : 0;
    return t;
}

/* The length of a line without the white space at its end. */
static size_t trimmed(const char *line, size_t length)
{
    while (length) {
        size_t at = length - 1, taken;
        while (at > 0 && ((unsigned char)line[at] & 0xc0) == 0x80)
            at--;
        if (!laip_is_white(laip_utf8_decode(line + at, length - at, &taken)) || at + taken != length)
            break;
        length = at;
    }
    return length;
}

laip_tokenizer *laip_tokenizer_parse(const char *name, const char *text, size_t length, laip_error *error)
{
    laip_tokenizer *t = begin();
    const char *end = text + length;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line = (size_t)((newline ? newline : end) - text);
        if (!add(t, name, text, trimmed(text, line), error)) {
            laip_tokenizer_free(t);
            return NULL;
        }
        text += line + (newline != NULL);
    }
    return finish(t, name, error);
}

laip_tokenizer *laip_tokenizer_load(const char *path, laip_error *error)
{
    char *text;
    size_t size;
    if (!laip_file_read(path, &text, &size, error))
        return NULL;
    laip_tokenizer *t = laip_tokenizer_parse(path, text, size, error);
    free(text);
    return t;
}

laip_tokenizer *laip_tokenizer_from_words(const char *const *words, size_t count, laip_error *error)
{
    laip_tokenizer *t = begin();
    for (size_t i = 0; i < count; i++)
        if (!add(t, "vocabulary", words[i], strlen(words[i]), error)) {
            laip_tokenizer_free(t);
            return NULL;
        }
    return finish(t, "vocabulary", error);
}

void laip_tokenizer_free(laip_tokenizer *t)
{
    if (!t)
        return;
    laip_arena_free(&t->arena);
    free(t->tokens);
    free(t->edges);
    free(t->values);
    free(t);
}

size_t laip_tokenizer_size(const laip_tokenizer *t)
{
    return t->count;
}

int32_t laip_tokenizer_special(const laip_tokenizer *t, laip_special which)
{
    return t->specials[which];
}

const char *laip_tokenizer_token(const laip_tokenizer *t, int32_t id)
{
    return id >= 0 && (size_t)id < t->count ? t->tokens[id] : NULL;
}

int32_t laip_tokenizer_id(const laip_tokenizer *t, const char *token)
{
    uint32_t state = 0;
    for (; *token; token++) {
        state = laip_trie_step(t, state, (unsigned char)*token);
        if (!state)
            return -1;
    }
    return t->values[state];
}
