/* A packed batch of token sequences: where each begins, which image it reads, and the tables on the device
 * that say so.  Linear layers, norms and activations see only its rows; attention, embedding and dropout see
 * these tables. */
#ifndef LAIP_NET_SEQUENCES_H
#define LAIP_NET_SEQUENCES_H

#include "device/buffer.h"
#include "ops/attention.h"
#include "ops/dropout.h"

typedef struct laip_sequences {
    size_t count, rows, longest;                /* now */
    size_t most_count, most_rows, most_longest; /* what the tables were laid out for */
    int32_t *begin;                             /* host, [count + 1] */
    uint64_t *id;                               /* host, [count]: names each sequence's random streams */
    laip_ints d_begin, d_identity, d_row_sequence, d_id;
    /* when it reads images */
    size_t blocks, most_blocks, block_rows;
    int32_t *image; /* host, [count] */
    laip_ints d_image, d_block_begin, d_block_sequences_begin, d_block_sequences;
} laip_sequences;

/* Lays out tables for up to these counts; most_blocks 0: it reads no images. */
void laip_sequences_plan(laip_sequences *s, laip_plan *plan, size_t most_count, size_t most_rows,
                         size_t most_longest, size_t most_blocks);
void laip_sequences_free(laip_sequences *s); /* the host's arrays */

void laip_sequences_clear(laip_sequences *s);
/* Adds a sequence of length rows; returns its index.  image is ignored when it reads none. */
size_t laip_sequences_add(laip_sequences *s, size_t length, int32_t image, uint64_t id);
/* Uploads the tables once all are added.  blocks images of block_rows tokens each (0, 0 without images). */
void laip_sequences_upload(laip_sequences *s, laip_device *device, size_t blocks, size_t block_rows);
/* `count` sequences of equal length, as the image encoder has them. */
void laip_sequences_uniform(laip_sequences *s, laip_device *device, size_t count, size_t length);

/* The attention of the batch's first `count` sequences among themselves, and to their images. */
laip_attention laip_sequences_self(const laip_sequences *s, size_t count, int heads, int head_size,
                                   float dropout);
laip_attention laip_sequences_cross(const laip_sequences *s, size_t count, int heads, int head_size,
                                    float dropout);
/* The attention of s's sequences, which hold some rows of those of `whole`, onto all of the latter's. */
laip_attention laip_sequences_onto(const laip_sequences *s, const laip_sequences *whole, size_t count,
                                   int heads, int head_size, float dropout);
/* The mask of a dropout of the batch's rows. */
laip_dropout_mask laip_sequences_mask(const laip_sequences *s, laip_rng_key stream, float p);

#endif
