/* What the files of attention share: arguments of its kernels, and the form for processors. */
#ifndef LAIP_OPS_ATTENTION_INTERNAL_H
#define LAIP_OPS_ATTENTION_INTERNAL_H

#include "device/launch.h"
#include "ops/attention.h"

/* The columns of all heads are read or written. */
laip_arg laip_attention_columns(const laip_attention *a, laip_heads x, size_t rows);
laip_arg laip_attention_per_row(const laip_attention *a, laip_mat m); /* a number a query row and head */
double laip_attention_flops(const laip_attention *a);                 /* of Q Kᵀ */
laip_f32 laip_attention_scale(const laip_attention *a);               /* 1/√d */
laip_u32 laip_attention_threshold(const laip_attention *a); /* dropout's, and what is kept times … */
laip_f32 laip_attention_kept_scale(const laip_attention *a);

/* attention_shape.c: a width of vectors with the register tile for it. */
typedef struct laip_attention_shape {
    const char *name; /* VEC-TILExVECTORS */
    int vec, tile, vectors;
} laip_attention_shape;

/* The one that serves, measured at the first need; and the one with the most rows of queries of those that
 * may. */
const laip_attention_shape *laip_attention_shape_of(laip_device *device, const laip_attention *a,
                                                    bool backward);
const laip_attention_shape *laip_attention_largest(const laip_device *device);
size_t laip_attention_query_tile(const laip_attention_shape *shape); /* rows */

/* attention_tile.c: whether the form in query tiles serves, and its launches. */
bool laip_attention_tiled(const laip_device *device, int head_size);
void laip_attention_tile_forward(laip_device *device, const laip_attention *a, laip_mat o, laip_mat lse,
                                 laip_heads q, laip_heads k, laip_heads v, const char *storage);
size_t laip_attention_tile_scratch(const laip_device *device, int heads, int head_size, size_t query_rows,
                                   size_t blocks, size_t longest_block);
void laip_attention_tile_backward(laip_device *device, const laip_attention *a,
                                  const laip_attention_gradients *g, const char *storage);

#endif
