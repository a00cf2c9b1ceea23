/* A PNG file's chunks, read before its pixels.  As strict as Pillow, so that what one refuses the other does:
 * check sums of everything but the pixels (their own is inside the compressed data) must be right up to the
 * pixels, chunks must be whole, and a compressed text or colour profile may unpack to 1 MiB, all text of a
 * file to 64 MiB.  What comes after the pixels may be missing. */
#include "base/memory.h"
#include "image/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST_CHUNK = 1 << 20, MOST_TEXT = 64 << 20 };

typedef struct walk {
    const char *name;
    size_t text; /* bytes of text so far */
    int by_exif, by_profile, by_xmp;
    uint8_t *unpacked; /* [MOST_CHUNK], made when first needed */
    laip_error *error;
} walk;

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_type(const uint8_t *type, const char *which)
{
    return memcmp(type, which, 4) == 0;
}

/* Unpacks into w->unpacked; damaged data gives nothing, as with Pillow, since no pixel depends on it. */
static bool unpack(walk *w, const uint8_t *type, const uint8_t *p, size_t n, size_t *got)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n, .avail_out = MOST_CHUNK};
    if (!w->unpacked)
        w->unpacked = laip_realloc(NULL, MOST_CHUNK, 1);
    z.next_out = w->unpacked;
    if (inflateInit(&z) != Z_OK)
        return laip_failure(w->error, "%s: zlib gave no memory", w->name);
    int status = inflate(&z, Z_SYNC_FLUSH);
    bool whole = status == Z_STREAM_END || z.avail_in == 0 || z.avail_out;
    *got = status == Z_STREAM_END || status == Z_OK ? MOST_CHUNK - z.avail_out : 0;
    inflateEnd(&z);
    return whole ||
           laip_bad_input(w->error, "%s: the PNG has a %.4s chunk that unpacks to more than %d bytes",
                          w->name, (const char *)type, MOST_CHUNK);
}

/* ImageMagick's way of keeping EXIF in a text: three lines, then hexadecimal digits. */
static int profile_orientation(const uint8_t *text, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *end = text + n, *p = text;
    uint8_t *exif = laip_alloc(n / 2 + 1, 1);
    size_t count = 0;
    for (int line = 0; line < 3 && p < end; p++)
        line += *p == '\n';
    for (; p < end; p++) {
        const char *d = strchr(digits, tolower(*p));
        if (!*p || !d)
            continue;
        exif[count / 2] = (uint8_t)(exif[count / 2] << 4 | (d - digits));
        count++;
    }
    size_t skip = count / 2 > 6 && memcmp(exif, "Exif\0", 6) == 0 ? 6 : 0;
    int found = laip_exif_orientation(exif + skip, count / 2 - skip);
    free(exif);
    return found;
}

static bool use_text(walk *w, const char *key, const uint8_t *text, size_t n)
{
    w->text += n;
    if (strcmp(key, "Raw profile type exif") == 0)
        w->by_profile = profile_orientation(text, n);
    else if (strcmp(key, "XML:com.adobe.xmp") == 0)
        w->by_xmp = laip_xmp_orientation(text, n);
    return w->text <= MOST_TEXT ||
           laip_bad_input(w->error, "%s: the PNG has more than %d bytes of text", w->name, MOST_TEXT);
}

/* The byte after the zero that ends a keyword or language, or NULL. */
static const uint8_t *after_zero(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *zero = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;
    return zero ? zero + 1 : NULL;
}

/* zTXt and iCCP: keyword, 0, method, compressed data. */
static bool read_packed(walk *w, const uint8_t *type, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *data = after_zero(p, end);
    size_t got = 0;
    if (!data || data == end)
        return true;
    if (*data)
        return laip_bad_input(w->error, "%s: the PNG has a %.4s chunk of unknown compression %d", w->name,
                              (const char *)type, *data);
    data++;
    if (!unpack(w, type, data, (size_t)(end - data), &got))
        return false;
    return is_type(type, "iCCP") || use_text(w, (const char *)p, w->unpacked, got);
}

/* iTXt: keyword, 0, whether compressed, method, language, 0, translated keyword, 0, text. */
static bool read_international(walk *w, const uint8_t *type, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *flags = after_zero(p, end);
    size_t got = 0;
    if (!flags || end - flags < 2)
        return true;
    const uint8_t *keyword = after_zero(flags + 2, end), *text = keyword ? after_zero(keyword, end) : NULL;
    if (!text || (flags[0] && flags[1]))
        return true;
    if (!flags[0])
        return use_text(w, (const char *)p, text, (size_t)(end - text));
    return unpack(w, type, text, (size_t)(end - text), &got) &&
           use_text(w, (const char *)p, w->unpacked, got);
}

static bool read_chunk(walk *w, const uint8_t *type, const uint8_t *p, size_t length)
{
    const uint8_t *end = p + length;
    if (is_type(type, "eXIf"))
        w->by_exif = laip_exif_orientation(p, length);
    else if (is_type(type, "zTXt") || is_type(type, "iCCP"))
        return read_packed(w, type, p, end);
    else if (is_type(type, "iTXt"))
        return read_international(w, type, p, end);
    else if (is_type(type, "tEXt")) {
        const uint8_t *text = after_zero(p, end);
        return !text || use_text(w, (const char *)p, text, (size_t)(end - text));
    }
    return true;
}

static bool walk_chunks(walk *w, const uint8_t *data, size_t size)
{
    enum { SIGNATURE = 8, HEAD = 8, SUM = 4 };
    bool pixels = false;
    for (size_t at = SIGNATURE; size - at >= HEAD;) {
        const uint8_t *p = data + at, *type = p + 4;
        size_t length = be32(p);
        if (is_type(type, "IEND"))
            break;
        if (length > 0x7fffffff || !isalpha(type[0]) || !isalpha(type[1]) || !isalpha(type[2]) ||
            !isalpha(type[3])) {
            if (pixels)
                break;
            return laip_bad_input(w->error, "%s: the PNG is damaged at byte %zu: found no chunk there",
                                  w->name, at);
        }
        if (size - at - HEAD < length || (!pixels && size - at - HEAD - length < SUM))
            return laip_bad_input(w->error,
                                  "%s: the PNG is truncated: its %.4s chunk at byte %zu is not whole",
                                  w->name, (const char *)type, at);
        if (is_type(type, "IDAT"))
            pixels = true;
        else if (!pixels && crc32(0, type, (uInt)length + 4) != be32(p + HEAD + length))
            return laip_bad_input(w->error,
                                  "%s: the PNG is damaged: wrong check sum of the %.4s chunk at byte %zu",
                                  w->name, (const char *)type, at);
        if (!read_chunk(w, type, p + HEAD, length))
            return false;
        if (size - at - HEAD - length < SUM)
            break;
        at += HEAD + length + SUM;
    }
    return pixels || laip_bad_input(w->error, "%s: the PNG has no pixels: found no IDAT chunk", w->name);
}

bool laip_png_inspect(const uint8_t *data, size_t size, const char *name, int *orientation, laip_error *error)
{
    walk w = {.name = name, .error = error};
    bool good = walk_chunks(&w, data, size);
    int exif = w.by_exif ? w.by_exif : w.by_profile;
    *orientation = exif ? exif : w.by_xmp;
    free(w.unpacked);
    return good;
}
