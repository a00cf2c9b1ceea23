/* Constants that the host and the kernels share; cl/common.h and files of src/ include it. */
#ifndef LAIP_CL_SHARED_H
#define LAIP_CL_SHARED_H

/* What a step keeps of itself in device memory, a vector of floats that the host reads once a step:
 * model/optimiser.h. */
enum {
    LAIP_REPORT_LOSSES = 0,    /* the values of the losses, net/config.h: LAIP_LOSS_TABLE */
    LAIP_REPORT_NORM = 8,      /* of the gradient, before it is cut */
    LAIP_REPORT_CLIP,          /* by which it is cut, at most 1 */
    LAIP_REPORT_SKIPPED,       /* 1 where the step changed nothing, else 0 */
    LAIP_REPORT_STEP_SCALE,    /* of the loss, in this step */
    LAIP_REPORT_TEMPERATURE,   /* after the step */
    LAIP_REPORT_FACTOR,        /* what AdamW multiplies gradients by: clip / scale, 0 in a skipped step */
    LAIP_REPORT_INVERSE1,      /* 1 / (1 − β₁ᵗ) */
    LAIP_REPORT_INVERSE2,      /* 1 / (1 − β₂ᵗ) */
    LAIP_REPORT_SCALE,         /* of the loss, from now on */
    LAIP_REPORT_GOOD_STEPS,    /* since the scale changed */
    LAIP_REPORT_STEPS_SKIPPED, /* of this optimiser */
    LAIP_REPORT_SIZE = 24
};

/* A master weight in two halves is high + low / LAIP_LOW_SCALE: base/half.h. */
#define LAIP_LOW_SCALE 4096.0f

/* Which attention weighs the patches of a region. */
enum laip_bidiratt_attention { LAIP_ATTENTION_BOTH, LAIP_ATTENTION_FORWARD, LAIP_ATTENTION_BACKWARD };

#endif
