/* Our tagger: the lexicon, and rules of what words mean next to each other. */
#ifndef LAIP_PHRASES_TAG_RULES_H
#define LAIP_PHRASES_TAG_RULES_H

#include "base/map.h"

enum { LAIP_RULE_TAGS = 34 };

extern const char *const laip_rule_tag_names[LAIP_RULE_TAGS];

/* tags[i] is an index into laip_rule_tag_names. */
void laip_rule_tag(const laip_map *lexicon, const char *const *tokens, const uint32_t *lengths, size_t count,
                   uint8_t *tags);

#endif
