/* What the two implementations of laip_gemm and the choice between them share. */
#ifndef LAIP_OPS_GEMM_INTERNAL_H
#define LAIP_OPS_GEMM_INTERNAL_H

#include "device/internal.h"
#include "ops/gemm.h"

typedef struct laip_product {
    bool ta, tb;
    size_t m, n, k;
    float alpha, beta;
    laip_mat a, b, c;
    laip_epilogue epilogue;
} laip_product;

typedef struct laip_gemm_state {
    laip_gemm_backend forced;
    laip_mem packed, workspace; /* grow-only */
    size_t packed_bytes, workspace_bytes;
    laip_map choices; /* shape class → backend */
    char *choice_path;
} laip_gemm_state;

laip_gemm_state *laip_gemm_state_of(laip_device *device);
void laip_gemm_grow(laip_device *device, laip_mem *mem, size_t *have, size_t bytes, const char *what);
void laip_gemm_packed(laip_device *device, const laip_product *p);
void laip_gemm_clblast(laip_device *device, const laip_product *p);
laip_gemm_backend laip_gemm_choose(laip_device *device, const laip_product *p); /* gemm_choice.c */

#endif
