#include "ops/region.h"

#include "cl/kernels.h"

void laip_region_weights(laip_device *d, laip_mat weight, laip_mat total, laip_mat fore, laip_mat back,
                         int attention)
{
    if (weight.rows)
        LAIP_LAUNCH(d, region_weights, "", laip_grid_rows(d, weight.rows), LAIP_MAT(fore), LAIP_MAT(back),
                    LAIP_MAT(weight), LAIP_MAT(total), LAIP_I(weight.cols), LAIP_I(attention));
}

void laip_region_pool(laip_device *d, laip_mat region, laip_mat weight, laip_mat image, laip_ints owner)
{
    if (!region.rows)
        return;
    laip_grid grid = laip_grid_flat(d, region.cols, (size_t)laip_device_traits(d)->vector);
    grid.groups[1] = region.rows;
    LAIP_LAUNCH(d, region_pool, LAIP_STORAGE(d, "region_pool", image, region), grid, LAIP_MAT(weight),
                LAIP_MAT(image), LAIP_MAT(owner), LAIP_MAT(region), LAIP_I(weight.cols), LAIP_I(region.cols));
}

void laip_region_backward(laip_device *d, laip_mat dfore, laip_mat dimage, laip_mat dregion,
                          const laip_region *r)
{
    size_t phrases = dregion.rows, patches = r->weight.cols;
    const char *built = LAIP_STORAGE(d, "region_dweight", dregion, r->image, dimage);
    if (!phrases)
        return;
    LAIP_LAUNCH(d, region_dweight, built, laip_grid_rows(d, phrases * patches), LAIP_MAT(dregion),
                LAIP_MAT(r->image), LAIP_MAT(r->owner), LAIP_MAT(dfore), LAIP_I(patches),
                LAIP_I(dregion.cols));
    LAIP_LAUNCH(d, region_dimage, built, laip_grid_rows(d, r->images * patches), LAIP_MAT(r->weight),
                LAIP_MAT(dregion), LAIP_MAT(r->first), LAIP_BOTH(dimage), LAIP_I(patches),
                LAIP_I(dregion.cols));
    LAIP_LAUNCH(d, region_dfore, "", laip_grid_rows(d, phrases), LAIP_MAT(dfore), LAIP_MAT(r->weight),
                LAIP_MAT(r->back), LAIP_MAT(r->total), LAIP_I(patches), LAIP_I(r->attention));
}
