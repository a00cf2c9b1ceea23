/* What the files of the matrix product share: one product's description, its backends, and the state that a
 * device keeps for them. */
#ifndef LAIP_OPS_GEMM_INTERNAL_H
#define LAIP_OPS_GEMM_INTERNAL_H

#include "base/str.h"
#include "cl/shared.h"
#include "device/internal.h"
#include "device/launch.h"
#include "ops/gemm/gemm.h"

typedef struct laip_product {
    bool transpose_a, transpose_b;
    size_t m, n, k;
    float alpha, beta;
    laip_mat a, b, c;
    laip_epilogue epilogue;
    bool measuring; /* part of an operand: nothing of it may be kept */
} laip_product;

static inline double laip_product_flops(const laip_product *p)
{
    return 2 * (double)p->m * (double)p->n * (double)p->k;
}

int laip_epilogue_bits(const laip_epilogue *epilogue); /* LAIP_HAS_BIAS and so on: cl/shared.h */

typedef struct laip_workspace { /* grows, never shrinks */
    laip_mem mem;
    size_t bytes;
} laip_workspace;

/* One weight matrix, packed: which part of which buffer it was, and how it was read. */
typedef struct laip_packed_weight {
    laip_mem owner, packed;
    size_t offset, n, k;
    int columns; /* of a panel */
    bool transposed;
    laip_store store;
    bool valid;
} laip_packed_weight;

/* CLBlast's kernels whose parameters we set: Xgemm, XgemmDirect, GemmRoutine. */
enum { LAIP_TUNABLES = 3, LAIP_TUNED_TEXT = 96 };

enum { LAIP_CLASS_TEXT = 16, LAIP_CHOICE_TEXT = 32 };

/* A class of shapes and who serves it; or another thing that is chosen by measurement, and its value. */
typedef struct laip_gemm_choice {
    char class[LAIP_CLASS_TEXT], name[LAIP_CHOICE_TEXT];
} laip_gemm_choice;

typedef struct laip_gemm_choices {
    laip_gemm_choice *list;
    size_t count, capacity;
} laip_gemm_choices;

/* A tile of the packed product: rows and columns of C whose sums lie in registers, in vectors of so many
 * floats. */
typedef struct laip_tile {
    int vector, rows, columns;
} laip_tile;

/* One way to compute a product: a row of the table in table.c. */
typedef struct laip_gemm_implementation laip_gemm_implementation;
struct laip_gemm_implementation {
    const char *name;   /* in choices and in LAIP_GEMM */
    const char *family; /* rows that differ in parameters alone share one; the family's quickest stands for
                         * it. NULL: the row stands for itself */
    bool (*serves)(const laip_device *device, const laip_product *p); /* p NULL: any product at all */
    /* With a family: its quickest on this device, measured at the first call. */
    const laip_gemm_implementation *(*best)(laip_device *device);
    /* Whether it is worth measuring on this device; NULL: never. */
    bool (*competes)(const laip_device *device, const laip_gemm_implementation *self);
    /* C and the epilogue, all of it, in the device's queue. */
    void (*run)(laip_device *device, const laip_gemm_implementation *self, const laip_product *p);
    laip_tile tile; /* of the packed family */
    bool fuses;     /* run makes the epilogue's slope_of, dropout and row_sums; else they are launches of
                     * their own */
};

extern const laip_gemm_implementation laip_gemm_table[]; /* the reference is the last; then name NULL */
/* The first row whose name or family this is; NULL: none. */
const laip_gemm_implementation *laip_gemm_find(const char *name);
bool laip_gemm_named(const laip_gemm_implementation *row, const char *name); /* its name or family */
const laip_gemm_implementation *laip_gemm_reference(void);

/* Classes by number: both transpositions, whether B lies in halves, precision, and three sizes or tiny. */
enum { LAIP_GEMM_CLASSES = 2 * 2 * 3 * 4 * (4 * 4 * 4 + 1) };

