/* One training step: the momentum pass of all micro-batches, then forward and backward of each, then the
 * update.
 *
 *   laip_step_begin(s);                                 momentum copies move, gradients become zero
 *   laip_step_momentum(s, batch, i)   for each own i    features of micro-batch i into the keys
 *   … ranks exchange features and persons (laip_step_keys)
 *   laip_step_micro(s, batch, i, …)   for each own i    losses; gradients accumulate
 *   … ranks sum gradients
 *   laip_step_end(s, optimiser, t)                      AdamW, τ clamped, the queue takes the batch
 *
 * A step is three passes: images, texts (captions, phrases, masked phrases), pairs through the cross encoder.
 */
#ifndef LAIP_MODEL_STEP_H
#define LAIP_MODEL_STEP_H

#include "data/batch.h"
#include "loss/bidiratt.h"
#include "loss/itc.h"
#include "loss/itm.h"
#include "model/keys.h"
#include "model/model.h"
#include "model/optimiser.h"

/* The most that one micro-batch may hold: what the buffers are laid out for. */
typedef struct laip_step_sizes {
    size_t batch, micro_batches;          /* b, and M of the whole step over all ranks */
    size_t caption_rows, longest_caption; /* tokens: of a micro-batch's captions, of one */
    size_t phrases, phrase_rows, longest_phrase;
    bool recompute; /* keep only the layers' inputs, and make the rest again in the backward: time for memory
                     */
} laip_step_sizes;

typedef struct laip_losses {
    double value[LAIP_LOSSES]; /* of each term, unweighted; 0 of one that is left out */
    double total;              /* weighted */
} laip_losses;

typedef struct laip_step {
    laip_model *model;
    laip_loss_config loss;
    laip_step_sizes sizes;
    uint64_t seed;
    laip_optimiser optimiser;
    laip_plan *plan;
    laip_context context;
    laip_queue queue;
    uint64_t
        momentum_key; /* of the step, for the momentum text encoder's masks, where the loss asks for them */
    laip_vit_pass vit, vit_m;
    laip_text_pass text, text_m;
    laip_cross_pass cross;
    laip_itc itc;
    laip_itm itm;
    laip_mpm mpm;
    laip_bidiratt bidiratt;
    laip_feed *pixels; /* of the images */
    const float *fed;  /* what of this step is there already, or NULL */
    laip_mem fed_mem;
    laip_download
        *drawn; /* negatives, on their way to the host: their lengths decide the cross batch's rows */
    bool keeps_packed;
    /* of the last micro-batch, for those who look: */
    size_t match_rows, masked_in_phrases;
    bool predicts; /* MPM or MLM */
} laip_step;

/* Bytes of the step's buffers: for --plan. */
bool laip_step_create(laip_step *s, laip_model *model, const laip_loss_config *loss,
                      const laip_step_sizes *sizes, uint64_t seed, laip_error *error);
size_t laip_step_bytes(laip_model *model, const laip_loss_config *loss, const laip_step_sizes *sizes);
void laip_step_free(laip_step *s);

/* For whoever has several micro-batches a step, before each: the products meet every weight several times,
 * and so weights stay packed within it, in half of the memory that the device has left.  The same bits. */
void laip_step_keep_packed(laip_step *s);
void laip_step_begin(laip_step *s, float momentum);
void laip_step_momentum(laip_step *s, const laip_batch *batch, size_t index);
/* Forward and backward of micro-batch `index` of step `step`; waits for nothing but, where negatives are
 * drawn, what they are drawn from. */
bool laip_step_micro(laip_step *s, const laip_batch *batch, size_t index, uint64_t step, laip_error *error);
bool laip_step_end(laip_step *s, const laip_optimiser_config *o, uint64_t t, laip_error *error);

/* What came of the step before the last one that ended; no waiting.  False: there is none yet. */
bool laip_step_report(laip_step *s, laip_report *report);
bool laip_step_report_last(laip_step *s, laip_report *report); /* of the last one: waits for it */
/* The losses of a report, or of the micro-batches since laip_step_begin (which waits): means over the global
 * batch once those of all ranks are added up. */
laip_losses laip_step_losses_of(const laip_step *s, const laip_report *report);
bool laip_step_losses(laip_step *s, laip_losses *losses, laip_error *error);

/* The images as the device has them: for the passes of momentum and of a micro-batch. */
laip_mem laip_step_feed(laip_step *s, const float *images, size_t count);

#endif
