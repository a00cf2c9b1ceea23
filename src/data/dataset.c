/* Reading an annotation file, and finding the folder that its pictures are in. */
#include "data/dataset.h"

#include "base/file.h"
#include "base/str.h"
#include "data/annotations.h"
#include "data/find.h"

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
    char *name = laip_arena_strndup(&d->arena, file, strlen(file));
    for (char *p = name; *p; p++)
        *p = *p == '\\' ? '/' : *p;
    d->pictures[d->picture_count] = (laip_picture){.file = name, .split = split, .person = person};
    return d->picture_count++;
}

const char *laip_annotations_split(laip_annotations *a, const char *name)
{
    laip_dataset *d = a->d;
    for (size_t i = 0; i < d->split_count; i++)
        if (strcmp(d->splits[i], name) == 0)
            return d->splits[i];
    if (d->split_count == LAIP_SPLITS)
        return NULL;
    return d->splits[d->split_count++] = laip_arena_strndup(&d->arena, name, strlen(name));
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

/* Keeps the pictures that stays() is true of, and their captions; before or after these are grouped. */
static void keep(laip_dataset *d, bool (*stays)(const laip_picture *, const char *), const char *what)
{
    size_t *place = laip_alloc(d->picture_count + 1, sizeof *place), pictures = 0, captions = 0;
    for (size_t i = 0; i < d->picture_count; i++) {
        bool good = stays(&d->pictures[i], what);
        place[i] = good ? pictures : SIZE_MAX;
        if (good)
            d->pictures[pictures++] = d->pictures[i];
    }
    for (size_t i = 0; i < d->caption_count; i++)
        if (place[d->captions[i].picture] != SIZE_MAX) {
            d->captions[captions] = d->captions[i];
            d->captions[captions++].picture = place[d->captions[i].picture];
        }
    d->picture_count = pictures;
    d->caption_count = captions;
    free(place);
}

static bool is_of_split(const laip_picture *p, const char *split)
{
    return p->split && strcmp(p->split, split) == 0;
}

static bool is_there(const laip_picture *p, const char *unused)
{
    (void)unused;
    return !p->missing;
}

static bool add_text(laip_annotations *a, const char *name, const char *text, size_t length,
                     laip_error *error)
{
    json_error_t where;
    bool good;
    a->path = name;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark is no part of the text */
        text += 3;
        length -= 3;
    }
    json_t *top = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
    if (!top)
        good = laip_bad_input(error, "%s:%d:%d: %.300s, expected JSON", name, where.line, where.column,
                              where.text);
    else if (json_is_array(top))
        good = laip_annotations_list(a, top, error);
    else if (json_object_get(top, "images") || json_object_get(top, "annotations"))
        good = laip_annotations_coco(a, top, error);
    else
        good =
            laip_bad_input(error,
                           "%s: holds an object without images and annotations, expected a list of pictures "
                           "or COCO captions",
                           name);
    json_decref(top);
    laip_map_free(&a->names); /* pictures of one name in two files are two */
    return good;
}

static bool add_file(laip_annotations *a, const char *path, laip_error *error)
{
    char *text;
    size_t size;
    if (!laip_file_read(path, &text, &size, error))
        return false;
    bool good = add_text(a, path, text, size, error);
    free(text);
    return good;
}

/* All texts are read; wanted: the split in lower case, NULL for all. */
static bool finish(laip_annotations *a, bool good, const char *wanted, const laip_division *division,
                   laip_error *error)
{
    laip_dataset *d = a->d;
    bool divide = division && (division->val || division->test || *division->file);
    if (good && divide && !d->split_count) {
        good = laip_annotations_divide(a, division, error);
        if (good && wanted)
            keep(d, is_of_split, wanted);
    }
    laip_map_free(&a->persons);
    if (good)
        group_captions(d);
    else
        laip_dataset_free(d);
    d->no_such_split = good && wanted && d->split_count && !has_split(d, wanted);
    return good;
}

bool laip_dataset_parse(laip_dataset *d, const char *name, const char *text, size_t length, const char *split,
                        laip_error *error)
{
    *d = (laip_dataset){0};
    char *low = fold_split(split);
    laip_annotations a = {.d = d, .split = low};
    bool good = finish(&a, add_text(&a, name, text, length, error), low, NULL, error);
    free(low);
    return good;
}

