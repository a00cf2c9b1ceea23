/* GELU in its exact form, y = x Φ(x), elementwise; outputs are assigned. */
#ifndef LAIP_OPS_GELU_H
#define LAIP_OPS_GELU_H

#include "device/buffer.h"

void laip_gelu_forward(laip_device *device, laip_mat y, laip_mat pre);
/* dpre = dy · (Φ(pre) + pre φ(pre)); in place allowed. */
void laip_gelu_backward(laip_device *device, laip_mat dpre, laip_mat dy, laip_mat pre);

#endif
