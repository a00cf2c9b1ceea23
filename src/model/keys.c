#include "model/keys.h"

#include "base/memory.h"
#include "base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void laip_queue_plan(laip_queue *q, laip_plan *r, size_t batch, size_t slots, size_t embed)
{
    laip_queue_free(q);
    *q = (laip_queue){.batch = batch, .slots = slots};
    q->image = laip_plan_mat(r, batch + slots, embed);
    q->text = laip_plan_mat(r, batch + slots, embed);
    q->person = laip_alloc(batch + slots, sizeof *q->person);
}

void laip_queue_free(laip_queue *q)
{
    free(q->person);
    q->person = NULL;
}

void laip_queue_initialise(laip_queue *q, laip_device *d, uint64_t seed)
{
    size_t E = q->image.cols;
    laip_mat sides[] = {q->image, q->text};
    q->device = d;
    q->pointer = 0;
    for (size_t i = 0; i < q->batch + q->slots; i++)
        q->person[i] = -100;
    float *values = laip_alloc(q->slots * E, sizeof *values);
    for (size_t s = 0; s < 2 && q->slots; s++) {
        laip_rng rng = laip_rng_stream(seed, 1, s, LAIP_SITE_INIT);
        for (size_t i = 0; i < q->slots; i++) {
            double sum = 0;
            for (size_t e = 0; e < E; e++) {
                values[i * E + e] = (float)laip_rng_normal(&rng);
                sum += (double)values[i * E + e] * values[i * E + e];
            }
            for (size_t e = 0; e < E; e++)
                values[i * E + e] /= (float)sqrt(sum);
        }
        laip_mem_write(d, sides[s].mem, q->batch * E * sizeof(float), values, q->slots * E * sizeof(float));
    }
    free(values);
}

void laip_queue_read(laip_queue *q, laip_mat side, float *values)
{
    size_t E = side.cols;
    float *rows = laip_alloc(q->slots * E, sizeof *rows);
    laip_mem_read(q->device, side.mem, q->batch * E * sizeof(float), rows, q->slots * E * sizeof(float));
    for (size_t i = 0; i < q->slots; i++)
        for (size_t e = 0; e < E; e++)
            values[e * q->slots + i] = rows[i * E + e];
    free(rows);
}

void laip_queue_write(laip_queue *q, laip_mat side, const float *values)
{
    size_t E = side.cols;
    float *rows = laip_alloc(q->slots * E, sizeof *rows);
    for (size_t i = 0; i < q->slots; i++)
        for (size_t e = 0; e < E; e++)
            rows[i * E + e] = values[e * q->slots + i];
    laip_mem_write(q->device, side.mem, q->batch * E * sizeof(float), rows, q->slots * E * sizeof(float));
    free(rows);
}

void laip_queue_push(laip_queue *q)
{
    if (!q->slots)
        return;
    size_t row = q->image.cols * sizeof(float);
    /* of a batch larger than the queue only the last rows stay */
    size_t skip = q->batch > q->slots ? q->batch - q->slots : 0;
    for (size_t i = skip; i < q->batch;) {
        size_t slot = (q->pointer + i) % q->slots, run = q->slots - slot;
        if (run > q->batch - i)
            run = q->batch - i;
        laip_mem_copy(q->device, q->image.mem, (q->batch + slot) * row, q->image.mem, i * row, run * row);
        laip_mem_copy(q->device, q->text.mem, (q->batch + slot) * row, q->text.mem, i * row, run * row);
        memcpy(q->person + q->batch + slot, q->person + i, run * sizeof *q->person);
        i += run;
    }
    q->pointer = (q->pointer + q->batch) % q->slots;
}
