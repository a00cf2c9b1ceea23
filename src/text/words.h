/* BERT's basic tokenisation: the clean, lower-case, accent-free words of a text, punctuation and CJK
 * characters being words of their own, each byte knowing where in the text it came from. */
#ifndef LAIP_TEXT_WORDS_H
#define LAIP_TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LAIP_WORD_CHARACTERS = 100, LAIP_WORD_BYTES = 4 * LAIP_WORD_CHARACTERS + 4 };

/* Make one as {.text = t, .end = length}; `at` is where reading goes on. */
typedef struct laip_words {
    const char *text;
    size_t at, end;
    size_t size;       /* bytes of the word that laip_words_next found */
    size_t characters; /* of it; more than LAIP_WORD_CHARACTERS: bytes holds the first ones only */
    size_t from, to;   /* the bytes [from, to) of text that it came from */
    char bytes[LAIP_WORD_BYTES];
    uint32_t start[LAIP_WORD_BYTES], stop[LAIP_WORD_BYTES]; /* for each byte, its character's place in text */
} laip_words;

/* Finds the next word; false at the end of the text. */
bool laip_words_next(laip_words *words);

#endif
