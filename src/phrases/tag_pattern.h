/* Regular expressions over tags, such as <JJ.*|VBN>*<NN.*>+, and over the characters of one tag.  The same
 * program form serves both: the input is bytes (tag numbers, or characters), each step takes one byte of a
 * set. */
#ifndef LAIP_PHRASES_TAG_PATTERN_H
#define LAIP_PHRASES_TAG_PATTERN_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct laip_tag_pattern laip_tag_pattern;

/* Compiles `length` bytes of text for the tags numbered as in names (at most 255).  Bad input names the
 * place, counted from 1, in text. */
laip_tag_pattern *laip_tag_pattern_compile(const char *text, size_t length, const char *const *names,
                                           size_t name_count, laip_error *error);
/* The leftmost match in tags[from, count) of one tag or more, as a backtracking matcher prefers it (greedy
 * repeats first, alternatives in order); false when there is none.  work has laip_tag_pattern_work(pattern,
 * count) bytes; the time is bounded by their number. */
bool laip_tag_pattern_find(const laip_tag_pattern *pattern, const uint8_t *tags, size_t from, size_t count,
                           void *work, size_t *start, size_t *end);
size_t laip_tag_pattern_work(const laip_tag_pattern *pattern, size_t count);
void laip_tag_pattern_free(laip_tag_pattern *pattern);

#endif
