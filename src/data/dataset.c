/* Reading an annotation file, and finding the folder that its pictures are in. */
#include "data/dataset.h"

#include "base/file.h"
#include "base/str.h"
#include "data/annotations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *laip_json_kind(const json_t *value)
{
    static const char *const names[] = {"an object", "a list", "a string", "a whole number",
                                        "a number",  "true",   "false",    "null"};
    return value ? names[json_typeof(value)] : "missing";
}

size_t laip_annotations_picture(laip_annotations *a, const char *file, const char *split, int32_t person)
{
    laip_dataset *d = a->d;
    void *array = d->pictures;
    laip_grow(&array, &a->room, d->picture_count + 1, sizeof *d->pictures);
    d->pictures = array;
    d->pictures[d->picture_count] = (laip_picture){
        .file = laip_arena_strndup(&d->arena, file, strlen(file)), .split = split, .person = person};
    return d->picture_count++;
}

void laip_annotations_caption(laip_annotations *a, size_t picture, const char *text)
{
    laip_dataset *d = a->d;
    void *array = d->captions;
    laip_grow(&array, &a->text_room, d->caption_count + 1, sizeof *d->captions);
    d->captions = array;
    d->captions[d->caption_count++] =
        (laip_caption){laip_arena_strndup(&d->arena, text, strlen(text)), picture};
    d->pictures[picture].captions++;
}

/* Brings the captions of each picture together, in the order in which they came. */
static void group_captions(laip_dataset *d)
{
    size_t at = 0;
    for (size_t i = 0; i < d->picture_count; i++) {
        d->pictures[i].first = at;
        at += d->pictures[i].captions;
    }
    laip_caption *grouped = laip_alloc(d->caption_count, sizeof *grouped);
    size_t *next = laip_alloc(d->picture_count, sizeof *next);
    for (size_t i = 0; i < d->caption_count; i++) {
        size_t picture = d->captions[i].picture;
        grouped[d->pictures[picture].first + next[picture]++] = d->captions[i];
    }
    free(next);
    free(d->captions);
    d->captions = grouped;
}

static bool has_split(const laip_dataset *d, const char *split)
{
    for (size_t i = 0; i < d->picture_count; i++)
        if (d->pictures[i].split && strcmp(d->pictures[i].split, split) == 0)
            return true;
    return false;
}

/* The wanted split in lower case, or NULL for all. */
static char *fold_split(const char *split)
{
    char *low = split && *split ? laip_strdup(split) : NULL;
    for (char *p = low; p && *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    return low;
}

bool laip_dataset_parse(laip_dataset *d, const char *name, const char *text, size_t length, const char *split,
                        laip_error *error)
{
    *d = (laip_dataset){0};
    char *low = fold_split(split);
    laip_annotations a = {.d = d, .path = name, .split = low};
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark is no part of the text */
        text += 3;
        length -= 3;
    }
    json_error_t where;
    json_t *top = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
    bool good;
    if (!top)
        good = laip_bad_input(error, "%s:%d:%d: %.300s, expected JSON", name, where.line, where.column,
                              where.text);
    else if (json_is_array(top))
        good = laip_annotations_list(&a, top, error);
    else if (json_object_get(top, "images") || json_object_get(top, "annotations"))
        good = laip_annotations_coco(&a, top, error);
    else
        good =
            laip_bad_input(error,
                           "%s: holds an object without images and annotations, expected a list of pictures "
                           "or COCO captions",
                           name);
    json_decref(top);
    laip_map_free(&a.names);
    laip_map_free(&a.persons);
    if (good)
        group_captions(d);
    else
        laip_dataset_free(d);
    d->no_such_split = good && low && d->split_count && !has_split(d, low);
    free(low);
    return good;
}

/* How many of a few pictures, taken from all over the set, are under root. */
static size_t count_found(const laip_dataset *d, const char *root, size_t tries)
{
    size_t found = 0;
    for (size_t i = 0; i < tries; i++) {
        char *file = laip_path_join(root, d->pictures[i * d->picture_count / tries].file);
        found += access(file, R_OK) == 0;
        free(file);
    }
    return found;
}

static bool check_folder(const char *folder, laip_error *error)
{
    struct stat st;
    if (stat(folder, &st) != 0)
        return laip_bad_input(error, "%s: %s, expected the folder of the pictures", folder, strerror(errno));
    return S_ISDIR(st.st_mode) ||
           laip_bad_input(error, "%s: is no folder, expected the one of the pictures", folder);
}

static bool find_root(laip_dataset *d, const char *path, const char *folder, laip_error *error)
{
    static const char *const names[] = {"imgs", "images", ""};
    enum { PLACES = sizeof names / sizeof *names, TRIES = 32 };
    size_t tries = d->picture_count < TRIES ? d->picture_count : TRIES, most = 0;
    if (!check_folder(folder, error))
        return false;
    for (size_t i = 0; i < PLACES; i++) {
        char *root = *names[i] ? laip_path_join(folder, names[i]) : laip_strdup(folder);
        size_t found = count_found(d, root, tries);
        if (found > most || (!tries && access(root, X_OK) == 0 && !d->root)) {
            free(d->root);
            d->root = root;
            most = found;
        } else
            free(root);
    }
    return d->root ||
           laip_bad_input(error,
                          "%s: of its pictures %s and %zu others none is in %s, nor in imgs/ or "
                          "images/ there, expected the folder of the pictures",
                          path, tries ? d->pictures[0].file : "(none)", tries ? tries - 1 : 0, folder);
}

/* The folder that a file is in. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return laip_strdup(".");
    return slash == path ? laip_strdup("/") : laip_strndup(path, (size_t)(slash - path));
}

bool laip_dataset_read(laip_dataset *d, const char *path, const char *images, const char *split,
                       laip_error *error)
{
    char *text;
    size_t size;
    *d = (laip_dataset){0};
    if (!laip_file_read(path, &text, &size, error))
        return false;
    bool good = laip_dataset_parse(d, path, text, size, split, error);
    free(text);
    if (!good)
        return false;
    char *folder = images && *images ? laip_strdup(images) : folder_of(path);
    good = find_root(d, path, folder, error);
    free(folder);
    if (!good)
        laip_dataset_free(d);
    return good;
}

void laip_dataset_free(laip_dataset *d)
{
    free(d->root);
    free(d->pictures);
    free(d->captions);
    laip_arena_free(&d->arena);
    *d = (laip_dataset){0};
}

char *laip_dataset_file(const laip_dataset *d, size_t picture)
{
    return laip_path_join(d->root, d->pictures[picture].file);
}
