/* What the text and the cross batch of a micro-batch hold (src/model/README.md, 6): on the host, before
 * anything is launched.
 *
 * Text batch:  [captions] [plain phrases] [masked phrases] [masked captions], as far as the losses want them.
 * Cross batch: [masked phrases] [pairs] [negative image, text] [image, negative text] [masked captions].  The
 * phrases come first, so that the pass that finds a← sees a prefix of every matrix.  Of the pairs only [CLS]
 * leaves the last layer. */
#ifndef LAIP_MODEL_LAYOUT_H
#define LAIP_MODEL_LAYOUT_H

#include "base/memory.h"
#include "data/batch.h"
#include "net/cross_encoder.h"

/* Which parts there are. */
typedef struct laip_parts {
    bool matches; /* pairs and their negatives */
    bool masks;   /* masked phrases */
    bool aligns;  /* plain phrases: BidirAtt */
    bool mlm;     /* masked captions */
} laip_parts;
laip_parts laip_parts_of(const laip_loss_config *loss, const laip_batch *batch);

typedef struct laip_text_layout {
    const int32_t *ids;                            /* [rows]: tokens */
    size_t plain, masked_phrases, masked_captions; /* first sequences of the parts; captions begin at 0 */
} laip_text_layout;
/* Fills `tokens`, which it clears first; arrays are the arena's. */
laip_text_layout laip_lay_out_text(laip_arena *arena, const laip_batch *batch, laip_parts parts,
                                   laip_sequences *tokens);

/* Indices of samples of the micro-batch, −1 for none. */
typedef struct laip_negatives {
    const int32_t *text, *image; /* [B]: for image i, and for text i */
} laip_negatives;

typedef struct laip_cross_layout {
    const int32_t *source;                   /* [rows]: rows of the text batch */
    size_t pairs, captions;                  /* first sequences of the parts; masked phrases begin at 0 */
    const int32_t *match_row;                /* [matches]: rows of the output that hold the pairs' [CLS] */
    size_t matches;                          /* pairs and their negatives */
    const int32_t *text_match, *image_match; /* [B]: which of these are the negatives of pair i, or −1 */
} laip_cross_layout;
/* Fills pass->tokens and pass->selection, cleared first, from the text batch. */
laip_cross_layout laip_lay_out_cross(laip_arena *arena, const laip_batch *batch, laip_parts parts,
                                     const laip_text_layout *text, const laip_sequences *text_tokens,
                                     laip_negatives negatives, laip_cross_pass *pass);

#endif
