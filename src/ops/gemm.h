/* Matrix products with an epilogue: C = α op(A) op(B) + β C, then bias, GELU or a residual.
 *
 * All matrices are row-major, dense, at offset 0.  Behind this stand our packed kernel (cl/gemm_packed.cl),
 * which a CPU device needs, and CLBlast, which a GPU wants; which of them serves a class of shapes is
 * measured on the device once and remembered on disk (gemm_choice.c), or forced. */
#ifndef LAIP_OPS_GEMM_H
#define LAIP_OPS_GEMM_H

#include "device/buffer.h"

typedef enum laip_activation { LAIP_LINEAR, LAIP_GELU } laip_activation;

typedef struct laip_epilogue {
    laip_mat bias;              /* [1, n]; mem NULL: none */
    laip_activation activation; /* LAIP_GELU: C = gelu(product + bias), exact */
    laip_mat pre;               /* [m, n]: receives product + bias before the GELU; mem NULL: not wanted */
    laip_mat residual;          /* [m, n], added last; mem NULL: none; not C's buffer */
} laip_epilogue;

/* m = c.rows, n = c.cols; op(A) is [m, k], op(B) [k, n].  beta is 0 or 1; an epilogue (NULL: none) needs beta
 * 0. */
void laip_gemm(laip_device *device, bool transpose_a, bool transpose_b, float alpha, laip_mat a, laip_mat b,
               float beta, laip_mat c, const laip_epilogue *epilogue);

typedef enum laip_gemm_backend { LAIP_GEMM_AUTO, LAIP_GEMM_PACKED, LAIP_GEMM_CLBLAST } laip_gemm_backend;
extern const char *const laip_gemm_names[]; /* auto, packed, clblast; NULL at the end */

/* Forces one of them for every shape from now on; LAIP_GEMM in the environment does the same from the start.
 */
void laip_gemm_force(laip_device *device, laip_gemm_backend backend);

#endif
