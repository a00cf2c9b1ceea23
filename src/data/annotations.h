/* What the readers of annotation files share: a dataset that is being filled from a JSON tree. */
#ifndef LAIP_DATA_ANNOTATIONS_H
#define LAIP_DATA_ANNOTATIONS_H

#include "base/map.h"
#include "data/dataset.h"
#include <jansson.h>

typedef struct laip_annotations {
    laip_dataset *d;
    const char *path;       /* of the file, for errors */
    const char *split;      /* wanted; NULL: all */
    const char *file_split; /* of entries that have none, where the file is one split; NULL: none */
    size_t room, text_room; /* capacities of pictures and captions */
    laip_map names;         /* pictures by file, in lists of one caption an entry */
    laip_map persons;       /* numbers of ids that are strings */
} laip_annotations;

const char *laip_json_kind(const json_t *value); /* "a list", "missing", … */
/* Adds a picture; its number. */
size_t laip_annotations_picture(laip_annotations *a, const char *file, const char *split, int32_t person);
/* Adds a caption to any picture so far. */
void laip_annotations_caption(laip_annotations *a, size_t picture, const char *text);

/* The dataset's own copy of a split's name, which is in lower case; NULL: it has as many as it can. */
const char *laip_annotations_split(laip_annotations *a, const char *name);
/* Gives every picture a split, by its person. */
bool laip_annotations_divide(laip_annotations *a, const laip_division *by, laip_error *error);

bool laip_annotations_list(laip_annotations *a, const json_t *top, laip_error *error);
bool laip_annotations_coco(laip_annotations *a, const json_t *top, laip_error *error);

#endif
