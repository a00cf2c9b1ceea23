/* Lists of pictures: CUHK-PEDES, ICFG-PEDES, RSTPReid, and the processed lists of ALBEF and RaSa. */
#include "data/annotations.h"

#include "base/str.h"
#include <stdlib.h>
#include <string.h>

/* Which fields the entries have, as the first one shows; all must have them. */
typedef struct fields {
    const char *file, *captions, *person; /* person NULL: each picture is its own */
    bool named;                           /* persons are strings that are no numbers */
    bool split;
} fields;

typedef struct entry {
    const json_t *object;
    size_t index;
} entry;

static const char *first_of(const json_t *object, const char *const *names)
{
    for (; *names; names++)
        if (json_object_get(object, *names))
            return *names;
    return NULL;
}

static bool wrong(const laip_annotations *a, const entry *e, const char *field, const char *expected,
                  laip_error *error)
{
    const json_t *value = json_object_get(e->object, field);
    if (json_is_string(value))
        return laip_bad_input(error, "%s: entry %zu: %s is \"%.100s\", expected %s", a->path, e->index, field,
                              json_string_value(value), expected);
    return laip_bad_input(error, "%s: entry %zu: %s is %s, expected %s", a->path, e->index, field,
                          laip_json_kind(value), expected);
}

static bool parse_number(const char *text, json_int_t *value)
{
    char *end;
    *value = strtoll(text, &end, 10);
    return *text && strspn(text, "0123456789") == strlen(text) && !*end;
}

static bool find_fields(const laip_annotations *a, const entry *first, fields *f, laip_error *error)
{
    static const char *const files[] = {"file_path", "img_path", "image", NULL};
    static const char *const captions[] = {"captions", "caption", NULL};
    static const char *const persons[] = {"id", "image_id", NULL};
    json_int_t number;
    if (!json_is_object(first->object))
        return laip_bad_input(error, "%s: entry %zu is %s, expected an object", a->path, first->index,
                              laip_json_kind(first->object));
    f->file = first_of(first->object, files);
    f->captions = first_of(first->object, captions);
    f->person = first_of(first->object, persons);
    f->split = json_object_get(first->object, "split") != NULL;
    if (!f->file)
        return wrong(a, first, "file_path", "a string (or img_path, or image)", error);
    if (!f->captions)
        return wrong(a, first, "captions", "a list of strings (or caption)", error);
    if (!f->person && strcmp(f->captions, "captions") == 0)
        return wrong(a, first, "id", "a whole number (or image_id)", error);
    const json_t *id = f->person ? json_object_get(first->object, f->person) : NULL;
    f->named = json_is_string(id) && !parse_number(json_string_value(id), &number);
    return true;
}

static bool read_person(laip_annotations *a, const entry *e, const fields *f, int32_t *person,
                        laip_error *error)
{
    const json_t *id = json_object_get(e->object, f->person);
    json_int_t number = json_integer_value(id);
    if (f->named) {
        const char *name = json_string_value(id);
        if (!name || !*name)
            return wrong(a, e, f->person, "a name, as in the entries before", error);
        if (!laip_map_get(&a->persons, name, strlen(name), person)) {
            *person = (int32_t)a->persons.count;
            laip_map_set(&a->persons, name, strlen(name), *person);
        }
        return true;
    }
    if (!json_is_integer(id) && !(json_is_string(id) && parse_number(json_string_value(id), &number)))
        return wrong(a, e, f->person, "a whole number", error);
    if (number < 0 || number > INT32_MAX)
        return laip_bad_input(error, "%s: entry %zu: %s is %lld, expected 0 to %d", a->path, e->index,
                              f->person, (long long)number, INT32_MAX);
    *person = (int32_t)number;
    return true;
}

