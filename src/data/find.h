/* Finding what people call a data set: its annotation files in a folder, its folder of pictures, and the
 * pictures themselves, whatever upper and lower case they are written in. */
#ifndef LAIP_DATA_FIND_H
#define LAIP_DATA_FIND_H

#include "base/map.h"
#include "data/dataset.h"

/* An annotation file, and the split that all of it is (NULL: what its entries say). */
typedef struct laip_source {
    char *path;
    const char *split; /* train, val or test */
} laip_source;

enum { LAIP_SOURCES = 3 };

/* The annotation files that path means: itself, if it is a file; of a folder, the file by a published name
 * (reid_raw.json, caption_all.json, CUHK-PEDES.json, ICFG-PEDES.json, ICFG_PEDES.json, data_captions.json),
 * else train.json, val.json and test.json there or in processed_data/, else the only .json that reads as a
 * data set. Returns their number, 0 for bad input; laip_sources_free releases them. */
size_t laip_sources_find(const char *path, laip_source sources[LAIP_SOURCES], laip_error *error);
void laip_sources_free(laip_source *sources, size_t count);

/* The files under a folder, looked up without regard to case.  A folder is listed when a file in it is first
 * asked for. */
typedef struct laip_listing {
    char *root;
    laip_map exact, folded,
        folders;  /* paths under root: that are there; in lower case; of folders, "" if none */
    char **names; /* as they are spelt, by the numbers in the maps */
    size_t count, capacity;
} laip_listing;

void laip_listing_open(laip_listing *l, const char *root);
/* A file's path under the root as it is spelt there; NULL: there is none. */
const char *laip_listing_find(laip_listing *l, const char *file);
void laip_listing_close(laip_listing *l);

#endif
