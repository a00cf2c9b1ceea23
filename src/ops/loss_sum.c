#include "ops/loss_sum.h"

#include "cl/kernels.h"

void laip_loss_sum_add(laip_device *d, laip_mat report, const laip_loss_sum *s)
{
    LAIP_LAUNCH(d, loss_sum, "", laip_grid_rows(d, 1), LAIP_MAT(laip_rows(s->x, s->count)),
                s->weight.mem ? LAIP_MAT(laip_rows(s->weight, s->count)) : LAIP_UNUSED(s->x),
                laip_arg_both(laip_arg_floats(report.mem, 1)), LAIP_I(s->loss), LAIP_I(s->first),
                LAIP_I(s->count), LAIP_I(s->weight.mem != NULL), LAIP_F(s->factor), LAIP_F(s->offset));
}
