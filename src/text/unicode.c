/* What the text layer asks of Unicode, over utf8proc's tables. */
#include "text/unicode.h"

#include <utf8proc.h>

uint32_t laip_utf8_decode(const char *text, size_t length, size_t *taken)
{
    const unsigned char *s = (const unsigned char *)text;
    *taken = 1;
    if (s[0] < 0x80)
        return s[0];
    size_t need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || length < need)
        return LAIP_REPLACEMENT;
    uint32_t c = s[0] & (0xffu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return LAIP_REPLACEMENT;
        c = c << 6 | (s[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[need] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return LAIP_REPLACEMENT;
    *taken = need;
    return c;
}

size_t laip_utf8_encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[size] | c);
    return size;
}

bool laip_utf8_valid(const char *text, size_t length)
{
    for (size_t i = 0, taken; i < length; i += taken)
        if (laip_utf8_decode(text + i, length - i, &taken) == LAIP_REPLACEMENT && taken == 1)
            return false;
    return true;
}

size_t laip_utf8_count(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0, taken; i < length; i += taken, count++)
        laip_utf8_decode(text + i, length - i, &taken);
    return count;
}

bool laip_is_white(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

/* Marks, punctuation and format characters that are younger than Unicode 8, whose classes the published
 * tokenisers of BERT go by: to them these are plain characters.  The ranges also span letters, which are
 * plain in any case. */
static const uint32_t recent[][2] = {
    {0x61d, 0x61d},     {0x7fd, 0x7fd},     {0x890, 0x8e2},     {0x9fd, 0x9fe},     {0xa76, 0xa76},
    {0xafa, 0xaff},     {0xb55, 0xb55},     {0xc04, 0xc3c},     {0xc77, 0xc77},     {0xc84, 0xc84},
    {0xd00, 0xd00},     {0xd3b, 0xd3c},     {0xd81, 0xd81},     {0xeba, 0xeba},     {0xece, 0xece},
    {0x180f, 0x1886},   {0x1abf, 0x1ace},   {0x1b7d, 0x1b7e},   {0x1df6, 0x1dfb},   {0x2e43, 0x2e5d},
    {0xa82c, 0xa82c},   {0xa8c5, 0xa8c5},   {0xa8ff, 0xa8ff},   {0xa9bd, 0xa9bd},   {0x10d24, 0x10f89},
    {0x11070, 0x11074}, {0x110c2, 0x110cd}, {0x111c9, 0x111c9}, {0x111cf, 0x111cf}, {0x1123e, 0x11241},
    {0x1133b, 0x1133b}, {0x11438, 0x1145e}, {0x11660, 0x1166c}, {0x116b9, 0x116b9}, {0x1182f, 0x11fff},
    {0x12ff1, 0x13455}, {0x16e97, 0x16f4f}, {0x16fe2, 0x16fe4}, {0x1cf00, 0x1cf46}, {0x1e000, 0x1e4ef},
    {0x1e944, 0x1e95f}};

static bool is_recent(uint32_t c)
{
    size_t low = 0, high = sizeof recent / sizeof *recent;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > recent[middle][1])
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof recent / sizeof *recent && c >= recent[low][0];
}

bool laip_is_mark(uint32_t c)
{
    if (c == 0x1734) /* Mn then, Mc now */
        return true;
    return c >= 0x300 && utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_MN && !is_recent(c);
}

bool laip_is_other(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
        return !is_recent(c);
    default:
        return false;
    }
}

bool laip_is_punctuation(uint32_t c)
{
    if (c < 0x80)
        return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    if (c == 0x166d || c == 0x111c9) /* punctuation then, not now */
        return true;
    return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO && !is_recent(c);
}

bool laip_is_cjk(uint32_t c)
{
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
           (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) ||
           (c >= 0x2b920 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

/* Characters that Unicode's Final_Sigma condition looks through (Case_Ignorable). */
static bool is_case_ignorable(uint32_t c)
{
    switch (c) {
    case '\'':
    case '.':
    case ':':
    case '^':
    case '`':
    case 0xb7:
    case 0x387:
    case 0x55f:
    case 0x5f4:
    case 0x2018:
    case 0x2019:
    case 0x2024:
    case 0x2027:
    case 0xfe13:
    case 0xfe52:
    case 0xfe55:
    case 0xff07:
    case 0xff0e:
    case 0xff1a:
        return true;
    default:
        break;
    }
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
        return true;
    default:
        return false;
    }
}

/* Cased: letters with case, and the letter-like numbers and symbols that have it. */
static bool is_cased(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
        return true;
    default:
        return c == 0xaa || c == 0xba || (c >= 0x2160 && c <= 0x217f) || (c >= 0x24b6 && c <= 0x24e9) ||
               (c >= 0x1f130 && c <= 0x1f149) || (c >= 0x1f150 && c <= 0x1f169) ||
               (c >= 0x1f170 && c <= 0x1f189);
    }
}

/* Whether a capital sigma at byte `at` ends its word: something cased before it, nothing cased after. */
static bool is_final_sigma(const char *text, size_t length, size_t at)
{
    size_t i = at, taken;
    bool before = false;
    while (i > 0) {
        do
            i--;
        while (i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80);
        uint32_t c = laip_utf8_decode(text + i, length - i, &taken);
        if (!is_case_ignorable(c)) {
            before = is_cased(c);
            break;
        }
    }
    if (!before)
        return false;
    for (i = at + 2; i < length; i += taken) {
        uint32_t c = laip_utf8_decode(text + i, length - i, &taken);
        if (!is_case_ignorable(c))
            return !is_cased(c);
    }
    return true;
}

size_t laip_lower_at(const char *text, size_t length, size_t at, uint32_t c, uint32_t out[2])
{
    if (c == 0x130) {
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    if (c == 0x3a3)
        out[0] = is_final_sigma(text, length, at) ? 0x3c2 : 0x3c3;
    else
        out[0] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
    return 1;
}
