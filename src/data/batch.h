/* One micro-batch as the loader prepares it and the model takes it: host memory, packed without padding. */
#ifndef LAIP_DATA_BATCH_H
#define LAIP_DATA_BATCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct laip_batch {
    int size;              /* b, (picture, caption) pairs */
    float *images;         /* [b, 3, H, W], augmented and normalised */
    const float *images_m; /* the momentum encoder's, when it is to see others; NULL: the same */
    uint64_t *sample;      /* [b], a global number of each sample: names its random streams */
    int32_t *person;       /* [b], dataset's ids */

    int32_t *caption_begin;  /* [b + 1], places in caption_ids */
    int32_t *caption_ids;    /* [CLS] and tokens */
    int32_t *caption_masked; /* the same with 15 % masked (80/10/10), for MLM; NULL when MLM is off */
    int32_t *caption_target; /* the masked token where one is, -1 elsewhere; NULL when MLM is off */

    int phrases;            /* p, of all captions; a caption may have none */
    int32_t *phrase_owner;  /* [p], index of the sample, not decreasing */
    int32_t *phrase_begin;  /* [p + 1], places in the three below */
    int32_t *phrase_ids;    /* [CLS] and tokens */
    int32_t *phrase_masked; /* the tokens of one word are [MASK] */
    int32_t *phrase_target; /* the masked token where one is, -1 elsewhere */

    /* The negatives of ITM when they are given and not drawn: [b] indices of samples, -1 for none; else NULL.
     */
    const int32_t *text_negative, *image_negative;
} laip_batch;

#endif
