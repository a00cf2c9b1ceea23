/* A network so small that a step takes milliseconds, and batches of random pictures and tokens for it: three
 * pairs, four phrases, the second caption without one. */
#ifndef LAIP_TESTS_SUPPORT_TINY_H
#define LAIP_TESTS_SUPPORT_TINY_H

#include "base/memory.h"
#include "model/step.h"

enum { LAIP_TINY_BATCH = 3 };

laip_model_config laip_tiny_sizes(void);
laip_step_sizes laip_tiny_step_sizes(void); /* of one micro-batch */
laip_loss_config laip_tiny_losses(void);    /* all there are; the first cross layer looks */
/* A model for training, its momentum copies those of its weights, and its step. */
void laip_tiny_create(laip_model *model, laip_step *step, const laip_model_config *sizes,
                      const laip_loss_config *losses);
/* The same for the same seed; its arrays are the arena's. */
laip_batch laip_tiny_batch(laip_arena *arena, const laip_model_config *sizes, uint64_t seed);

/* Random weights for the matching head, which begins at zero: else every pair scores the same. */
void laip_test_fill_head(laip_model *model, uint64_t seed);

#endif
