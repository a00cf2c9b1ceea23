#include "ops/dropout.h"

#include "cl/kernels.h"

void laip_dropout(laip_device *d, laip_mat y, laip_mat x, laip_mat residual, laip_ints row_sequence,
                  laip_ints begin, laip_ints ids, laip_rng_key stream, float p)
{
    if (x.rows)
        LAIP_LAUNCH(d, dropout, LAIP_STORAGE(d, "dropout", x, residual, y), laip_grid_rows(d, x.rows),
                    LAIP_MAT(x), residual.mem ? LAIP_MAT(residual) : LAIP_UNUSED(x), LAIP_MAT(y),
                    LAIP_MAT(row_sequence), LAIP_MAT(begin), LAIP_MAT(ids), laip_arg_stream(stream),
                    LAIP_I(x.cols), LAIP_I(residual.mem != NULL),
                    LAIP_U((uint32_t)((double)p * 4294967296.0)), LAIP_F(1 / (1 - p)));
}
