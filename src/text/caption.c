/* The caption rule of ALBEF and RaSa (text/tokenizer.h says what it does), in three passes over one buffer:
 * characters, <person>, white space. */
#include "text/caption.h"

#include "base/memory.h"
#include "text/unicode.h"
#include <stdlib.h>
#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

/* Whether the word around byte `at` looks like a network or mail address, a path or a number. */
static bool in_address(const char *text, size_t length, size_t at)
{
    size_t from = at, to = at;
    while (from > 0 && !is_blank(text[from - 1]))
        from--;
    while (to < length && !is_blank(text[to]))
        to++;
    for (size_t i = from; i < to; i++)
        if (text[i] == '@' || text[i] == '/' || text[i] == '\\' || text[i] == '_' || text[i] == '&' ||
            text[i] == '=' || (text[i] == ':' && i + 1 < to))
            return true;
    return to - from > 4 && (memcmp(text + from, "www.", 4) == 0 || memcmp(text + from, "WWW.", 4) == 0);
}

/* The full stop at `at` stands between two words without the space that ought to follow it. */
static bool ends_sentence(const char *text, size_t length, size_t at)
{
    if (at < 2 || at + 1 >= length || !is_letter(text[at - 1]) || !is_letter(text[at - 2]) ||
        !is_letter(text[at + 1]))
        return false;
    if (is_capital(text[at + 1]) && !is_capital(text[at - 1]))
        return true;
    return at + 2 < length && is_letter(text[at + 2]) && !in_address(text, length, at);
}

static size_t put(laip_tokens *t, size_t size, uint32_t c, size_t from, size_t to)
{
    size_t added = laip_utf8_encode(c, t->scratch + size);
    for (size_t i = 0; i < added; i++) {
        t->scratch_start[size + i] = (uint32_t)from;
        t->scratch_end[size + i] = (uint32_t)to;
    }
    return size + added;
}

/* What becomes of an ASCII character. */
enum { KEPT, LOWERED, DELETED, BLANK, FULL_STOP };

static int fate(unsigned char c)
{
    switch (c) {
    case '-':
    case '/':
        return BLANK;
    case '.':
        return FULL_STOP;
    case ',':
    case '\'':
    case '!':
    case '?':
    case '"':
    case '(':
    case ')':
    case '*':
    case '#':
    case ':':
    case ';':
    case '~':
        return DELETED;
    default:
        return is_capital((char)c) ? LOWERED : KEPT;
    }
}

static size_t map_characters(const char *text, size_t length, laip_caption_rule rule, laip_tokens *t)
{
    size_t size = 0, taken;
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80) {
            uint32_t low[2];
            size_t count =
                laip_lower_at(text, length, i, laip_utf8_decode(text + i, length - i, &taken), low);
            for (size_t k = 0; k < count; k++)
                size = put(t, size, low[k], i, i + taken);
            i += taken;
            continue;
        }
        int f = fate(c);
        if (f == FULL_STOP)
            f = rule == LAIP_RULE_ALBEF && ends_sentence(text, length, i) ? BLANK : DELETED;
        if (f != DELETED) {
            t->scratch[size] = (char)(f == BLANK ? ' ' : f == LOWERED ? c + 32 : c);
            t->scratch_start[size] = (uint32_t)i;
            t->scratch_end[size++] = (uint32_t)i + 1;
        }
        i++;
    }
    return size;
}

static void move(laip_tokens *t, size_t to, size_t from)
{
    t->scratch[to] = t->scratch[from];
    t->scratch_start[to] = t->scratch_start[from];
    t->scratch_end[to] = t->scratch_end[from];
}

static size_t replace_person(laip_tokens *t, size_t size)
{
    if (!memchr(t->scratch, '<', size))
        return size;
    size_t out = 0;
    for (size_t i = 0; i < size;) {
        if (t->scratch[i] == '<' && size - i >= 8 && memcmp(t->scratch + i, "<person>", 8) == 0) {
            for (size_t k = 1; k < 7; k++)
                move(t, out++, i + k);
            i += 8;
        } else
            move(t, out++, i++);
    }
    return out;
}

/* What Python's \s matches. */
static bool is_python_space(uint32_t c)
{
    return laip_is_white(c) || (c >= 0x1c && c <= 0x1f);
}

static size_t unify_spaces(laip_tokens *t, size_t size)
{
    size_t out = 0, taken;
    for (size_t i = 0; i < size;) {
        unsigned char c = (unsigned char)t->scratch[i];
        if (c < 0x80 && !is_blank((char)c) && (c < 0x1c || c > 0x1f)) {
            if (out != i)
                move(t, out, i);
            out++;
            i++;
            continue;
        }
        size_t end = i, count = 0;
        while (end < size && is_python_space(laip_utf8_decode(t->scratch + end, size - end, &taken))) {
            end += taken;
            count++;
        }
        if (count < 2) {
            laip_utf8_decode(t->scratch + i, size - i, &taken);
            for (size_t k = 0; k < taken; k++)
                move(t, out++, i++);
            continue;
        }
        t->scratch_start[out] = t->scratch_start[i];
        t->scratch_end[out] = t->scratch_end[end - 1];
        t->scratch[out++] = ' ';
        i = end;
    }
    return out;
}

size_t laip_caption_rule_apply(const char *text, size_t length, laip_caption_rule rule, size_t max_words,
                               laip_tokens *t)
{
    /* A stray byte becomes a character of three. */
    size_t room = 3 * length + 8, capacity = t->scratch_capacity;
    if (!t->scratch || capacity < room) {
        t->scratch = laip_realloc(t->scratch, room, 1);
        t->scratch_start = laip_realloc(t->scratch_start, room, sizeof *t->scratch_start);
        t->scratch_end = laip_realloc(t->scratch_end, room, sizeof *t->scratch_end);
        t->scratch_capacity = room;
    }
    size_t size = unify_spaces(t, replace_person(t, map_characters(text, length, rule, t)));
    while (size && t->scratch[size - 1] == '\n')
        size--;
    while (size && t->scratch[size - 1] == ' ')
        size--;
    size_t from = 0;
    while (from < size && t->scratch[from] == ' ')
        from++;
    for (size_t i = from; from && i < size; i++)
        move(t, i - from, i);
    size -= from;
    size_t words = size > 0, keep = size;
    for (size_t i = 0; i < size; i++)
        if (t->scratch[i] == ' ' && ++words == max_words + 1 && max_words)
            keep = i;
    t->cut_words = max_words && words > max_words ? words - max_words : 0;
    return keep;
}

char *laip_caption_clean(const char *text, size_t length, size_t max_words)
{
    laip_tokens tokens = {0};
    size_t size = laip_caption_rule_apply(text, length, LAIP_RULE_ALBEF, max_words, &tokens);
    char *clean = laip_strndup(size ? tokens.scratch : "", size);
    laip_tokens_free(&tokens);
    return clean;
}
