/* The product on a matrix unit, for devices whose work-items are narrow: cl/gemm_unit.cl.
 *
 *     C[m, n] = alpha op(A)[m, k] op(B)[k, n] + beta C, and what follows it, in one launch
 *
 * or, where C has fewer tiles than the device has units, k in slices, whose sums a second launch adds up in
 * their order: the same bits each time.  Operands are read as they are stored, and nothing is packed. */
#ifndef LAIP_OPS_GEMM_UNIT_H
#define LAIP_OPS_GEMM_UNIT_H

#include "ops/gemm/internal.h"
#include "ops/matrix_unit.h"

typedef struct laip_unit_plan {
    int tile;   /* 128 or 64: of C, a group's */
    int slices; /* of k */
} laip_unit_plan;

void laip_unit_product(laip_device *device, const laip_product *p, const laip_unit *unit,
                       laip_unit_plan plan);
laip_unit_plan laip_unit_plan_of(const laip_device *device, size_t m, size_t n, size_t k);

#endif
