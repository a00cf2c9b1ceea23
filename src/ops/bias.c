#include "ops/bias.h"

#include "cl/kernels.h"

/* Rows are summed in bands: more of them where there are few columns to share out. */
enum { NARROW = 256, BANDS = 16, BANDS_NARROW = 64 };

size_t laip_bias_partials(const laip_device *d, size_t rows, size_t cols)
{
    size_t wide = laip_bands_floats(d, rows, cols, BANDS),
           narrow = laip_bands_floats(d, rows, cols < NARROW ? cols : NARROW - 1, BANDS_NARROW);
    return wide > narrow ? wide : narrow;
}

void laip_bias_gradient_columns(laip_device *d, laip_mat db, laip_mat dy, size_t first, size_t count,
                                laip_mat scratch)
{
    size_t rows = dy.rows, cols = dy.cols;
    if (!rows || !count)
        return;
    laip_mat summed = dy; /* as much of it as is read */
    summed.cols = count;
    size_t bands = laip_bands(d, rows, cols, cols < NARROW ? BANDS_NARROW : BANDS);
    size_t band = (rows + bands - 1) / bands;
    laip_grid grid = laip_grid_flat(d, count, (size_t)laip_device_traits(d)->vector);
    laip_grid gather = grid;
    grid.groups[1] = bands;
    LAIP_LAUNCH(d, bias_partials, LAIP_STORAGE(d, "bias_partials", dy), grid, LAIP_MAT(summed),
                laip_arg_floats(scratch.mem, bands * count), LAIP_I(rows), LAIP_I(cols), LAIP_I(first),
                LAIP_I(first + count), LAIP_I(band));
    LAIP_LAUNCH(d, bias_gather, "", gather, laip_arg_floats(scratch.mem, bands * count),
                laip_arg_both(laip_arg_floats(db.mem, count)), LAIP_I(bands), LAIP_I(cols), LAIP_I(first),
                LAIP_I(first + count));
}

void laip_bias_gradient(laip_device *d, laip_mat db, laip_mat dy, laip_mat scratch)
{
    laip_bias_gradient_columns(d, db, dy, 0, dy.cols, scratch);
}
