/* Annotation files as their authors publish them, recognised by content:
 *   a list of pictures: objects with
 *     the picture   file_path (CUHK-PEDES, ICFG-PEDES, RaSa), img_path (RSTPReid) or image (ALBEF),
 *     its captions  captions, or caption: a list of strings or one string; ALBEF's training lists have one
 *                   object a caption, and those of one picture are brought together,
 *     the person    id or image_id: whole numbers, used as they are, whatever they start from; strings that
 * are no numbers are numbered as they appear in the file; without one each picture is its own person (only
 * lists with caption may do so), the split     split, in any case; a file has it in all of its objects or in
 * none (CUHK-PEDES caption_all.json, the processed lists: the whole file is the split, or is divided by
 * persons); COCO captions: an object with images[] and annotations[]; every picture is its own person, by its
 * id.
 *
 * Backslashes in the names of pictures are slashes, and upper and lower case need not be as on the disk. */
#ifndef LAIP_DATA_DATASET_H
#define LAIP_DATA_DATASET_H

#include "base/error.h"
#include "base/memory.h"
#include <stdatomic.h>
#include <stdint.h>

typedef struct laip_picture {
    const char *file;  /* under root */
    const char *split; /* in lower case; NULL where the file has none */
    int32_t person;
    bool missing;           /* it is not there */
    atomic_bool told;       /* that it is damaged within, which is said once */
    size_t first, captions; /* its captions lie one after another */
} laip_picture;

typedef struct laip_caption {
    const char *text;
    size_t picture;
} laip_caption;

enum { LAIP_SPLITS = 16, LAIP_NAMED = 5 }; /* different splits a file may have; missing pictures named */

/* How a list without splits is divided: so many persons for val and test, drawn by the seed; or by a file of
 * ids,
 * {"val": [ids], "test": [ids]}.  The others are for training. */
typedef struct laip_division {
    int val, test;
    uint64_t seed;
    const char *file; /* "": none */
} laip_division;

typedef struct laip_dataset {
    laip_arena arena;
    char *file; /* the annotations that were read, the first of several; NULL: a text was parsed */
    char *root; /* folder that files are under */
    laip_picture *pictures;
    size_t picture_count;
    laip_caption *captions;
    size_t caption_count;
    size_t entries;                  /* of the file, all splits */
    const char *splits[LAIP_SPLITS]; /* those of the file, in lower case, as they appear */
    size_t split_count;              /* 0: the file has none, and all of it was read */
    bool no_such_split;              /* the file has splits, but not the one that was asked for */
    bool divided;                    /* its splits are those of a division */
    size_t missing;                  /* pictures that are not under root */
    int pillow;                      /* laip_pillow, by which its pictures are resized */
    bool as_stored;                  /* EXIF's orientation is ignored */
} laip_dataset;

/* Reads the entries of `split` (any case; NULL or "": all).  path: an annotation file, or the folder that it
 * is in (data/find.h).  images: the folder of the pictures, or one above it with imgs/ or images/; NULL or
 * "": found beside the file, or beside its folder.  Of these places the one is taken that has most of a few
 * pictures tried; then every picture is looked for, and those that are not there are counted and marked.  A
 * split that the file does not have gives no pictures, and no_such_split, which is not an error here.
 * division (NULL: none) is for files without splits, and does nothing to others.  Bad input, named by file,
 * entry (from 0) and field: what is missing or of a wrong type, in any split; no such folder; none of the
 * pictures tried in any place. */
bool laip_dataset_read(laip_dataset *d, const char *path, const char *images, const char *split,
                       laip_error *error);
bool laip_dataset_read_divided(laip_dataset *d, const char *path, const char *images, const char *split,
                               const laip_division *division, laip_error *error);
/* Leaves out the pictures that are not there, with their captions. */
void laip_dataset_drop_missing(laip_dataset *d);
/* The first LAIP_NAMED missing pictures: "a.jpg, b.jpg, …"; the caller frees it. */
char *laip_dataset_missing(const laip_dataset *d);
/* The same from the text of a file, without looking for pictures: root stays NULL. */
bool laip_dataset_parse(laip_dataset *d, const char *name, const char *text, size_t length, const char *split,
                        laip_error *error);
void laip_dataset_free(laip_dataset *d);
char *laip_dataset_file(const laip_dataset *d, size_t picture); /* its path; free() releases it */

#endif
