/* A growable string.  A zeroed struct is an empty one; text is always terminated once something was added
 * (laip_str_text gives "" before that).  free(s.text) releases it. */
#ifndef LAIP_BASE_STR_H
#define LAIP_BASE_STR_H

#include "base/error.h"
#include <stddef.h>

typedef struct laip_str {
    char *text;
    size_t length, capacity;
} laip_str;

void laip_str_add(laip_str *s, const char *text, size_t length);
void laip_str_adds(laip_str *s, const char *text);
void laip_str_addf(laip_str *s, const char *format, ...) LAIP_PRINTF(2, 3);
/* Adds text as a JSON string, quotes included; text is UTF-8, control characters are escaped. */
void laip_str_add_json(laip_str *s, const char *text, size_t length);
void laip_str_clear(laip_str *s);
const char *laip_str_text(const laip_str *s);

/* Number of single-character edits between two words: for "did you mean". */
size_t laip_edit_distance(const char *a, const char *b);
/* The candidate nearest to word, or NULL when none is near (more than half of it would change). */
const char *laip_nearest(const char *word, const char *const *candidates, size_t count);

#endif
