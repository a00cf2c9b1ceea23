/* Lines of text for the subcommands that read captions: from files, or from standard input when none is
 * named. */
#ifndef LAIP_PROGRAMS_DATA_LINES_H
#define LAIP_PROGRAMS_DATA_LINES_H

#include "base/error.h"
#include <stddef.h>
#include <stdio.h>

/* A zeroed struct with files (count of them; none: standard input) is ready. */
typedef struct laip_lines {
    char *const *files;
    size_t count, file;
    FILE *stream;
    const char *name; /* of the file being read, for messages */
    size_t number;    /* of the line in it, from 1 */
    size_t total;     /* lines read */
    char *text;       /* the line without its end */
    size_t length, capacity;
    bool opened;
} laip_lines;

/* Reads the next line into text; *more is false at the end of the last file. */
bool laip_lines_next(laip_lines *lines, bool *more, laip_error *error);
void laip_lines_free(laip_lines *lines);

/* Ends a subcommand: writes out what standard output holds; prints the error's line, when there is one,
 * behind "laip-data NAME: ".  Returns the exit status. */
int laip_data_end(const char *name, bool good, laip_error *error);

#endif
