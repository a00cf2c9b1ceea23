#include "ops/embedding.h"

#include "cl/kernels.h"

void laip_embedding_forward(laip_device *d, laip_mat y, laip_ints ids, laip_ints positions, laip_mat word,
                            laip_mat position, laip_mat type)
{
    if (y.rows)
        LAIP_LAUNCH(d, embedding_forward, LAIP_STORAGE(d, "embedding_forward", y, word),
                    laip_grid_rows(d, y.rows), LAIP_MAT(ids), LAIP_MAT(positions),
                    LAIP_MAT(laip_rows(word, y.rows)), LAIP_MAT(laip_rows(position, y.rows)),
                    LAIP_MAT(laip_rows(type, 1)), LAIP_MAT(y), LAIP_I(y.cols));
}
