/* COCO captions: images[] with id and file_name, annotations[] with image_id and caption. */
#include "data/annotations.h"

#include <stdio.h>
#include <string.h>

static bool wrong(const laip_annotations *a, const char *list, size_t i, const char *field,
                  const json_t *value, const char *expected, laip_error *error)
{
    return laip_bad_input(error, "%s: %s[%zu]: %s is %s, expected %s", a->path, list, i, field,
                          laip_json_kind(value), expected);
}

/* The digits of an id, as the key of a map; returns their number. */
static size_t write_key(const json_t *id, char key[24])
{
    return (size_t)snprintf(key, 24, "%lld", (long long)json_integer_value(id));
}

static bool read_image(laip_annotations *a, const json_t *image, size_t i, laip_map *index, laip_error *error)
{
    const json_t *id = json_object_get(image, "id"), *file = json_object_get(image, "file_name");
    char key[24];
    int32_t before;
    if (!json_is_object(image))
        return laip_bad_input(error, "%s: images[%zu] is %s, expected an object", a->path, i,
                              laip_json_kind(image));
    if (!json_is_integer(id))
        return wrong(a, "images", i, "id", id, "a whole number", error);
    if (!json_is_string(file) || !json_string_length(file))
        return wrong(a, "images", i, "file_name", file, "the name of a file", error);
    size_t length = write_key(id, key);
    if (json_integer_value(id) < 0 || json_integer_value(id) > INT32_MAX)
        return laip_bad_input(error, "%s: images[%zu]: id is %s, expected 0 to %d", a->path, i, key,
                              INT32_MAX);
    if (laip_map_get(index, key, length, &before))
        return laip_bad_input(error, "%s: images[%zu]: id %s is that of images[%d] too", a->path, i, key,
                              (int)before);
    laip_map_set(index, key, length, (int32_t)i);
    laip_annotations_picture(a, json_string_value(file), a->file_split, (int32_t)json_integer_value(id));
    return true;
}

static bool read_annotation(laip_annotations *a, const json_t *annotation, size_t i, const laip_map *index,
                            laip_error *error)
{
    const json_t *id = json_object_get(annotation, "image_id"),
                 *text = json_object_get(annotation, "caption");
    char key[24];
    int32_t picture;
    if (!json_is_object(annotation))
        return laip_bad_input(error, "%s: annotations[%zu] is %s, expected an object", a->path, i,
                              laip_json_kind(annotation));
    if (!json_is_integer(id))
        return wrong(a, "annotations", i, "image_id", id, "a whole number", error);
    if (!json_is_string(text))
        return wrong(a, "annotations", i, "caption", text, "a string", error);
    if (!laip_map_get(index, key, write_key(id, key), &picture))
        return laip_bad_input(error, "%s: annotations[%zu]: image_id is %s, expected the id of one of images",
                              a->path, i, key);
    laip_annotations_caption(a, (size_t)picture, json_string_value(text));
    return true;
}

bool laip_annotations_coco(laip_annotations *a, const json_t *top, laip_error *error)
{
    const json_t *images = json_object_get(top, "images"), *annotations = json_object_get(top, "annotations");
    if (!json_is_array(images))
        return laip_bad_input(error, "%s: images is %s, expected a list", a->path, laip_json_kind(images));
    if (!json_is_array(annotations))
        return laip_bad_input(error, "%s: annotations is %s, expected a list", a->path,
                              laip_json_kind(annotations));
    if (json_array_size(images) > INT32_MAX)
        return laip_bad_input(error, "%s: has %zu images, expected at most %d", a->path,
                              json_array_size(images), INT32_MAX);
    laip_map index = {0};
    bool good = true;
    a->d->entries += json_array_size(images);
    for (size_t i = 0; good && i < json_array_size(images); i++)
        good = read_image(a, json_array_get(images, i), i, &index, error);
    for (size_t i = 0; good && i < json_array_size(annotations); i++)
        good = read_annotation(a, json_array_get(annotations, i), i, &index, error);
    laip_map_free(&index);
    return good;
}
