/* Files in and out.  Paths are as the user gave them and appear in the error's line.  None is mapped: who
 * cuts a file that is mapped ends the process. */
#ifndef LAIP_BASE_FILE_H
#define LAIP_BASE_FILE_H

#include "base/error.h"
#include <stddef.h>
#include <stdio.h>

/* Reads a whole file; *data is terminated by a zero byte that *size does not count; free() releases it.
 * A file that is missing, a folder, or unreadable is bad input. */
bool laip_file_read(const char *path, char **data, size_t *size, laip_error *error);
/* Opens a regular file for laip_file_read_at; close() ends it. */
bool laip_file_open(const char *path, int *fd, size_t *size, laip_error *error);
/* Bytes offset … of it; path is for the error's line.  A file that was cut short meanwhile is bad input. */
bool laip_file_read_at(int fd, const char *path, size_t offset, void *data, size_t bytes, laip_error *error);

/* Writing beside the place, then sync and rename: whoever reads the path sees the old file or the new one,
 * whole. laip_file_begin opens PATH.tmp-PID-N; laip_file_commit ends it well, laip_file_cancel leaves nothing
 * behind. */
typedef struct laip_file {
    FILE *stream;
    char *path, *temporary;
} laip_file;

bool laip_file_begin(laip_file *file, const char *path, laip_error *error);
bool laip_file_commit(laip_file *file, laip_error *error);
void laip_file_cancel(laip_file *file);
bool laip_file_write(const char *path, const void *data, size_t size,
                     laip_error *error); /* all of these at once */

bool laip_make_folders(const char *path, laip_error *error); /* mkdir -p */
char *laip_path_join(const char *folder,
                     const char *name); /* free() releases it; an absolute name stays itself */
/* The user's cache folder for this program ($LAIP_CACHE_DIR, $XDG_CACHE_HOME/laip or ~/.cache/laip), not made
 * yet.  A user without a home gets laip-UID in the folder for temporary files, if it is theirs alone; else a
 * name that cannot be made. */
char *laip_cache_folder(void);

#endif