/* The dataset's own copy of the entry's split, in lower case. */
static bool read_split(laip_annotations *a, const entry *e, const char **split, laip_error *error)
{
    const json_t *value = json_object_get(e->object, "split");
    if (!json_is_string(value) || !json_string_length(value))
        return wrong(a, e, "split", "a string such as train, val or test, as in the other entries", error);
    char low[64];
    size_t n = json_string_length(value);
    if (n >= sizeof low)
        return wrong(a, e, "split", "a word such as train, val or test", error);
    for (size_t i = 0; i <= n; i++) {
        char c = json_string_value(value)[i];
        low[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    *split = laip_annotations_split(a, low);
    return *split || laip_bad_input(
                         error, "%s: entry %zu: split is \"%s\", the %dth different one, expected at most %d",
                         a->path, e->index, low, LAIP_SPLITS + 1, LAIP_SPLITS);
}

/* Adds the captions to the picture; with add false they are only looked at. */
static bool read_captions(laip_annotations *a, const entry *e, const char *field, bool add, size_t picture,
                          laip_error *error)
{
    const json_t *captions = json_object_get(e->object, field);
    if (json_is_string(captions) && add)
        laip_annotations_caption(a, picture, json_string_value(captions));
    if (json_is_string(captions))
        return true;
    if (!json_is_array(captions))
        return wrong(a, e, field, "a list of strings", error);
    for (size_t i = 0; i < json_array_size(captions); i++) {
        const json_t *text = json_array_get(captions, i);
        if (!json_is_string(text))
            return laip_bad_input(error, "%s: entry %zu: %s[%zu] is %s, expected a string", a->path, e->index,
                                  field, i, laip_json_kind(text));
        if (add)
            laip_annotations_caption(a, picture, json_string_value(text));
    }
    return true;
}

/* The picture of an entry: with one caption an entry, entries of one file are one picture. */
static bool find_picture(laip_annotations *a, const entry *e, const fields *f, const char *split,
                         int32_t person, size_t *picture, laip_error *error)
{
    const char *file = json_string_value(json_object_get(e->object, f->file));
    bool one_caption = json_is_string(json_object_get(e->object, f->captions));
    int32_t known;
    if (one_caption && laip_map_get(&a->names, file, strlen(file), &known)) {
        *picture = (size_t)known;
        if (f->person && a->d->pictures[known].person != person)
            return laip_bad_input(error,
                                  "%s: entry %zu: %s is of another person than in an earlier entry with %s "
                                  "\"%.200s\"",
                                  a->path, e->index, f->person, f->file, file);
        return true;
    }
    *picture = laip_annotations_picture(a, file, split, f->person ? person : (int32_t)e->index);
    if (one_caption)
        laip_map_set(&a->names, file, strlen(file), (int32_t)*picture);
    return true;
}

static bool read_entry(laip_annotations *a, const entry *e, const fields *f, laip_error *error)
{
    if (!json_is_object(e->object))
        return laip_bad_input(error, "%s: entry %zu is %s, expected an object", a->path, e->index,
                              laip_json_kind(e->object));
    const json_t *file = json_object_get(e->object, f->file);
    const char *split = NULL;
    int32_t person = 0;
    if (!json_is_string(file) || !json_string_length(file))
        return wrong(a, e, f->file, "the name of a file", error);
    if (f->person && !read_person(a, e, f, &person, error))
        return false;
    if ((f->split || json_object_get(e->object, "split")) && !read_split(a, e, &split, error))
        return false;
    if (split && !f->split)
        return laip_bad_input(error, "%s: entry %zu: has a split, which the entries before it have not",
                              a->path, e->index);
    if (!split)
        split = a->file_split;
    bool wanted = !a->split || !split || strcmp(split, a->split) == 0;
    size_t picture = 0;
    if (wanted && !find_picture(a, e, f, split, person, &picture, error))
        return false;
    return read_captions(a, e, f->captions, wanted, picture, error);
}

bool laip_annotations_list(laip_annotations *a, const json_t *top, laip_error *error)
{
    size_t n = json_array_size(top);
    if (n == 0)
        return laip_bad_input(error, "%s: is an empty list, expected pictures", a->path);
    if (n > INT32_MAX / 2)
        return laip_bad_input(error, "%s: has %zu entries, expected at most %d", a->path, n, INT32_MAX / 2);
    fields f = {0};
    entry e = {json_array_get(top, 0), 0};
    if (!find_fields(a, &e, &f, error))
        return false;
    a->d->entries += n;
    for (; e.index < n; e.index++) {
        e.object = json_array_get(top, e.index);
        if (!read_entry(a, &e, &f, error))
            return false;
    }
    return true;
}
