/* ALBEF's caption rule with places kept. */
#ifndef LAIP_TEXT_CAPTION_H
#define LAIP_TEXT_CAPTION_H

#include "text/tokenizer.h"

/* Leaves the cleaned caption in tokens->scratch (its size is returned) and for each of its bytes the place in
 * text in scratch_start and scratch_end; sets cut_words.  max_words 0: all. */
size_t laip_caption_rule_apply(const char *text, size_t length, laip_caption_rule rule, size_t max_words,
                               laip_tokens *tokens);

#endif
