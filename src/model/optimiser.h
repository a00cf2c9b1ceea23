/* The optimiser: AdamW over the flat parameters, the scale of the loss, the momentum copies' move, and the
 * report of a step (src/model/README.md, 4).
 *
 * All that a step decides by its gradients stays on the device, in the report (cl/shared.h): the clip factor,
 * whether the step is skipped, the scale.  The host is told one step later, without waiting. */
#ifndef LAIP_MODEL_OPTIMISER_H
#define LAIP_MODEL_OPTIMISER_H

#include "model/params.h"

/* Halves have few small numbers: with them the loss is multiplied by `scale`, as large as the gradients
 * allow. A step whose gradients are not finite is skipped and the scale halved; after LAIP_SCALE_STEPS good
 * ones it doubles.  With floats it is 1. */
typedef struct laip_scaling {
    float scale;
    uint64_t good, skipped; /* steps since the scale changed; of this optimiser */
} laip_scaling;
enum { LAIP_SCALE_STEPS = 2000 };

/* What came of a step. */
typedef struct laip_report {
    uint64_t step;            /* as it was given to laip_optimiser_step */
    float value[LAIP_LOSSES]; /* of this rank's share of the losses: laip_step_losses */
    float norm;               /* of the gradient before it was cut; not finite where it is not */
    float clip, scale;        /* factor that it was cut by; of the loss */
    bool bad;          /* it was skipped, and not as one of those by which the scale of halves is found */
    bool skipped;      /* nothing changed */
    float temperature; /* after the step */
} laip_report;

typedef struct laip_optimiser {
    laip_params *params;
    laip_mat report, square_sum, scratch; /* [1, LAIP_REPORT_SIZE], [1, 1], and for sums */
    laip_download *reads[2];              /* the report, of two steps in turn */
    uint64_t step[2];                     /* of which steps; 0: none */
    int last;                             /* which of them is the last one's */
    bool scaled;
} laip_optimiser;

bool laip_optimiser_create(laip_optimiser *o, laip_params *params, bool scaled, laip_error *error);
void laip_optimiser_free(laip_optimiser *o);

/* The losses in the report become 0. */
void laip_optimiser_begin(laip_optimiser *o);
/* One AdamW step, t counted from 1 and clipped to config->clip_norm; then the temperature is clamped, and the
 * report is on its way to the host. */
void laip_optimiser_step(laip_optimiser *o, const laip_optimiser_config *config, uint64_t t,
                         laip_mat temperature);
/* m ← μ m + (1 − μ) p for the momentum copies. */
void laip_optimiser_ema_update(laip_optimiser *o, float mu);

/* The report of the step before the last; the device is through with it, or all but.  False: there is none.
 */
bool laip_optimiser_report(laip_optimiser *o, laip_report *report);
bool laip_optimiser_report_last(laip_optimiser *o, laip_report *report); /* of the last: waits for it */

laip_scaling laip_optimiser_scaling(laip_optimiser *o); /* waits for the device */
void laip_optimiser_set_scaling(laip_optimiser *o, laip_scaling scaling);

#endif
