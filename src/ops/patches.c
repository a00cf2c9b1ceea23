#include "ops/patches.h"

#include "cl/kernels.h"

void laip_patches(laip_device *d, laip_mat y, laip_mat images, int height, int width, int patch)
{
    if (y.rows)
        LAIP_LAUNCH(d, patches, LAIP_STORAGE(d, "patches", y), laip_grid_rows(d, y.rows), LAIP_MAT(images),
                    LAIP_MAT(y), LAIP_I(height), LAIP_I(width), LAIP_I(patch));
}

void laip_image_tokens_forward(laip_device *d, laip_mat x, laip_mat patches, laip_mat cls, laip_mat positions)
{
    if (x.rows)
        LAIP_LAUNCH(d, image_tokens, LAIP_STORAGE(d, "image_tokens", patches, x), laip_grid_rows(d, x.rows),
                    LAIP_MAT(patches), LAIP_MAT(cls), LAIP_MAT(positions), LAIP_MAT(x),
                    LAIP_I(positions.rows), LAIP_I(x.cols));
}

void laip_image_tokens_backward(laip_device *d, laip_mat dpatches, laip_mat dcls, laip_mat dpositions,
                                laip_mat dx)
{
    size_t tokens = dpositions.rows;
    if (dx.rows)
        LAIP_LAUNCH(d, image_tokens_backward, LAIP_STORAGE(d, "image_tokens_backward", dx, dpatches),
                    laip_grid_rows(d, tokens), LAIP_MAT(dx), LAIP_MAT(dpatches), LAIP_BOTH(dcls),
                    LAIP_BOTH(dpositions), LAIP_I(dx.rows / tokens), LAIP_I(tokens), LAIP_I(dx.cols));
}
