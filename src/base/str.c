#include "base/str.h"

#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(laip_str *s, size_t more)
{
    void *text = s->text;
    laip_grow(&text, &s->capacity, s->length + more + 1, 1);
    s->text = text;
}

void laip_str_add(laip_str *s, const char *text, size_t length)
{
    reserve(s, length);
    memcpy(s->text + s->length, text, length);
    s->length += length;
    s->text[s->length] = '\0';
}

void laip_str_adds(laip_str *s, const char *text)
{
    laip_str_add(s, text, strlen(text));
}

void laip_str_addf(laip_str *s, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length > 0) {
        reserve(s, (size_t)length);
        vsnprintf(s->text + s->length, (size_t)length + 1, format, again);
        s->length += (size_t)length;
    }
    va_end(again);
}

void laip_str_add_json(laip_str *s, const char *text, size_t length)
{
    laip_str_add(s, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            laip_str_addf(s, "\\%c", c);
        else if (c == '\n')
            laip_str_adds(s, "\\n");
        else if (c == '\t')
            laip_str_adds(s, "\\t");
        else if (c < 0x20)
            laip_str_addf(s, "\\u%04x", c);
        else
            laip_str_add(s, text + i, 1);
    }
    laip_str_add(s, "\"", 1);
}

void laip_str_clear(laip_str *s)
{
    s->length = 0;
    if (s->text)
        s->text[0] = '\0';
}

const char *laip_str_text(const laip_str *s)
{
    return s->text ? s->text : "";
}

size_t laip_edit_distance(const char *a, const char *b)
{
    size_t n = strlen(b);
    size_t *row = laip_alloc(n + 1, sizeof *row);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    size_t distance = row[n];
    free(row);
    return distance;
}

const char *laip_nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t least = strlen(word) / 2 + 1;
    for (size_t i = 0; i < count; i++) {
        size_t d = laip_edit_distance(word, candidates[i]);
        if (d < least) {
            least = d;
            best = candidates[i];
        }
    }
    return best;
}
