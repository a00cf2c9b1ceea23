/* A part-of-speech tagger, whichever it is. */
#ifndef LAIP_PHRASES_TAGGER_H
#define LAIP_PHRASES_TAGGER_H

#include "phrases/phrases.h"

bool laip_tagger_is_ours(const laip_tagger *tagger);
/* The names of the tags that laip_tagger_run numbers; at most 255. */
size_t laip_tagger_names(const laip_tagger *tagger, const char *const **names);
void laip_tagger_run(const laip_tagger *tagger, const char *const *tokens, const uint32_t *lengths,
                     size_t count, uint8_t *tags);

#endif
