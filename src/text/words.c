/* BERT's basic tokenisation.  Each character of the text goes through: removal of control characters, white
 * space unified, CJK characters set apart, canonical decomposition, removal of non-spacing marks, lower case;
 * what comes out is white space, punctuation, or part of a word.  ASCII takes a table instead. */
#include "text/words.h"

#include "text/unicode.h"
#include <string.h>
#include <utf8proc.h>

enum { DROP, WHITE, PUNCTUATION, WORD, CAPITAL };

/* The class of each ASCII character, 32 a row. */
static const uint8_t ascii_classes[128] = {
    /* clang-format off */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2,
    2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2,
    2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 0
    /* clang-format on */
};

/* Moves the word's last character, of `size` bytes and combining class k, before those of a greater class
 * (canonical ordering). */
static void reorder(laip_words *w, size_t size, int k)
{
    size_t at = w->size - size;
    while (at > 0) {
        size_t before = at - 1, taken;
        while (before > 0 && ((unsigned char)w->bytes[before] & 0xc0) == 0x80)
            before--;
        uint32_t c = laip_utf8_decode(w->bytes + before, at - before, &taken);
        if (utf8proc_get_property((utf8proc_int32_t)c)->combining_class <= k)
            break;
        char bytes[4];
        memcpy(bytes, w->bytes + at, size);
        uint32_t start = w->start[at], stop = w->stop[at], s0 = w->start[before], s1 = w->stop[before];
        memmove(w->bytes + before + size, w->bytes + before, taken);
        memcpy(w->bytes + before, bytes, size);
        for (size_t i = 0; i < size + taken; i++) {
            w->start[before + i] = i < size ? start : s0;
            w->stop[before + i] = i < size ? stop : s1;
        }
        at = before;
    }
}

static void push(laip_words *w, uint32_t c, size_t from, size_t to)
{
    if (w->characters == 0)
        w->from = from;
    w->to = to;
    if (++w->characters > LAIP_WORD_CHARACTERS)
        return;
    size_t size = laip_utf8_encode(c, w->bytes + w->size);
    for (size_t i = 0; i < size; i++) {
        w->start[w->size + i] = (uint32_t)from;
        w->stop[w->size + i] = (uint32_t)to;
    }
    w->size += size;
    if (c < 0x300)
        return;
    int k = utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
    if (k)
        reorder(w, size, k);
}

/* The characters that one beyond ASCII turns into, and the class of them all.  A decomposition holds
 * punctuation or white space only as its single character that stays. */
static int transform(uint32_t c, utf8proc_int32_t out[], size_t room, size_t *count)
{
    *count = 0;
    if (c == LAIP_REPLACEMENT || laip_is_other(c))
        return DROP;
    if (laip_is_white(c))
        return WHITE;
    utf8proc_int32_t parts[16];
    int unused = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, parts, 16, UTF8PROC_DECOMPOSE, &unused);
    for (utf8proc_ssize_t i = 0; i < n && i < 16 && *count < room; i++)
        if (!laip_is_mark((uint32_t)parts[i]))
            out[(*count)++] = utf8proc_tolower(parts[i]);
    if (*count == 0)
        return DROP;
    return *count == 1 && laip_is_punctuation((uint32_t)out[0]) ? PUNCTUATION : WORD;
}

/* Takes the character beyond ASCII at w->at.  True when a word is complete: what follows stays unread. */
static bool wide(laip_words *w)
{
    size_t taken, count;
    utf8proc_int32_t parts[16];
    uint32_t c = laip_utf8_decode(w->text + w->at, w->end - w->at, &taken);
    int class = transform(c, parts, 16, &count);
    bool alone = class == PUNCTUATION || (class == WORD && laip_is_cjk(c));
    if ((alone || class == WHITE) && w->characters)
        return true;
    for (size_t i = 0; i < count; i++)
        push(w, (uint32_t)parts[i], w->at, w->at + taken);
    w->at += taken;
    return alone;
}

/* Takes letters and digits of ASCII as long as they come. */
static void take_ascii(laip_words *w)
{
    size_t at = w->at, end = w->end, size = w->size, before = w->characters;
    if (end - at > LAIP_WORD_CHARACTERS - before)
        end = at + LAIP_WORD_CHARACTERS - before;
    for (; at < end; at++, size++) {
        unsigned char c = (unsigned char)w->text[at];
        if (c >= 0x80 || ascii_classes[c] < WORD)
            break;
        w->bytes[size] = (char)(ascii_classes[c] == CAPITAL ? c + 32 : c);
        w->start[size] = (uint32_t)at;
        w->stop[size] = (uint32_t)at + 1;
    }
    if (before == 0)
        w->from = w->at;
    w->to = at;
    w->characters += at - w->at;
    w->size = size;
    w->at = at;
}

bool laip_words_next(laip_words *w)
{
    w->size = w->characters = 0;
    while (w->at < w->end) {
        unsigned char c = (unsigned char)w->text[w->at];
        if (c >= 0x80) {
            if (wide(w))
                return true;
            continue;
        }
        int class = ascii_classes[c];
        if (class >= WORD && w->characters < LAIP_WORD_CHARACTERS) {
            take_ascii(w);
            continue;
        }
        if (class < WORD && class != DROP && w->characters)
            return true;
        if (class >= PUNCTUATION)
            push(w, c, w->at, w->at + 1);
        w->at++;
        if (class == PUNCTUATION)
            return true;
    }
    return w->characters > 0;
}
