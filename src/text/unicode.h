/* What the text layer asks of Unicode: decoding, classes of characters, lower case. */
#ifndef LAIP_TEXT_UNICODE_H
#define LAIP_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LAIP_REPLACEMENT = 0xfffd };

/* The character at text (length > 0 bytes are left) and the bytes it takes.  A byte that begins no
 * well-formed sequence (RFC 3629) is LAIP_REPLACEMENT of one byte. */
uint32_t laip_utf8_decode(const char *text, size_t length, size_t *taken);
/* Writes a character, at most 4 bytes; returns how many. */
size_t laip_utf8_encode(uint32_t c, char *out);
bool laip_utf8_valid(const char *text, size_t length);
size_t laip_utf8_count(const char *text, size_t length); /* characters */

/* Classes of characters as the published tokenisers of BERT have them, that is of Unicode 8. */
bool laip_is_white(uint32_t c);       /* White_Space */
bool laip_is_mark(uint32_t c);        /* category Mn */
bool laip_is_other(uint32_t c);       /* category C*, unassigned ones left aside */
bool laip_is_punctuation(uint32_t c); /* ASCII's, and category P* */
bool laip_is_cjk(uint32_t c);         /* the ideographs that BERT sets apart */

/* Lower case of the character at byte `at` of text, in context as Python's str.lower has it: a capital sigma
 * at the end of a word is a final one, U+0130 becomes two characters.  Returns how many, 1 or 2. */
size_t laip_lower_at(const char *text, size_t length, size_t at, uint32_t c, uint32_t out[2]);

#endif
