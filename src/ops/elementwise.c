#include "ops/elementwise.h"

#include "cl/kernels.h"

void laip_add(laip_device *d, laip_mat y, laip_mat x)
{
    size_t count = y.rows * y.cols, each = laip_flat_each(d, count);
    if (count)
        LAIP_LAUNCH(d, add, "", laip_grid_flat(d, count, each), LAIP_BOTH(y), LAIP_MAT(x),
                    laip_arg_u64(count), laip_arg_u64(each));
}

void laip_clear(laip_device *d, laip_mat y)
{
    size_t count = y.rows * y.cols, each = laip_flat_each(d, count);
    if (count)
        LAIP_LAUNCH(d, clear, LAIP_STORAGE(d, "clear", y), laip_grid_flat(d, count, each), LAIP_MAT(y),
                    laip_arg_u64(count), laip_arg_u64(each));
}

void laip_convert(laip_device *d, laip_mat y, laip_mat x)
{
    static const char *const options[3][3] = {
        {"", "-DHALF", "-DHALF -DBFLOAT16"},
        {"-DHALF_FROM", "-DHALF -DHALF_FROM", NULL},
        {"-DHALF_FROM -DBFLOAT16", NULL, "-DHALF -DHALF_FROM -DBFLOAT16"}};
    size_t count = y.rows * y.cols, each = laip_flat_each(d, count);
    const char *option = options[x.store][y.store];
    if (x.rows * x.cols != count || !option)
        laip_device_fail(d, "conversion of a %zu x %zu matrix into one of %zu x %zu", x.rows, x.cols, y.rows,
                         y.cols);
    if (count && option)
        LAIP_LAUNCH(d, convert, option, laip_grid_flat(d, count, each), LAIP_MAT(x), LAIP_MAT(y),
                    laip_arg_u64(count), laip_arg_u64(each));
}

void laip_scale(laip_device *d, laip_mat y, float factor)
{
    size_t count = y.rows * y.cols, each = laip_flat_each(d, count);
    if (count)
        LAIP_LAUNCH(d, scale, "", laip_grid_flat(d, count, each), LAIP_BOTH(y), LAIP_F(factor),
                    laip_arg_u64(count), laip_arg_u64(each));
}

/* A sum has fewer, longer chunks than other flat kernels: one group adds up all of theirs. */
static size_t chunk(const laip_device *d, size_t count)
{
    const laip_traits *t = laip_device_traits(d);
    size_t chunks = t->lanes > 1 ? (size_t)t->units * 512 : 64, each = (count + chunks - 1) / chunks;
    each = (each + 63) / 64 * 64;
    return each < 1024 ? 1024 : each;
}

static size_t items(const laip_device *d, size_t count)
{
    laip_grid g = laip_grid_flat(d, count, chunk(d, count));
    return g.groups[0] * g.items[0];
}

size_t laip_sum_partials(const laip_device *d, size_t count)
{
    return items(d, count ? count : 1);
}

void laip_sum_squares(laip_device *d, laip_mat out, bool accumulate, laip_mat x, laip_mat scratch)
{
    size_t count = x.rows * x.cols, each = chunk(d, count);
    if (!count)
        return;
    LAIP_LAUNCH(d, square_partials, "", laip_grid_flat(d, count, each), LAIP_MAT(x),
                laip_arg_floats(scratch.mem, items(d, count)), laip_arg_u64(count), laip_arg_u64(each));
    LAIP_LAUNCH(d, sum_partials, "", laip_grid_rows(d, 1), laip_arg_floats(scratch.mem, items(d, count)),
                LAIP_MAT(out), LAIP_I(items(d, count)), LAIP_I(accumulate));
}
