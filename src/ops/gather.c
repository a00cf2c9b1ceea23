#include "ops/gather.h"

#include "cl/kernels.h"

void laip_gather_rows(laip_device *d, laip_mat y, laip_mat x, laip_ints index)
{
    if (y.rows)
        LAIP_LAUNCH(d, gather_rows, LAIP_STORAGE(d, "gather_rows", x, y), laip_grid_rows(d, y.rows),
                    LAIP_MAT(laip_rows(x, y.rows)), LAIP_MAT(index), LAIP_MAT(y), LAIP_I(y.cols));
}

void laip_scatter_rows(laip_device *d, laip_mat y, laip_mat x, laip_ints target, laip_ints begin,
                       laip_ints source, size_t targets)
{
    static const char *const sums[] = {"", "-DHALF -DFLOAT_SUMS", "-DHALF -DBFLOAT16 -DFLOAT_SUMS"};
    if (targets)
        LAIP_LAUNCH(d, scatter_rows,
                    x.store != y.store && !y.store ? sums[x.store] : LAIP_STORAGE(d, "scatter_rows", x, y),
                    laip_grid_rows(d, targets), LAIP_MAT(laip_rows(x, source.count)), LAIP_MAT(target),
                    LAIP_MAT(begin), LAIP_MAT(source), LAIP_BOTH(laip_rows(y, targets)), LAIP_I(y.cols));
}
