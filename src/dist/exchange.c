#include "dist/exchange.h"

#include "base/memory.h"
#include "dist/gradients.h"
#include <stdlib.h>

static void exchange_side(const laip_ranks *r, laip_step *s, laip_mat side, const size_t *first)
{
    laip_device *d = s->model->device;
    size_t rows = s->queue.batch, bytes = rows * side.cols * sizeof(float);
    float *all = laip_alloc(rows, side.cols * sizeof *all);
    laip_mem_read(d, side.mem, 0, all, bytes);
    laip_ranks_allgatherv(r, all, first);
    laip_mem_write(d, side.mem, 0, all, bytes);
    free(all);
}

void laip_exchange_keys(const laip_ranks *r, laip_step *s)
{
    if (r->size == 1)
        return;
    size_t *rows = laip_alloc((size_t)r->size + 1, sizeof *rows),
           *floats = laip_alloc((size_t)r->size + 1, sizeof *rows);
    for (int k = 0; k < r->size; k++) {
        size_t first, last;
        laip_ranks_division(r, k, s->sizes.micro_batches, &first, &last);
        rows[k + 1] = last * s->sizes.batch;
        floats[k + 1] = rows[k + 1] * s->queue.image.cols;
    }
    exchange_side(r, s, s->queue.image, floats);
    exchange_side(r, s, s->queue.text, floats);
    laip_ranks_allgatherv_ints(r, s->queue.person, rows);
    free(rows);
    free(floats);
}

bool laip_exchange_gradients(const laip_ranks *r, laip_step *s, laip_error *error)
{
    laip_gradient_times times;
    laip_gradients *g = laip_gradients_create(r, s);
    bool good = laip_gradients_end(g, &times, error);
    laip_gradients_free(g);
    return good;
}
