#include "ops/gelu.h"

#include "cl/kernels.h"

void laip_gelu_forward(laip_device *d, laip_mat y, laip_mat pre)
{
    size_t count = pre.rows * pre.cols, each = laip_flat_each(d, count);
    if (count)
        LAIP_LAUNCH(d, gelu_forward, LAIP_STORAGE(d, "gelu_forward", pre, y), laip_grid_flat(d, count, each),
                    LAIP_MAT(pre), LAIP_MAT(y), laip_arg_u64(count), laip_arg_u64(each));
}

void laip_gelu_backward(laip_device *d, laip_mat dpre, laip_mat dy, laip_mat pre)
{
    size_t count = pre.rows * pre.cols, each = laip_flat_each(d, count);
    if (count)
        LAIP_LAUNCH(d, gelu_backward, LAIP_STORAGE(d, "gelu_backward", pre, dy, dpre),
                    laip_grid_flat(d, count, each), LAIP_MAT(pre), LAIP_MAT(dy), LAIP_MAT(dpre),
                    laip_arg_u64(count), laip_arg_u64(each));
}
