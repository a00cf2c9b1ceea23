/* What a run has logged: the lines of its metrics.jsonl and timing.jsonl as columns of numbers. */
#ifndef LAIP_REPORT_HISTORY_H
#define LAIP_REPORT_HISTORY_H

#include "base/error.h"
#include <stddef.h>

typedef struct laip_history {
    void *lines; /* jansson's array of objects */
    size_t count;
} laip_history;

/* Every whole line of the file that is a JSON object; a file that is not there has none. */
void laip_history_read(laip_history *h, const char *path);
void laip_history_free(laip_history *h);
/* The value under a path of keys divided by dots ("val.retrieval.0": an index into a list) in every line that
 * has `having` (a key, or NULL: the same path); x gets the lines' "step".  Both [count], freed by the caller;
 * missing numbers are NaN.  Returns how many. */
size_t laip_history_column(const laip_history *h, const char *having, const char *path, double **x,
                           double **y);

/* Where the text under a key becomes another from one line to the next that has it: the lines' "step" and the
 * texts, which are the history's, at most `most` of them.  Returns how many. */
size_t laip_history_changes(const laip_history *h, const char *key, double *x, const char **text,
                            size_t most);

#endif