typedef struct laip_gemm_state {
    /* who served a class last, so that a product is not named to be found; NULL: not known */
    const laip_gemm_implementation *serving[LAIP_GEMM_CLASSES];
    const char *forced;                   /* a row's name or a family; NULL: what is measured */
    laip_gemm_choices choices;            /* those in use */
    const laip_gemm_implementation *tile; /* tile.c: the packed family's best; NULL: not known yet */
    size_t depth;                         /* its steps of k in a block; 0: not known yet */
    laip_workspace packed_a, packed_b, temporary, wide_a, wide_b, sums;
    laip_mat held;     /* laip_gemm_hold; mem NULL: none */
    bool held_is_wide; /* wide_a holds it */
    laip_mem *weights; /* buffers whose operands stay packed */
    size_t weights_count, weights_capacity, cache_limit, cache_bytes;
    laip_packed_weight *cached;
    size_t cached_count, cached_capacity;
    bool clblast_used;
    bool tuning_settled, tuning_applied;        /* `tuned` is known; CLBlast has been told */
    char tuned[LAIP_TUNABLES][LAIP_TUNED_TEXT]; /* values with commas; empty: CLBlast's own */
} laip_gemm_state;

laip_gemm_state *laip_gemm_state_of(laip_device *device); /* made at the first call */
/* At least bytes of device memory; NULL after a failure. */
laip_mem laip_workspace_get(laip_device *device, laip_workspace *w, size_t bytes, const char *what);

/* packed.c */
bool laip_packed_serves(const laip_device *device, const laip_product *p);
void laip_packed_run(laip_device *device, const laip_gemm_implementation *self, const laip_product *p);
/* tile.c: which tile serves the device, and the most steps of k in a block; both measured once, at the first
 * need, or read from where they were kept. */
bool laip_tile_competes(const laip_device *device, const laip_gemm_implementation *self);
const laip_gemm_implementation *laip_tile_best(laip_device *device);
size_t laip_tile_depth(laip_device *device);
bool laip_tile_choice_valid(const char *class, const char *value, bool *own); /* own: the class is tile.c's */

/* unit.c: on a matrix unit of the device's precision, and by fused multiply-adds in the same shape. */
bool laip_unit_serves(const laip_device *device, const laip_product *p);
bool laip_unit_competes(const laip_device *device, const laip_gemm_implementation *self);
void laip_unit_run(laip_device *device, const laip_gemm_implementation *self, const laip_product *p);
void laip_plain_run(laip_device *device, const laip_gemm_implementation *self, const laip_product *p);

/* reference.c */
bool laip_reference_serves(const laip_device *device, const laip_product *p);
void laip_reference_run(laip_device *device, const laip_gemm_implementation *self, const laip_product *p);

laip_arg laip_epilogue_arg(laip_mat m, const laip_product *p); /* C stands for one that is missing */
/* A kernel of its own: from sums, which may be C itself, into C. */
void laip_epilogue_launch(laip_device *device, const laip_product *p, laip_mat sums);
laip_mat laip_product_sums(laip_device *device, const laip_product *p); /* room for C's values as floats */
/* clblast.c: CLBlast's product, then the epilogue by a kernel of ours. */
bool laip_clblast_serves(const laip_device *device, const laip_product *p);
bool laip_clblast_competes(const laip_device *device, const laip_gemm_implementation *self);
void laip_clblast_run(laip_device *device, const laip_gemm_implementation *self, const laip_product *p);
void laip_clblast_close(void);
const char *laip_clblast_version(void);

/* packed_weights.c: the packed form of p's B operand, in panels of so many columns (LAIP_NOT_PACKED: as it
 * lies, in floats), if it is a weight, *valid telling whether it holds the values; NULL where it is not, or
 * where the limit is reached. */
enum { LAIP_NOT_PACKED = 0 };
laip_mem laip_gemm_cached(laip_device *device, const laip_product *p, int columns, size_t bytes, bool *valid);

/* choice.c */
const laip_gemm_implementation *laip_gemm_choose(laip_device *device, const laip_product *p);
/* The quickest of rows[0 … count − 1] at p, each run once before and then in turns, in so many rounds;
 * seconds[i], the least of each, if not NULL. */
size_t laip_gemm_quickest(laip_device *device, const laip_gemm_implementation *const *rows, size_t count,
                          const laip_product *p, int rounds, double *seconds);
void laip_gemm_choices_free(laip_gemm_choices *choices);
void laip_gemm_forget_serving(laip_gemm_state *s); /* after a change in who is chosen */
char *laip_gemm_cache_path(const laip_device *device, const char *suffix);
void laip_gemm_cache_save(const char *path, const laip_str *text);

/* clblast_tune.c */
bool laip_tuned_set(laip_gemm_state *s, const char *kernel,
                    const char *text); /* false: no such kernel or values */
void laip_tuned_list(const laip_gemm_state *s, laip_str *text);
void laip_tuned_apply(laip_device *device);

#endif
