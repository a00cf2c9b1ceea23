#include "net/linear.h"

#include "ops/bias.h"
#include "ops/layernorm.h"
#include "ops/matrix_unit.h"
#include <stdio.h>

laip_linear laip_linear_declare(laip_table *t, const char *name, size_t out, size_t in)
{
    laip_linear l = {0};
    l.weight = laip_declare(t, LAIP_INIT_MATRIX, 2, (size_t[]){out, in}, "%s.weight", name);
    l.bias = laip_declare(t, LAIP_INIT_ZERO, 1, (size_t[]){out}, "%s.bias", name);
    return l;
}

laip_norm laip_norm_declare(laip_table *t, const char *name, size_t width, float eps)
{
    laip_norm n = {.eps = eps};
    n.weight = laip_declare(t, LAIP_INIT_ONE, 1, (size_t[]){width}, "%s.weight", name);
    n.bias = laip_declare(t, LAIP_INIT_ZERO, 1, (size_t[]){width}, "%s.bias", name);
    return n;
}

/* Sets the precision of this layer's products; returns what it was. */
static laip_precision begin(const laip_context *c, const laip_linear *l)
{
    return laip_precision_set(c->device, l->fp32 ? LAIP_PRECISION_FP32 : laip_precision_of(c->device));
}

void laip_linear_forward(const laip_context *c, const laip_linear *l, laip_mat y, laip_mat x,
                         laip_mat residual)
{
    laip_epilogue e = {.bias = l->bias->value, .activation = LAIP_LINEAR, .residual = residual};
    laip_precision before = begin(c, l);
    laip_gemm(c->device, false, true, 1, x, l->weight->value, 0, y, &e);
    laip_precision_set(c->device, before);
}

void laip_linear_dropout(const laip_context *c, const laip_linear *l, laip_mat y, laip_mat x,
                         const laip_dropout_mask *mask, laip_mat residual)
{
    laip_epilogue e = {.bias = l->bias->value, .dropout = mask->p > 0 ? mask : NULL, .residual = residual};
    laip_gemm(c->device, false, true, 1, x, l->weight->value, 0, y, &e);
}

void laip_linear_gelu(const laip_context *c, const laip_linear *l, laip_mat y, laip_mat pre, laip_mat x)
{
    laip_epilogue e = {.bias = l->bias->value, .activation = LAIP_GELU, .pre = pre};
    laip_gemm(c->device, false, true, 1, x, l->weight->value, 0, y, &e);
}

static void parameter_gradients(const laip_context *c, const laip_linear *l, laip_mat dy, laip_mat x)
{
    laip_epilogue e = {.row_sums = {l->bias->gradient, l->first_key, l->keys, c->reduce}};
    if (c->frozen)
        return;
    laip_gemm(c->device, true, false, 1, dy, x, l->weight->overwrite ? 0 : 1, l->weight->gradient, &e);
    l->weight->overwrite = false;
}

void laip_linear_backward(const laip_context *c, const laip_linear *l, laip_mat dx, bool accumulate,
                          laip_mat dy, laip_mat x)
{
    laip_precision before = begin(c, l);
    laip_gemm_hold(c->device, dy);
    parameter_gradients(c, l, dy, x);
    if (dx.mem)
        laip_gemm(c->device, false, false, 1, dy, l->weight->value, accumulate ? 1 : 0, dx, NULL);
    laip_precision_set(c->device, before);
    laip_gemm_let_go(c->device);
}

void laip_linear_backward_gelu(const laip_context *c, const laip_linear *l, laip_mat dpre, laip_mat pre,
                               laip_mat dy, laip_mat x)
{
    laip_epilogue e = {.slope_of = pre};
    laip_precision before = begin(c, l);
    laip_gemm_hold(c->device, dy);
    parameter_gradients(c, l, dy, x);
    laip_gemm(c->device, false, false, 1, dy, l->weight->value, 0, dpre, &e);
    laip_precision_set(c->device, before);
    laip_gemm_let_go(c->device);
}

void laip_norm_forward(const laip_context *c, const laip_norm *n, laip_mat y, laip_mat stats, laip_mat x)
{
    laip_layernorm_forward(c->device, y, stats, x, n->weight->value, n->bias->value, n->eps);
}

void laip_norm_backward(const laip_context *c, const laip_norm *n, laip_mat dx, bool accumulate, laip_mat dy,
                        laip_mat x, laip_mat stats)
{
    laip_mat none = {0};
    laip_layernorm_backward(c->device, dx, accumulate, c->frozen ? none : n->weight->gradient,
                            c->frozen ? none : n->bias->gradient, dy, x, stats, n->weight->value, c->reduce);
}

size_t laip_reduce_scratch(const laip_device *device, size_t rows, size_t cols)
{
    size_t a = laip_bias_partials(device, rows, cols), b = laip_layernorm_partials(device, rows, cols);
    return a > b ? a : b;
}
