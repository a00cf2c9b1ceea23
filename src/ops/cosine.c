#include "ops/cosine.h"

#include "cl/kernels.h"

void laip_cosine(laip_device *d, laip_mat similarity, laip_mat dx, laip_mat dy, laip_mat x, laip_mat y,
                 laip_mat weight, laip_mat report)
{
    if (x.rows)
        LAIP_LAUNCH(d, cosine, "", laip_grid_rows(d, x.rows), LAIP_MAT(x), LAIP_MAT(y), LAIP_MAT(weight),
                    LAIP_MAT(similarity), LAIP_MAT(dx), LAIP_MAT(dy), LAIP_I(x.cols),
                    report.mem ? laip_arg_floats(report.mem, 1) : LAIP_UNUSED(weight),
                    LAIP_I(report.mem != NULL));
}
