/* The keys of ITC: the momentum features of the global batch, then the queue of past pairs
 * (src/model/README.md, 2.1). */
#ifndef LAIP_MODEL_KEYS_H
#define LAIP_MODEL_KEYS_H

#include "device/buffer.h"

typedef struct laip_queue {
    laip_device *device;
    size_t batch, slots;  /* of the global batch, and Q */
    laip_mat image, text; /* [batch + Q, E]; rows batch … are the queue's slots */
    int32_t *person;      /* [batch + Q], host */
    size_t pointer;       /* the oldest slot */
} laip_queue;

void laip_queue_plan(laip_queue *q, laip_plan *plan, size_t batch, size_t slots, size_t embed);
void laip_queue_free(laip_queue *q);
/* Slots of random unit vectors of nobody (person −100), as before any step. */
void laip_queue_initialise(laip_queue *q, laip_device *device, uint64_t seed);
/* A side as checkpoints hold it, [E, Q], to and from the host. */
void laip_queue_read(laip_queue *q, laip_mat side, float *values);
void laip_queue_write(laip_queue *q, laip_mat side, const float *values);
/* The batch's features and persons overwrite the oldest slots, wrapping round. */
void laip_queue_push(laip_queue *q);

#endif
