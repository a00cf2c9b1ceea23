#include "ops/contrast.h"

#include "cl/kernels.h"

void laip_contrast_rows(laip_device *d, laip_mat dots, laip_mat loss, laip_mat dtemperature,
                        const laip_contrast *c)
{
    if (!dots.rows)
        return;
    bool two = c->row_b.mem != NULL;
    LAIP_LAUNCH(d, contrast, "", laip_grid_rows(d, dots.rows), LAIP_BOTH(dots),
                c->alpha > 0 ? LAIP_MAT(c->momentum_dots) : LAIP_UNUSED(dots), LAIP_MAT(c->row_a),
                two ? LAIP_MAT(c->row_b) : LAIP_UNUSED(c->row_a), LAIP_MAT(c->key_a),
                two ? LAIP_MAT(c->key_b) : LAIP_UNUSED(c->key_a), LAIP_MAT(c->temperature),
                LAIP_MAT(c->weight), LAIP_MAT(loss), LAIP_MAT(dtemperature), LAIP_I(dots.cols),
                LAIP_I(two ? 1 + c->exclusive : 0), LAIP_F(c->alpha),
                c->report.mem ? laip_arg_floats(c->report.mem, 1) : LAIP_UNUSED(c->weight),
                LAIP_I(c->report.mem != NULL));
}
