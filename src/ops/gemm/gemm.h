/* Matrix products with fused ends, served by one of several implementations behind one function.
 *
 *     C[m, n] = alpha op(A)[m, k] op(B)[k, n] + beta C, then the epilogue
 *
 * op transposes where asked; m and n are C's sides, k is the other side of A; all matrices are dense,
 * row-major, fp32 or of 16 bits, of which one product takes one kind.  Several implementations stand in one
 * table (table.c): packed micro-kernels of ours for CPU devices, CLBlast, a plain reference.  Which of them
 * serves a class of shapes (transpositions, and the rough size of m, n and k) is measured once per device and
 * kept in the user's cache folder. */
#ifndef LAIP_OPS_GEMM_GEMM_H
#define LAIP_OPS_GEMM_GEMM_H

#include "device/buffer.h"
#include "ops/choices.h"
#include "ops/dropout.h"

typedef enum laip_activation { LAIP_LINEAR, LAIP_GELU } laip_activation;

/* Beside a product of A transposed, whatever its beta: to[0, i] += Σ_k A[k, i], but for `skipped` columns
 * from first_skipped on. The gradient of a bias, from the operand that the weight's is made from. */
typedef struct laip_row_sums {
    laip_mat to; /* [1, m] of floats; mem NULL: not wanted */
    size_t first_skipped, skipped;
    laip_mat scratch; /* as ops/bias.h wants it */
} laip_row_sums;

typedef struct laip_epilogue {
    laip_mat bias;              /* [1, n], added to each row; mem NULL: none */
    laip_activation activation; /* LAIP_GELU: c = gelu(product + bias), the exact form, erf to 1.5e-7 */
    laip_mat pre;               /* [m, n]; with LAIP_GELU, unless mem is NULL, receives product + bias */
    /* NULL: none.  Of the rows of C, what the activation gives is kept or dropped before the residual is
     * added, by the mask that laip_dropout applies. */
    const laip_dropout_mask *dropout;
    laip_mat residual; /* [m, n], added last; mem NULL: none.  Not C's own buffer */
    laip_mat slope_of; /* [m, n]; unless mem is NULL, c = product ∘ gelu'(slope_of), and nothing else */
    laip_row_sums row_sums;
} laip_epilogue;

/* Sizes are checked (laip_device_fail).  No rows or no columns: nothing happens; k = 0: C = beta C (and the
 * epilogue).  An epilogue (NULL: none), but for its sums, needs beta 0.  C must not overlap A or B.  Adds 2 m
 * n k to the flops.
 */
void laip_gemm(laip_device *device, bool transpose_a, bool transpose_b, float alpha, laip_mat a, laip_mat b,
               float beta, laip_mat c, const laip_epilogue *epilogue);

/* From here to laip_gemm_let_go m does not change, so that what one product makes of it for itself may serve
 * the next.  One matrix at a time. */
void laip_gemm_hold(laip_device *device, laip_mat m);
void laip_gemm_let_go(laip_device *device);

/* What a run may ask for: auto (what is measured to be the quickest), packed (our kernel for processors, with
 * the tile that is), unit (the matrix unit of the precision), plain (the same kernel by fused multiply-adds),
 * clblast, reference.  A row of the table of implementations (table.c) has a name of its
 * own beside it, packed-8-6x16: vectors of 8, a tile of 6 × 16. */
#define LAIP_GEMM_NAMES "auto, packed, unit, plain, clblast or reference"
bool laip_gemm_known(const char *name); /* one of these, or a row's */

/* Forces one of them for every shape from now on, or with auto leaves it to measurement again; LAIP_GEMM in
 * the environment does the same from the start.  A name that is not known, or that the device cannot run, is
 * bad input (sticky). */
void laip_gemm_force(laip_device *device, const char *name);

/* The measured choices that this device has used, as lines "CLASS NAME", with the packed product's tile and
 * CLBlast's tuned parameters; and choices to keep to, whatever the
 * user's cache says: so that a run that is continued computes the same bits. */
bool laip_gemm_choices_write(laip_device *device, const char *path, laip_error *error);
bool laip_gemm_choices_read(laip_device *device, const char *path, laip_error *error);

/* Searches CLBlast's parameters on this device for about `seconds`, keeps the best in the user's cache
 * folder, and forgets the choices measured with others.  progress (NULL: none) is called after each try with
 * the kernel's name, the number of tries and GFLOP/s at the start and at best. */
typedef void (*laip_tune_progress)(void *context, const char *kernel, int tries, double first, double best);
bool laip_gemm_tune(laip_device *device, double seconds, laip_tune_progress progress, void *context,
                    laip_error *error);
/* Measures the packed product's tiles, and the steps of k in a block, whatever was kept of them, and keeps
 * the best; report (NULL: none) is told each candidate's GFLOP/s.  Does nothing on a device that has no
 * packed product. */
bool laip_gemm_tune_tiles(laip_device *device, laip_rate_report report, void *context, laip_error *error);
/* Before the first product: CLBlast's own parameters, or those of the cache folder; whether there are any.
 * Without this call those of the cache folder serve, or those that laip_gemm_choices_read brought.  Once set
 * they stay for the process: untuned has no effect after tuned. */
bool laip_gemm_use_tuned(laip_device *device, bool tuned);

/* Weights that keep their values for a while need not be packed at every product.  Between begin and end, a B
 * operand that lies in `weights` (the buffer itself or a sub-buffer of it) stays packed in device memory
 * after its first use, once for each transposition, as long as all packed operands together stay within limit
 * bytes: a packed operand takes the matrix's own bytes, its columns rounded up to those of a tile.  begin may
 * be called for several buffers; the limit is the last one given.  Whoever changes the values of such a
 * buffer must call clear, which keeps the memory and packs anew at the next use; end forgets the buffers and
 * releases the memory. */
void laip_gemm_cache_begin(laip_device *device, laip_mem weights, size_t limit);
void laip_gemm_cache_clear(laip_device *device);
void laip_gemm_cache_end(laip_device *device);
size_t laip_gemm_cache_bytes(laip_device *device); /* of packed weights held now */

#endif
