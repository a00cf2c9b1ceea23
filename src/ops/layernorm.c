#include "ops/layernorm.h"

#include "cl/kernels.h"

enum { BANDS = 16 }; /* in which rows are summed, at least */

void laip_layernorm_forward(laip_device *d, laip_mat y, laip_mat stats, laip_mat x, laip_mat weight,
                            laip_mat bias, float eps)
{
    if (x.rows)
        LAIP_LAUNCH(d, layernorm_forward, LAIP_STORAGE(d, "layernorm_forward", x, y),
                    laip_grid_rows(d, x.rows), LAIP_MAT(x), LAIP_MAT(weight), LAIP_MAT(bias),
                    LAIP_MAT(laip_rows(y, x.rows)), LAIP_MAT(laip_rows(stats, x.rows)), LAIP_I(x.cols),
                    LAIP_F(eps));
}

size_t laip_layernorm_partials(const laip_device *d, size_t rows, size_t cols)
{
    return 2 * laip_bands_floats(d, rows, cols, BANDS);
}

void laip_layernorm_backward(laip_device *d, laip_mat dx, bool accumulate, laip_mat dweight, laip_mat dbias,
                             laip_mat dy, laip_mat x, laip_mat stats, laip_mat weight, laip_mat scratch)
{
    size_t rows = x.rows, cols = x.cols;
    if (!rows)
        return;
    if (dweight.mem) { /* before dx, which may overwrite dy */
        size_t bands = laip_bands(d, rows, cols, BANDS), band = (rows + bands - 1) / bands;
        laip_grid grid = laip_grid_flat(d, cols, (size_t)laip_device_traits(d)->vector);
        grid.groups[1] = bands;
        LAIP_LAUNCH(d, layernorm_partials, LAIP_STORAGE(d, "layernorm_partials", x, dy), grid, LAIP_MAT(x),
                    LAIP_MAT(laip_rows(dy, x.rows)), LAIP_MAT(laip_rows(stats, x.rows)),
                    laip_arg_floats(scratch.mem, bands * 2 * cols), LAIP_I(rows), LAIP_I(cols), LAIP_I(band));
        LAIP_LAUNCH(d, layernorm_gather, "", laip_grid_flat(d, cols, 1),
                    laip_arg_floats(scratch.mem, bands * 2 * cols), LAIP_BOTH(dweight), LAIP_BOTH(dbias),
                    LAIP_I(bands), LAIP_I(cols));
    }
    LAIP_LAUNCH(d, layernorm_backward, LAIP_STORAGE(d, "layernorm_backward", x, dy, dx),
                laip_grid_rows(d, rows), LAIP_MAT(x), LAIP_MAT(weight), LAIP_MAT(laip_rows(dy, x.rows)),
                LAIP_MAT(laip_rows(stats, x.rows)),
                accumulate ? LAIP_BOTH(laip_rows(dx, x.rows)) : LAIP_MAT(laip_rows(dx, x.rows)), LAIP_I(cols),
                LAIP_I(accumulate));
}
