#include "ops/matching.h"

#include "cl/kernels.h"

void laip_matching(laip_device *d, laip_mat dlogits, laip_mat entropy, laip_mat triplet,
                   const laip_matching_input *in)
{
    if (!in->pairs)
        return;
    LAIP_LAUNCH(d, matching, "", laip_grid_flat(d, in->pairs, 1), LAIP_MAT(in->logits), LAIP_MAT(dlogits),
                LAIP_MAT(in->image_negative), LAIP_MAT(in->text_negative), LAIP_MAT(entropy),
                LAIP_MAT(triplet), LAIP_I(in->pairs), LAIP_F(in->margin), LAIP_F(in->itm_weight),
                LAIP_F(in->triplet_weight),
                in->report.mem ? laip_arg_floats(in->report.mem, 1) : LAIP_UNUSED(in->logits),
                LAIP_I(in->report.mem != NULL));
}
