#include "ops/xent.h"

#include "cl/kernels.h"

void laip_xent(laip_device *d, laip_mat logits, laip_mat loss, laip_mat truth, laip_ints target,
               laip_mat weight, laip_mat report)
{
    if (logits.rows)
        LAIP_LAUNCH(d, xent, "", laip_grid_rows(d, logits.rows), LAIP_BOTH(logits), LAIP_MAT(target),
                    LAIP_MAT(weight), LAIP_MAT(loss), truth.mem ? LAIP_MAT(truth) : LAIP_UNUSED(loss),
                    LAIP_I(logits.cols), LAIP_I(truth.mem != NULL),
                    report.mem ? laip_arg_floats(report.mem, 1) : LAIP_UNUSED(loss),
                    LAIP_I(report.mem != NULL));
}
