/* All files of a folder and of the folders in it, by name; hidden ones and symbolic links are left alone. */
#ifndef LAIP_SEARCH_WALK_H
#define LAIP_SEARCH_WALK_H

#include "search/index.h"

typedef struct laip_found {
    const char *name;
    int64_t bytes, time;
    size_t known; /* for who uses it */
} laip_found;

typedef struct laip_walk {
    laip_found *files; /* in the order of their names */
    size_t count, capacity;
    laip_arena names;
} laip_walk;

/* trouble is told of folders that cannot be read; that the first one cannot is bad input. */
bool laip_walk_folder(laip_walk *w, const char *folder, void (*trouble)(void *user, const char *line),
                      void *user, laip_error *error);
void laip_walk_free(laip_walk *w);

#endif
