#include "ops/l2norm.h"

#include "cl/kernels.h"

void laip_l2norm_forward(laip_device *d, laip_mat y, laip_mat norm, laip_mat x)
{
    if (x.rows)
        LAIP_LAUNCH(d, l2norm_forward, "", laip_grid_rows(d, x.rows), LAIP_MAT(x), LAIP_MAT(y),
                    LAIP_MAT(norm), LAIP_I(x.cols));
}

void laip_l2norm_backward(laip_device *d, laip_mat dx, laip_mat dy, laip_mat y, laip_mat norm)
{
    if (y.rows)
        LAIP_LAUNCH(d, l2norm_backward, "", laip_grid_rows(d, y.rows), LAIP_MAT(dy), LAIP_MAT(y),
                    LAIP_MAT(norm), LAIP_MAT(dx), LAIP_I(y.cols));
}
