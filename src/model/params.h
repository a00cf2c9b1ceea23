/* The memory of the parameters: allocation, initial values, gradients' zeros, transfers.  What moves them is
 * in optimiser.h.
 *
 * Values, gradients and moments lie in flat chunks, the same layout in each, so that the optimiser is a few
 * launches over whole chunks.  A chunk holds parameters that are treated alike (decayed or not, averaged or
 * not, matrices of products or others), and is never larger than the device's largest allocation.
 *
 * Weights in 16 bits are the upper part of their masters: what these have beyond it lies beside them
 * (base/half.h: laip_float_split, laip_bfloat16_split), so that both together take no more than floats, and
 * are read and written as floats here. */
#ifndef LAIP_MODEL_PARAMS_H
#define LAIP_MODEL_PARAMS_H

#include "net/config.h"
#include "net/param.h"

typedef struct laip_chunk {
    laip_mat value, gradient; /* [1, floats]; the second only in training */
    /* In training, what the optimiser moves here: elements first … last − 1 of the above, all of them unless
     * ranks share them out; and the moments of these alone. */
    size_t first, last;
    laip_mat own_value, own_low, own_gradient, exp_avg, exp_avg_sq; /* [1, last − first] */
    laip_mat average;          /* the momentum copies, where `averaged` */
    laip_mat low, average_low; /* the rest of the masters, where the value is of 16 bits and in training */
    size_t floats;
    laip_store store;                       /* of the values */
    bool decay, averaged, matrices, scalar; /* scalar: the temperature, alone */
} laip_chunk;

/* What ranks that share out the moments do together (dist/shard.h); all of them, in the same order. */
typedef struct laip_shard laip_shard;
struct laip_shard {
    void (*sum)(laip_shard *self, float *value); /* becomes the sum over the ranks */
    /* m [1, n], of which rank k holds what it moves, first[k] … first[k + 1] − 1: every rank holds all. */
    void (*gather)(laip_shard *self, laip_mat m, const size_t *first);
    /* Of each value one rank has the bits, the others have 0: the first rank has all. */
    void (*merge)(laip_shard *self, float *values, size_t count);
};

typedef struct laip_params {
    laip_device *device;
    int shard, shard_ranks; /* which part of the moments is kept here, of how many; shard_ranks 1: all */
    laip_shard *together;   /* NULL: all are kept, or nothing is asked of other ranks yet */
    laip_chunk *chunks;
    size_t count;
    laip_param **matrices; /* of products, in training */
    size_t matrix_count;
    laip_mem *views;
    size_t view_count, view_capacity;
    size_t floats; /* of one copy, all chunks */
    bool training;
} laip_params;

/* Of which part of the moments of a chunk rank `rank` has: from there on, up to where the next one's begins.
 */
size_t laip_params_share(const laip_params *p, const laip_chunk *chunk, int rank);

/* Bytes that laip_params_create would take; sizes says how the moments are shared out, and nothing else. */
size_t laip_params_bytes(const laip_device *device, const laip_table *online, const laip_table *average,
                         bool training, const laip_model_config *sizes);
/* Takes the memory and fills in every parameter's views.  average (NULL: none) declares the momentum copies
 * of the averaged parameters of online, in the same order.  Nothing is initialised. */
bool laip_params_create(laip_params *p, laip_device *device, laip_table *online, laip_table *average,
                        bool training, const laip_model_config *sizes, laip_error *error);
void laip_params_free(laip_params *p);

/* Initial values from the seed.  deviation 0: 1/√fan_in for matrices and 0.1 for tables; else that for both.
 */
void laip_params_initialise(laip_params *p, laip_table *online, uint64_t seed, float deviation,
                            float temperature);
void laip_params_copy_average(laip_params *p); /* the momentum copies become the online values */

/* Gradients are 0 from here on.  Those of products' matrices, nearly all there are, are not written: each is
 * assigned by the first product that makes one (laip_linear_backward), and written by
 * laip_params_zero_unwritten_gradients where none has; whatever reads gradients calls it first. */
void laip_params_zero_gradients(laip_params *p);
void laip_params_zero_unwritten_gradients(laip_params *p);
void laip_params_zero_moments(laip_params *p); /* as before the optimiser's first step */

/* One part of a parameter to and from the host, in the order of checkpoints; which is 0 value, 1 gradient, 2
 * and 3 the optimiser's moments.  Where ranks share these out, all must read together, and the first has
 * them; each writes what it keeps of them. */
void laip_params_read(laip_params *p, const laip_param *param, const laip_part *part, int which,
                      float *values);
void laip_params_write(laip_params *p, const laip_param *param, const laip_part *part, int which,
                       const float *values);
size_t laip_part_count(const laip_part *part); /* elements */
/* Whether a tensor of this shape can be the part; a single element may have any rank ([1] for a scalar). */
bool laip_part_fits(const laip_part *part, int rank, const size_t *shape);

#endif
