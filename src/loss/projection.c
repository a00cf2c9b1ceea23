#include "loss/projection.h"

#include "ops/gather.h"
#include "ops/l2norm.h"

void laip_projection_plan(laip_projection *p, laip_plan *r, size_t rows, size_t width, size_t embed)
{
    *p = (laip_projection){.index = laip_plan_ints(r, rows),
                           .back = laip_scatter_plan(r, rows),
                           .x = laip_plan_activations(r, rows, width),
                           .raw = laip_plan_mat(r, rows, embed),
                           .norm = laip_plan_mat(r, rows, 1),
                           .f = laip_plan_mat(r, rows, embed),
                           .df = laip_plan_mat(r, rows, embed),
                           .dx = laip_plan_activations(r, rows, width)};
}

void laip_projection_forward_rows(laip_projection *p, const laip_linear *l, const laip_context *c,
                                  size_t count)
{
    laip_linear_forward(c, l, laip_rows(p->raw, count), laip_rows(p->x, count), (laip_mat){0});
    laip_l2norm_forward(c->device, laip_rows(p->f, count), laip_rows(p->norm, count),
                        laip_rows(p->raw, count));
}

void laip_projection_rows(laip_projection *p, laip_device *d, const int32_t *index, size_t count,
                          size_t token_rows)
{
    p->index.count = count;
    laip_ints_write(d, p->index, index);
    laip_scatter_upload(&p->back, d, index, count, token_rows);
}

void laip_projection_forward(laip_projection *p, const laip_linear *l, const laip_context *c, laip_mat tokens)
{
    laip_gather_rows(c->device, laip_rows(p->x, p->index.count), tokens, p->index);
    laip_projection_forward_rows(p, l, c, p->index.count);
}

void laip_projection_backward(laip_projection *p, const laip_linear *l, const laip_context *c, size_t count,
                              laip_mat dtokens)
{
    laip_mat df = laip_rows(p->df, count), dx = laip_rows(p->dx, count);
    laip_l2norm_backward(c->device, df, df, laip_rows(p->f, count), laip_rows(p->norm, count));
    laip_linear_backward(c, l, dx, false, df, laip_rows(p->x, count));
    if (dtokens.mem)
        laip_scatter_rows(c->device, dtokens, dx, p->back.target, p->back.begin, p->back.source,
                          p->back.targets);
}
