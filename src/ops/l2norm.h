/* Rows of unit length: y = x/‖x‖, ‖x‖ at least 1e-12; dx = (dy − y ⟨dy, y⟩)/‖x‖.  All outputs are assigned.
 */
#ifndef LAIP_OPS_L2NORM_H
#define LAIP_OPS_L2NORM_H

#include "device/buffer.h"

void laip_l2norm_forward(laip_device *device, laip_mat y, laip_mat norm /* [rows, 1] */, laip_mat x);
void laip_l2norm_backward(laip_device *device, laip_mat dx /* may be dy */, laip_mat dy, laip_mat y,
                          laip_mat norm);

#endif
