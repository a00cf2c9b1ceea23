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

/* Items of a group of a flat kernel on a graphics device; on a processor it has one. */
#define LAIP_FLAT_ITEMS 64

/* What follows a matrix product, bits of its kernels' `what`: ops/gemm/gemm.h. */
enum {
    LAIP_HAS_BIAS = 1,
    LAIP_HAS_GELU = 2,
    LAIP_HAS_PRE = 4,
    LAIP_HAS_RESIDUAL = 8,
    LAIP_ADD_TO_C = 16,  /* beta is 1 */
    LAIP_HAS_SLOPE = 32, /* gelu'(pre), which is read, is multiplied with */
    LAIP_HAS_ROW_SUMS = 64,
    LAIP_HAS_DROPOUT = 128
};

/* gemm_packed.cl: steps of k that a packing item handles; and how the product finds the panels of B: made
 * already, or to be made from B as it is or transposed. */
#define LAIP_PACK_DEPTH 256
enum laip_panels { LAIP_B_READY, LAIP_B_PLAIN, LAIP_B_TRANSPOSED };

/* gemm_unit.cl and attention_unit.cl: how a matrix is stored; numbers of k in a row of a slab, where they are
 * of 16 bits (of 32: half as many); items of a group that makes TILE × TILE; and for attention, where lanes
 * run together, with the rows that a group owns and the largest head. */
#define LAIP_STORED_FLOAT 32
#define LAIP_STORED_HALF 16
#define LAIP_STORED_BFLOAT16 17
#define LAIP_UNIT_DEPTH 32
#define LAIP_UNIT_ITEMS(tile) ((tile) == 128 ? 256 : 128)
#define LAIP_ATTENTION_UNIT_ITEMS(lanes) ((lanes) == 64 ? 256 : 128)
#define LAIP_ATTENTION_UNIT_FORWARD_ROWS 64
#define LAIP_ATTENTION_UNIT_BACKWARD_ROWS 32
#define LAIP_ATTENTION_UNIT_HEAD 64

/* attention_group.cl: rows of the other side in a tile, the columns of a head that a group sums up and the
 * groups that share them, and the columns that are staged at once, and of both sides at once in the backward.
 */
#define LAIP_ATTENTION_SPAN 32
#define LAIP_ATTENTION_COLUMNS 64
#define LAIP_ATTENTION_PARTS(head) (((head) + LAIP_ATTENTION_COLUMNS - 1) / LAIP_ATTENTION_COLUMNS)
#define LAIP_ATTENTION_FORWARD_CHUNK 32
#define LAIP_ATTENTION_BACKWARD_CHUNK 16

/* attention_tile_*.cl: the most rows, and pairs of a query and a key, of a tile of few queries; and bits of
 * what a backward pass wants. */
#define LAIP_ATTENTION_FEW_ROWS 8
#define LAIP_ATTENTION_FEW_PAIRS 256
enum { LAIP_WANT_DQ = 1, LAIP_WANT_DKV = 2 };

/* Which attention weighs the patches of a region. */
enum laip_bidiratt_attention { LAIP_ATTENTION_BOTH, LAIP_ATTENTION_FORWARD, LAIP_ATTENTION_BACKWARD };

#endif
