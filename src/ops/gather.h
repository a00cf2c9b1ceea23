/* Rows of a matrix by index, and the way back. */
#ifndef LAIP_OPS_GATHER_H
#define LAIP_OPS_GATHER_H

#include "device/buffer.h"

/* y[r] = x[index[r]], or zeros where index[r] is −1; y [rows, D] assigned. */
void laip_gather_rows(laip_device *device, laip_mat y, laip_mat x, laip_ints index);
/* y[target[u]] += Σ over r in begin[u] … begin[u+1] − 1 of x[source[r]], in that order, for u < targets; the
 * targets are distinct. */
void laip_scatter_rows(laip_device *device, laip_mat y, laip_mat x, laip_ints target, laip_ints begin,
                       laip_ints source, size_t targets);

#endif
