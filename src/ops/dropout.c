#include "ops/dropout.h"

#include "cl/kernels.h"

uint32_t laip_dropout_threshold(const laip_dropout_mask *mask)
{
    return (uint32_t)((double)mask->p * 4294967296.0);
}

float laip_dropout_scale(const laip_dropout_mask *mask)
{
    return 1 / (1 - mask->p);
}

void laip_dropout(laip_device *d, laip_mat y, laip_mat x, laip_mat residual, const laip_dropout_mask *mask)
{
    if (x.rows)
        LAIP_LAUNCH(d, dropout, LAIP_STORAGE(d, "dropout", x, residual, y), laip_grid_rows(d, x.rows),
                    LAIP_MAT(x), residual.mem ? LAIP_MAT(residual) : LAIP_UNUSED(x), LAIP_MAT(y),
                    LAIP_MAT(mask->row_sequence), LAIP_MAT(mask->begin), LAIP_MAT(mask->ids),
                    laip_arg_stream(mask->stream), LAIP_I(x.cols), LAIP_I(residual.mem != NULL),
                    LAIP_U(laip_dropout_threshold(mask)), LAIP_F(laip_dropout_scale(mask)));
}
