/* Annotation files as their authors publish them, recognised by content:
 *   CUHK-PEDES reid_raw.json and caption_all.json, ICFG-PEDES.json: objects with captions, file_path, id (and
 * split); RSTPReid data_captions.json: img_path instead of file_path; ALBEF's and RaSa's processed lists:
 * image or file_path, caption a string or a list, image_id; COCO captions: images[] and annotations[], every
 * picture its own person. Ids are used as they are published, whatever they start from. */
#ifndef LAIP_DATA_DATASET_H
#define LAIP_DATA_DATASET_H

#include "base/memory.h"
#include "laip/error.h"
#include <stdint.h>

typedef struct laip_picture {
    const char *file; /* as the annotations name it */
    int32_t person;
    size_t first, captions; /* its captions lie one after another */
} laip_picture;

typedef struct laip_caption {
    const char *text;
    size_t picture;
} laip_caption;

typedef struct laip_dataset {
    laip_arena arena;
    char *root; /* folder that files are under */
    laip_picture *pictures;
    size_t picture_count;
    laip_caption *captions;
    size_t caption_count;
    size_t entries; /* of the file, all splits */
} laip_dataset;

/* Reads the entries of `split` (any case; NULL: all).  images NULL or "": imgs/, images/ or the folder itself
 * beside the file, whichever holds the first picture.  A split that the file does not have gives no pictures,
 * which is not an error here. */
bool laip_dataset_read(laip_dataset *d, const char *path, const char *images, const char *split,
                       laip_error *error);
void laip_dataset_free(laip_dataset *d);
char *laip_dataset_file(const laip_dataset *d, size_t picture); /* its path; free() releases it */

#endif
