/* The table of parameters: every parameter is declared once, by the layer that uses it, and allocation,
 * initial values, checkpoints, optimiser and momentum copies are all driven by the table.
 *
 * A parameter is one matrix on the device.  Where layers are fused (query, key and value in one product), it
 * has several named parts, each a band of rows and a tensor of its own in checkpoints. */
#ifndef LAIP_NET_PARAM_H
#define LAIP_NET_PARAM_H

#include "device/buffer.h"

typedef enum laip_init {
    LAIP_INIT_ZERO,      /* biases */
    LAIP_INIT_ONE,       /* the weights of norms */
    LAIP_INIT_MATRIX,    /* products: normal, of the run's deviation or 1/√fan_in */
    LAIP_INIT_TABLE,     /* embeddings, class token: normal */
    LAIP_INIT_POSITIONS, /* normal; of a small model waves, from which neighbours are soon told */
    LAIP_INIT_PATCHES,   /* the same, of patches, which are larger than words' embeddings */
    LAIP_INIT_SCALAR     /* the temperature */
} laip_init;

typedef struct laip_part {
    char *name;       /* in checkpoints */
    size_t row, rows; /* the band of the parameter's matrix */
    int rank;
    size_t shape[4]; /* in checkpoints; its product is rows × cols */
} laip_part;

enum { LAIP_PARTS = 3 };

typedef struct laip_param {
    laip_mat value, gradient; /* value.store: the table's where of products; gradient.mem is NULL in
                                 momentum copies */
    laip_init init;
    bool decay;     /* weight decay applies */
    bool averaged;  /* a momentum copy follows it */
    bool copy;      /* it is a momentum copy */
    bool overwrite; /* its gradient is 0 and yet to be written: the first product assigns it */
    int parts;
    laip_part part[LAIP_PARTS];
    size_t chunk, offset; /* where it lies in the table's flat memory, in floats: model/params.c */
} laip_param;

typedef struct laip_table {
    laip_param **params; /* each of its own, so that layers may keep pointers */
    size_t count, capacity;
    bool averaged;    /* marks what is declared from now on */
    laip_store store; /* of matrices declared from now on; of 16 bits they have their masters beside them */
} laip_table;

/* Declares a parameter of one part, named by the format; shape has `rank` sizes. */
laip_param *laip_declare(laip_table *table, laip_init init, int rank, const size_t *shape, const char *format,
                         ...) LAIP_PRINTF(5, 6);
/* Declares a matrix [count·rows, cols] (or, with cols 0, a vector [count·rows]) of `count` parts of `rows`
 * rows, part i named "PREFIX.NAMES[i].SUFFIX". */
laip_param *laip_declare_fused(laip_table *table, laip_init init, size_t rows, size_t cols,
                               const char *prefix, const char *const *names, int count, const char *suffix);
void laip_table_free(laip_table *table); /* the declarations; not the device memory */

#endif
