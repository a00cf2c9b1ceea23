#include "data/dataset.h"

#include "base/file.h"
#include "base/map.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef struct reader {
    laip_dataset *d;
    const char *path, *split;
    size_t pictures, captions; /* capacities */
} reader;

static const char *kind(const json_t *v)
{
    static const char *const names[] = {"an object", "a list", "a string", "a whole number",
                                        "a number",  "true",   "false",    "null"};
    return v ? names[json_typeof(v)] : "missing";
}

static laip_picture *add_picture(reader *r, const char *file, json_int_t person)
{
    laip_dataset *d = r->d;
    void *array = d->pictures;
    laip_grow(&array, &r->pictures, d->picture_count + 1, sizeof *d->pictures);
    d->pictures = array;
    laip_picture *p = &d->pictures[d->picture_count++];
    *p = (laip_picture){.file = laip_arena_strndup(&d->arena, file, strlen(file)),
                        .person = (int32_t)person,
                        .first = d->caption_count};
    return p;
}

static void add_caption(reader *r, const char *text)
{
    laip_dataset *d = r->d;
    void *array = d->captions;
    laip_grow(&array, &r->captions, d->caption_count + 1, sizeof *d->captions);
    d->captions = array;
    d->captions[d->caption_count++] =
        (laip_caption){laip_arena_strndup(&d->arena, text, strlen(text)), d->picture_count - 1};
    d->pictures[d->picture_count - 1].captions++;
}

static json_t *either(json_t *entry, const char *a, const char *b, const char *c)
{
    json_t *v = json_object_get(entry, a);
    v = v ? v : json_object_get(entry, b);
    return v || !c ? v : json_object_get(entry, c);
}

static bool entry_captions(reader *r, json_t *captions, size_t i, laip_error *error)
{
    if (json_is_string(captions)) {
        add_caption(r, json_string_value(captions));
        return true;
    }
    if (!json_is_array(captions))
        return laip_bad_input(error, "%s: entry %zu: captions is %s, expected a list of strings", r->path, i,
                              kind(captions));
    for (size_t k = 0; k < json_array_size(captions); k++) {
        json_t *text = json_array_get(captions, k);
        if (!json_is_string(text))
            return laip_bad_input(error, "%s: entry %zu: captions[%zu] is %s, expected a string", r->path, i,
                                  k, kind(text));
        add_caption(r, json_string_value(text));
    }
    return true;
}

/* ids in ALBEF's lists may be strings; a number is expected in them then */
static bool person_of(reader *r, json_t *id, size_t i, json_int_t *person, laip_error *error)
{
    char *end;
    if (json_is_integer(id))
        *person = json_integer_value(id);
    else if (json_is_string(id) && *json_string_value(id)) {
        *person = strtoll(json_string_value(id), &end, 10);
        if (*end)
            return laip_bad_input(error, "%s: entry %zu: id is \"%s\", expected a whole number", r->path, i,
                                  json_string_value(id));
    } else
        return laip_bad_input(error, "%s: entry %zu: id is %s, expected a whole number", r->path, i,
                              kind(id));
    return (*person >= 0 && *person <= INT32_MAX) ||
           laip_bad_input(error, "%s: entry %zu: id is %lld, expected 0 to %d", r->path, i,
                          (long long)*person, INT32_MAX);
}

static bool read_entry(reader *r, json_t *entry, size_t i, laip_error *error)
{
    if (!json_is_object(entry))
        return laip_bad_input(error, "%s: entry %zu is %s, expected an object", r->path, i, kind(entry));
    json_t *file = either(entry, "file_path", "img_path", "image"), *split = json_object_get(entry, "split");
    json_t *captions = either(entry, "captions", "caption", NULL),
           *id = either(entry, "id", "image_id", NULL);
    json_int_t person = (json_int_t)i;
    if (!json_is_string(file))
        return laip_bad_input(error, "%s: entry %zu: file_path is %s, expected a string", r->path, i,
                              kind(file));
    if (split && !json_is_string(split))
        return laip_bad_input(error, "%s: entry %zu: split is %s, expected a string", r->path, i,
                              kind(split));
    if (r->split && split && strcasecmp(json_string_value(split), r->split) != 0)
        return true;
    if (!captions)
        return laip_bad_input(error, "%s: entry %zu: captions is missing, expected a list of strings",
                              r->path, i);
    if (id ? !person_of(r, id, i, &person, error) : json_object_get(entry, "caption") == NULL)
        return id ? false
                  : laip_bad_input(error, "%s: entry %zu: id is missing, expected a whole number", r->path,
                                   i);
    laip_dataset *d = r->d; /* ALBEF's lists have an entry a caption: entries of one picture that follow each
                               other are one */
    laip_picture *last = d->picture_count ? &d->pictures[d->picture_count - 1] : NULL;
    if (!last || !json_is_string(captions) || strcmp(last->file, json_string_value(file)) != 0)
        add_picture(r, json_string_value(file), person);
    return entry_captions(r, captions, i, error);
}

