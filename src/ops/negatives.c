#include "ops/negatives.h"

#include "cl/kernels.h"

void laip_negatives_draw(laip_device *d, laip_ints negative, const laip_negatives_input *in)
{
    if (in->batch)
        LAIP_LAUNCH(d, draw_negatives, "", laip_grid_flat(d, 2 * in->batch, 1), LAIP_MAT(in->image_to_text),
                    LAIP_MAT(in->text_to_image), LAIP_MAT(in->temperature), LAIP_MAT(in->person),
                    LAIP_MAT(in->sample), laip_arg_stream(in->stream), LAIP_MAT(negative), LAIP_I(in->batch),
                    LAIP_F(in->least));
}
