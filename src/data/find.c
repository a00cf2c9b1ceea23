/* Annotation files by the names under which data sets are published. */
#include "data/find.h"

#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const published[] = {"reid_raw.json",   "caption_all.json", "CUHK-PEDES.json",
                                        "ICFG-PEDES.json", "ICFG_PEDES.json",  "data_captions.json"};
static const char *const splits[LAIP_SOURCES] = {"train", "val", "test"};

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The file of that name, in any case, in a folder; NULL: none. */
static char *file_in(const char *folder, const char *name)
{
    laip_listing l;
    laip_listing_open(&l, folder);
    const char *found = laip_listing_find(&l, name);
    char *path = found ? laip_path_join(folder, found) : NULL;
    laip_listing_close(&l);
    return path;
}

/* train.json, val.json and test.json, those that are there. */
static size_t by_split(const char *folder, laip_source *sources)
{
    size_t count = 0;
    for (size_t i = 0; i < LAIP_SOURCES; i++) {
        char name[16];
        strcpy(name, splits[i]);
        char *path = file_in(folder, strcat(name, ".json"));
        if (path)
            sources[count++] = (laip_source){path, splits[i]};
    }
    return count;
}

static bool reads(const char *path)
{
    char *text;
    size_t size;
    laip_error error;
    laip_dataset d;
    if (!laip_file_read(path, &text, &size, &error))
        return false;
    bool good = laip_dataset_parse(&d, path, text, size, NULL, &error);
    if (good)
        laip_dataset_free(&d);
    free(text);
    return good;
}

/* The only .json of the folder that reads as a data set. */
static size_t the_only_one(const char *folder, laip_source *sources, laip_error *error)
{
    DIR *d = opendir(folder);
    laip_str all = {0};
    size_t count = 0;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        char *path =
            n > 5 && strcmp(e->d_name + n - 5, ".json") == 0 ? laip_path_join(folder, e->d_name) : NULL;
        if (path && reads(path)) {
            laip_str_addf(&all, "%s%s", count ? ", " : "", e->d_name);
            if (!count++) {
                sources[0] = (laip_source){path, NULL};
                continue;
            }
        }
        free(path);
    }
    if (d)
        closedir(d);
    if (count > 1) {
        free(sources[0].path);
        laip_bad_input(error,
                       "%s: several of its files read as a data set (%.400s), expected one of them by name",
                       folder, all.text);
    } else if (!count)
        laip_bad_input(error,
                       "%s: has no annotations, expected reid_raw.json, caption_all.json, ICFG-PEDES.json, "
                       "data_captions.json, processed_data/ or another .json of a data set",
                       folder);
    free(all.text);
    return count == 1;
}

size_t laip_sources_find(const char *path, laip_source sources[LAIP_SOURCES], laip_error *error)
{
    if (!is_folder(path)) {
        sources[0] = (laip_source){laip_strdup(path), NULL};
        return 1;
    }
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        char *file = file_in(path, published[i]);
        if (file) {
            sources[0] = (laip_source){file, NULL};
            return 1;
        }
    }
    size_t count = by_split(path, sources);
    char *processed = count ? NULL : file_in(path, "processed_data");
    if (processed)
        count = by_split(processed, sources);
    free(processed);
    return count ? count : the_only_one(path, sources, error);
}

void laip_sources_free(laip_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(sources[i].path);
}
