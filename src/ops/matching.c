#include "ops/matching.h"

#include "device/launch.h"

void laip_matching(laip_device *d, laip_mat dlogits, laip_mat entropy, laip_mat triplet, laip_mat logits,
                   laip_ints image_negative, laip_ints text_negative, size_t pairs, float margin,
                   float itm_weight, float triplet_weight, laip_mat report)
{
    if (!pairs)
        return;
    LAIP_LAUNCH(d, "matching.cl", "matching", "", laip_grid_flat(d, pairs, 1), LAIP_MAT(logits),
                LAIP_MAT(dlogits), LAIP_MAT(image_negative), LAIP_MAT(text_negative), LAIP_MAT(entropy),
                LAIP_MAT(triplet), LAIP_I(pairs), LAIP_F(margin), LAIP_F(itm_weight), LAIP_F(triplet_weight),
                report.mem ? laip_arg_floats(report.mem, 1) : LAIP_UNUSED(logits),
                LAIP_I(report.mem != NULL));
}
