/* Features of the joint space: f = norm(W x + b) for chosen rows x of a matrix of tokens
 * (src/model/README.md, 2). */
#ifndef LAIP_LOSS_PROJECTION_H
#define LAIP_LOSS_PROJECTION_H

#include "net/linear.h"
#include "net/text_encoder.h"

typedef struct laip_projection {
    laip_ints index; /* [rows]: which rows of the tokens */
    laip_scatter back;
    laip_mat x, raw, norm, f; /* [rows, D], [rows, E], [rows, 1], [rows, E] */
    laip_mat df, dx;          /* df: the gradient of f, before the backward */
} laip_projection;

void laip_projection_plan(laip_projection *p, laip_plan *plan, size_t rows, size_t width, size_t embed);
/* Which rows of a matrix of token_rows rows: index[0 … count). */
void laip_projection_rows(laip_projection *p, laip_device *device, const int32_t *index, size_t count,
                          size_t token_rows);
/* f of those rows of tokens. */
void laip_projection_forward(laip_projection *p, const laip_linear *l, const laip_context *c,
                             laip_mat tokens);
/* The same where x holds the rows already. */
void laip_projection_forward_rows(laip_projection *p, const laip_linear *l, const laip_context *c,
                                  size_t count);
/* From df to dx; and, with dtokens.mem, on into the rows of the tokens' gradient (accumulated). */
void laip_projection_backward(laip_projection *p, const laip_linear *l, const laip_context *c, size_t count,
                              laip_mat dtokens);

#endif
