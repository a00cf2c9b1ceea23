/* Messages for people, on standard error, a line each: notes, warnings, and a progress line that redraws
 * itself on a terminal and is printed every few seconds elsewhere.  Results go to standard output, never
 * through here. */
#ifndef LAIP_BASE_LOG_H
#define LAIP_BASE_LOG_H

#include "base/error.h"
#include <stddef.h>

/* Notes and warnings go to sink, a line each and from any thread, and progress nowhere; NULL: to standard
 * error again. */
typedef void laip_log_sink(void *user, const char *line);
void laip_log_to(laip_log_sink *sink, void *user);
void laip_log_quiet(bool quiet); /* quiet: notes and progress are not shown (ranks > 0) */
void laip_note(const char *format, ...) LAIP_PRINTF(1, 2);
void laip_warn(const char *format, ...) LAIP_PRINTF(1, 2); /* begins with "warning: " */
void laip_progress(const char *format, ...) LAIP_PRINTF(1, 2);
void laip_progress_end(void); /* leaves the last progress line standing */
double laip_seconds(void);    /* a monotonic clock */

#endif
