/* BERT's embeddings: y[r] = word[ids[r]] + position[positions[r]] + type[0], assigned; y [rows, D].  The
 * backward is laip_scatter_rows into word and into position, and laip_bias_gradient into type's first row. */
#ifndef LAIP_OPS_EMBEDDING_H
#define LAIP_OPS_EMBEDDING_H

#include "device/buffer.h"

void laip_embedding_forward(laip_device *device, laip_mat y, laip_ints ids, laip_ints positions,
                            laip_mat word, laip_mat position, laip_mat type);

#endif
