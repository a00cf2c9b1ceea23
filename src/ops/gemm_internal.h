/* What the files of the matrix product share: one product's description, its backends, and the state that a
 * device keeps for them. */
#ifndef LAIP_OPS_GEMM_INTERNAL_H
#define LAIP_OPS_GEMM_INTERNAL_H

#include "base/str.h"
#include "device/internal.h"
#include "device/launch.h"
#include "ops/gemm.h"

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

/* Bits of a kernel's `what`: the same as in cl/gemm_packed.cl and cl/gemm_epilogue.cl. */
enum { LAIP_HAS_BIAS = 1, LAIP_HAS_GELU = 2, LAIP_HAS_PRE = 4, LAIP_HAS_RESIDUAL = 8, LAIP_ADD_TO_C = 16 };
int laip_epilogue_bits(const laip_epilogue *epilogue);

typedef struct laip_workspace { /* grows, never shrinks */
    laip_mem mem;
    size_t bytes;
} laip_workspace;

/* One weight matrix, packed: which part of which buffer it was, and how it was read. */
typedef struct laip_packed_weight {
    laip_mem owner, packed;
    size_t offset, n, k;
    bool transposed, half, valid;
} laip_packed_weight;

/* CLBlast's kernels whose parameters we set: Xgemm, XgemmDirect, GemmRoutine. */
enum { LAIP_TUNABLES = 3, LAIP_TUNED_TEXT = 96 };

enum { LAIP_CLASS_TEXT = 12 };

typedef struct laip_gemm_choice {
    char class[LAIP_CLASS_TEXT];
    laip_gemm_backend backend;
} laip_gemm_choice;

typedef struct laip_gemm_state {
    laip_gemm_backend forced;
    laip_gemm_choice *choices; /* those in use */
    size_t choice_count, choice_capacity;
    laip_workspace packed_a, packed_b, temporary, wide_a, wide_b, sums;
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

bool laip_packed_serves(const laip_device *device); /* whether this device has the packed kernel at all */
void laip_packed_gemm(laip_device *device, const laip_product *p);
laip_arg laip_epilogue_arg(laip_mat m, const laip_product *p); /* C stands for one that is missing */
/* A kernel of its own: from sums, which may be C itself, into C. */
void laip_epilogue_launch(laip_device *device, const laip_product *p, laip_mat sums);
laip_mat laip_product_sums(laip_device *device, const laip_product *p); /* room for C's values as floats */
/* CLBlast's product, then the epilogue by a kernel of ours. */
void laip_clblast_gemm(laip_device *device, const laip_product *p);
void laip_clblast_close(void);
const char *laip_clblast_version(void);

/* gemm_cache.c: the packed form of p's B operand if it is a weight, *valid telling whether it holds the
 * values; NULL where it is not, or where the limit is reached. */
laip_mem laip_gemm_cached(laip_device *device, const laip_product *p, size_t bytes, bool *valid);

/* gemm_choice.c */
laip_gemm_backend laip_gemm_choose(laip_device *device, const laip_product *p);
void laip_gemm_choices_free(laip_gemm_state *s);
char *laip_gemm_cache_path(const laip_device *device, const char *suffix);
void laip_gemm_cache_save(const char *path, const laip_str *text);

/* clblast_tune.c */
bool laip_tuned_set(laip_gemm_state *s, const char *kernel,
                    const char *text); /* false: no such kernel or values */
void laip_tuned_list(const laip_gemm_state *s, laip_str *text);
void laip_tuned_apply(laip_device *device);

#endif
