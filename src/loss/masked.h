/* The tokens that MPM and MLM predict, and their weights (src/model/README.md, 3.1 and 4). */
#ifndef LAIP_LOSS_MASKED_H
#define LAIP_LOSS_MASKED_H

#include "base/memory.h"
#include "data/batch.h"
#include "net/config.h"
#include "net/sequences.h"

/* Masked tokens, in increasing order of their rows; those of phrases come first. */
typedef struct laip_masked {
    size_t count, in_phrases;
    int32_t *row, *target; /* [count]: rows of the cross encoder's output, and the tokens masked there */
    int32_t *phrase;       /* [in_phrases]: which phrase each is of */
    float *weight;         /* [count]: each one's share in the objective */
    size_t token_rows;     /* of the output */
} laip_masked;

/* Each phrase's share in the objective, [batch->phrases], the arena's: (1/B) for all, or divided by the
 * phrases of its caption. */
float *laip_phrase_shares(laip_arena *arena, const laip_batch *batch, int reduction);

/* No tokens yet, of an output that holds `tokens`; the arrays are the arena's. */
laip_masked laip_masked_none(laip_arena *arena, const laip_sequences *tokens);
/* Adds those of the output's sequences first … first + batch->phrases − 1, the masked phrases; share is
 * theirs (laip_phrase_shares) and is divided evenly among a phrase's tokens. */
void laip_masked_add_phrases(laip_masked *m, laip_arena *arena, const laip_sequences *tokens, size_t first,
                             const laip_batch *batch, const float *share, float weight);
/* Adds those of the masked captions, sequences first … first + batch->size − 1; all weigh the same. */
void laip_masked_add_captions(laip_masked *m, const laip_sequences *tokens, size_t first,
                              const laip_batch *batch, float weight);

#endif
