/* Logs of a run: JSON, a line a step.  A line is in the file whole or not at all, and what could not be
 * written is a failure. */
#ifndef LAIP_TRAIN_LOGS_H
#define LAIP_TRAIN_LOGS_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct laip_log {
    char *path; /* NULL: closed; lines then go nowhere */
    int fd;
    size_t length;
} laip_log;

/* Opens a log of objects with a number "step".  Lines after step `done`, of a run that was broken off, and
 * what is no such line are dropped.  *last is the step of the last line that stays, 0 if there is none. */
bool laip_log_open(laip_log *log, const char *path, uint64_t done, uint64_t *last, laip_error *error);
bool laip_log_line(laip_log *log, const char *line, laip_error *error); /* line: without its end */
bool laip_log_sync(laip_log *log, laip_error *error);
void laip_log_close(laip_log *log);

#endif
