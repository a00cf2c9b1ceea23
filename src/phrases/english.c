/* The words of an English text (phrases/phrases.h). */
#include "base/memory.h"
#include "phrases/phrases.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

typedef struct cursor {
    const char *text;
    size_t length;
} cursor;

static void add(laip_spans *out, size_t start, size_t end)
{
    if (out->count == out->capacity) {
        out->capacity = out->capacity ? 2 * out->capacity : 64;
        out->start = laip_realloc(out->start, out->capacity, sizeof *out->start);
        out->end = laip_realloc(out->end, out->capacity, sizeof *out->end);
    }
    out->start[out->count] = (uint32_t)start;
    out->end[out->count++] = (uint32_t)end;
}

/* The character at a place, 0 beyond the text. */
static uint32_t at(const cursor *c, size_t i, size_t *taken)
{
    *taken = 1;
    return i < c->length ? laip_utf8_decode(c->text + i, c->length - i, taken) : 0;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c | 32) >= 'a' && (c | 32) <= 'z';
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
           (k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME) ||
           (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

static bool in_word(uint32_t c)
{
    return is_letter(c) || is_digit(c);
}

static bool is_apostrophe(uint32_t c)
{
    return c == '\'' || c == 0x2019;
}

/* Whether a mark between two word characters leaves them one word. */
static bool joins(uint32_t before, uint32_t mark, uint32_t after)
{
    if (!in_word(before) || !in_word(after))
        return false;
    if (mark == '-' || mark == '_' || mark == 0x2010 || mark == 0x2011 || is_apostrophe(mark))
        return true;
    return (mark == '.' || mark == ',' || mark == '/' || mark == ':') && is_digit(before) && is_digit(after);
}

/* The end of the run of word characters that begins at i. */
static size_t word_end(const cursor *c, size_t i)
{
    uint32_t before = 0;
    for (;;) {
        size_t taken, next;
        uint32_t mark = at(c, i, &taken);
        if (i >= c->length)
            return i;
        if (!in_word(mark) && !joins(before, mark, at(c, i + taken, &next)))
            return i;
        before = mark;
        i += taken;
    }
}

/* Where the ending that a treebank sets apart begins in the word [from, to): 's 're 've 'll 'd 'm n't; else
 * to. */
static size_t ending(const cursor *c, size_t from, size_t to)
{
    static const char *const endings[] = {"'s", "'re", "'ve", "'ll", "'d", "'m", "n't"};
    size_t size = to - from;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (size > n && strncasecmp(c->text + to - n, endings[i], n) == 0)
            return to - n;
    }
    /* The typographic apostrophe has three bytes. */
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const char *tail = strchr(endings[i], '\'') + 1;
        size_t n = strlen(tail), lead = (size_t)(tail - endings[i]) - 1, whole = lead + 3 + n;
        const char *s = c->text + to - n - 3;
        if (size > whole && strncasecmp(s + 3, tail, n) == 0 && memcmp(s, "\xe2\x80\x99", 3) == 0 &&
            strncasecmp(s - lead, endings[i], lead) == 0)
            return to - whole;
    }
    return to;
}

void laip_english_words(const char *text, size_t length, laip_spans *out)
{
    cursor c = {text, length};
    out->count = 0;
    for (size_t i = 0; i < length;) {
        size_t taken;
        uint32_t first = at(&c, i, &taken);
        if (laip_is_white(first) || laip_is_other(first) || first == LAIP_REPLACEMENT) {
            i += taken;
            continue;
        }
        size_t end = in_word(first) ? word_end(&c, i) : i + taken;
        size_t cut = in_word(first) ? ending(&c, i, end) : end;
        add(out, i, cut);
        if (cut < end)
            add(out, cut, end);
        i = end;
    }
}

void laip_spans_free(laip_spans *spans)
{
    free(spans->start);
    free(spans->end);
    *spans = (laip_spans){0};
}