static bool read_coco(reader *r, json_t *top, laip_error *error)
{
    json_t *images = json_object_get(top, "images"), *annotations = json_object_get(top, "annotations");
    laip_map index = {0};
    char key[32];
    bool good = true;
    if (!json_is_array(images) || !json_is_array(annotations))
        return laip_bad_input(error, "%s: images is %s and annotations is %s, expected two lists", r->path,
                              kind(images), kind(annotations));
    size_t n = json_array_size(images);
    json_t **captions = laip_alloc(n, sizeof *captions);
    for (size_t i = 0; good && i < n; i++) {
        json_t *id = json_object_get(json_array_get(images, i), "id");
        if (!json_is_integer(id) || !json_is_string(json_object_get(json_array_get(images, i), "file_name")))
            good = laip_bad_input(
                error, "%s: images[%zu]: id is %s, file_name is %s, expected a number and a string", r->path,
                i, kind(id), kind(json_object_get(json_array_get(images, i), "file_name")));
        snprintf(key, sizeof key, "%lld", (long long)json_integer_value(id));
        laip_map_set(&index, key, strlen(key), (int32_t)i);
        captions[i] = json_array();
    }
    for (size_t i = 0; good && i < json_array_size(annotations); i++) {
        json_t *a = json_array_get(annotations, i), *id = json_object_get(a, "image_id"),
               *text = json_object_get(a, "caption");
        int32_t at;
        snprintf(key, sizeof key, "%lld", (long long)json_integer_value(id));
        if (!json_is_integer(id) || !json_is_string(text))
            good = laip_bad_input(
                error, "%s: annotations[%zu]: image_id is %s, caption is %s, expected a number and a string",
                r->path, i, kind(id), kind(text));
        else if (!laip_map_get(&index, key, strlen(key), &at))
            good = laip_bad_input(error, "%s: annotations[%zu]: image_id %s is no picture of images", r->path,
                                  i, key);
        else
            json_array_append(captions[at], text);
    }
    for (size_t i = 0; good && i < n; i++) {
        json_t *image = json_array_get(images, i);
        if (json_array_size(captions[i]) == 0)
            continue;
        add_picture(r, json_string_value(json_object_get(image, "file_name")), (json_int_t)i);
        good = entry_captions(r, captions[i], i, error);
    }
    for (size_t i = 0; i < n; i++)
        json_decref(captions[i]);
    free(captions);
    laip_map_free(&index);
    return good;
}

static bool find_root(laip_dataset *d, const char *path, const char *images, laip_error *error)
{
    static const char *const names[] = {"imgs", "images", "."};
    if (images && *images) {
        d->root = laip_strdup(images);
        return access(images, X_OK) == 0 || laip_bad_input(error, "%s: no such folder of pictures", images);
    }
    char *folder = laip_strdup(path), *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < 3 && !d->root; i++) {
        char *root = laip_path_join(slash ? folder : ".", names[i]);
        char *file = d->picture_count ? laip_path_join(root, d->pictures[0].file) : laip_strdup(root);
        if (access(file, R_OK) == 0)
            d->root = root;
        else
            free(root);
        free(file);
    }
    free(folder);
    return d->root ||
           laip_bad_input(error,
                          "%s: its first picture, %s, is neither in imgs/ nor in images/ nor beside it; "
                          "name the folder of pictures",
                          path, d->picture_count ? d->pictures[0].file : "(none)");
}

bool laip_dataset_read(laip_dataset *d, const char *path, const char *images, const char *split,
                       laip_error *error)
{
    char *text;
    size_t size;
    json_error_t where;
    *d = (laip_dataset){0};
    reader r = {.d = d, .path = path, .split = split};
    if (!laip_file_read(path, &text, &size, error))
        return false;
    json_t *top = json_loadb(text, size, 0, &where);
    free(text);
    bool good = true;
    if (!top)
        good =
            laip_bad_input(error, "%s:%d:%d: %s, expected JSON", path, where.line, where.column, where.text);
    else if (json_is_object(top))
        good = read_coco(&r, top, error);
    else if (!json_is_array(top))
        good = laip_bad_input(error, "%s: holds %s, expected a list of pictures", path, kind(top));
    else
        for (size_t i = 0; good && i < json_array_size(top); i++)
            good = read_entry(&r, json_array_get(top, i), i, error);
    d->entries = json_is_array(top) ? json_array_size(top) : d->picture_count;
    json_decref(top);
    good = good && find_root(d, path, images, error);
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