/* How many of a few pictures, taken from all over the set, are under root. */
static size_t count_found(const laip_dataset *d, const char *root, size_t tries)
{
    size_t found = 0;
    laip_listing l;
    laip_listing_open(&l, root);
    for (size_t i = 0; i < tries; i++)
        found += laip_listing_find(&l, d->pictures[i * d->picture_count / tries].file) != NULL;
    laip_listing_close(&l);
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

/* The folder that a file is in. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return laip_strdup(".");
    return slash == path ? laip_strdup("/") : laip_strndup(path, (size_t)(slash - path));
}

typedef struct roots {
    laip_dataset *d;
    size_t tries, most;
} roots;

/* A folder, and those in it that are called imgs or images in any case. */
static void try_roots(roots *r, const char *folder)
{
    static const char *const names[] = {"imgs", "images", ""};
    laip_listing l;
    laip_listing_open(&l, folder);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *there = *names[i] ? laip_listing_find(&l, names[i]) : "";
        if (!there)
            continue;
        char *root = *there ? laip_path_join(folder, there) : laip_strdup(folder);
        size_t found = count_found(r->d, root, r->tries);
        if (found > r->most || (!r->tries && !r->d->root)) {
            free(r->d->root);
            r->d->root = root;
            r->most = found;
        } else
            free(root);
    }
    laip_listing_close(&l);
}

/* beside: the folder above is looked through too. */
static bool find_root(laip_dataset *d, const char *path, const char *folder, bool beside, laip_error *error)
{
    enum { TRIES = 32 };
    roots r = {.d = d, .tries = d->picture_count < TRIES ? d->picture_count : TRIES};
    if (!check_folder(folder, error))
        return false;
    try_roots(&r, folder);
    if (beside && r.most < r.tries) {
        char *above = laip_path_join(folder, "..");
        try_roots(&r, above);
        free(above);
    }
    return d->root || laip_bad_input(error,
                                     "%s: of its pictures %s and %zu others none is in %s, nor in imgs/ or "
                                     "images/ there%s, expected the folder of the pictures",
                                     path, r.tries ? d->pictures[0].file : "(none)",
                                     r.tries ? r.tries - 1 : 0, folder, beside ? " or beside it" : "");
}

/* Looks for every picture; names become those on the disk. */
static void look_for_pictures(laip_dataset *d)
{
    laip_listing l;
    laip_listing_open(&l, d->root);
    d->missing = 0;
    for (size_t i = 0; i < d->picture_count; i++) {
        laip_picture *p = &d->pictures[i];
        const char *found = laip_listing_find(&l, p->file);
        p->missing = !found;
        d->missing += !found;
        if (found && strcmp(found, p->file) != 0)
            p->file = laip_arena_strndup(&d->arena, found, strlen(found));
    }
    laip_listing_close(&l);
}

bool laip_dataset_read_divided(laip_dataset *d, const char *path, const char *images, const char *split,
                               const laip_division *division, laip_error *error)
{
    laip_source sources[LAIP_SOURCES];
    *d = (laip_dataset){0};
    size_t count = laip_sources_find(path, sources, error);
    if (!count)
        return false;
    char *low = fold_split(split);
    bool divide = division && (division->val || division->test || *division->file), good = true;
    laip_annotations a = {.d = d, .split = divide && !sources[0].split ? NULL : low};
    for (size_t i = 0; good && i < count; i++) {
        a.file_split = sources[i].split ? laip_annotations_split(&a, sources[i].split) : NULL;
        if (!a.file_split || !low || strcmp(low, a.file_split) == 0)
            good = add_file(&a, sources[i].path, error);
    }
    if (divide && !sources[0].split && good && low && d->split_count) /* it has splits after all */
        keep(d, is_of_split, low);
    good = finish(&a, good, low, division, error);
    bool given = images && *images;
    char *folder = given ? laip_strdup(images) : folder_of(sources[0].path);
    if (good && !(good = find_root(d, path, folder, !given, error)))
        laip_dataset_free(d);
    if (good) {
        d->file = laip_strdup(sources[0].path);
        look_for_pictures(d);
    }
    free(folder);
    free(low);
    laip_sources_free(sources, count);
    return good;
}

bool laip_dataset_read(laip_dataset *d, const char *path, const char *images, const char *split,
                       laip_error *error)
{
    return laip_dataset_read_divided(d, path, images, split, NULL, error);
}

void laip_dataset_drop_missing(laip_dataset *d)
{
    keep(d, is_there, NULL);
    for (size_t i = 0, at = 0; i < d->picture_count; at += d->pictures[i++].captions)
        d->pictures[i].first = at;
    d->missing = 0;
}

char *laip_dataset_missing(const laip_dataset *d)
{
    laip_str names = {0};
    size_t named = 0;
    for (size_t i = 0; i < d->picture_count && named < LAIP_NAMED; i++)
        if (d->pictures[i].missing)
            laip_str_addf(&names, "%s%s", named++ ? ", " : "", d->pictures[i].file);
    if (d->missing > named)
        laip_str_adds(&names, ", …");
    return names.text ? names.text : laip_strdup("");
}

void laip_dataset_free(laip_dataset *d)
{
    free(d->file);
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
