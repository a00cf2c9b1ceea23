/* Which rows of one matrix are summed into which rows of another: the way back of a gather or an embedding.
 */
#ifndef LAIP_NET_SCATTER_H
#define LAIP_NET_SCATTER_H

#include "device/buffer.h"

/* Targets, and where the sources of each begin: what laip_scatter_rows takes. */
typedef struct laip_scatter {
    laip_ints target, begin, source;
    size_t targets;
} laip_scatter;

laip_scatter laip_scatter_plan(laip_plan *plan, size_t most_rows);
/* Uploads the table that sends row r (of count) to row target[r] of a matrix of `rows` rows; -1 sends it
 * nowhere. */
void laip_scatter_upload(laip_scatter *s, laip_device *device, const int32_t *target, size_t count,
                         size_t rows);

#endif
