/* The learning rate and the momentum of a step. */
#ifndef LAIP_TRAIN_SCHEDULE_H
#define LAIP_TRAIN_SCHEDULE_H

#include "config/config.h"
#include <stdint.h>

/* Step `step` (from 0) of `steps`: linear warm-up to lr, then half a cosine down to min_lr. */
float laip_schedule(const laip_phase *p, uint64_t step, uint64_t steps);
/* μ of step `done` (from 0, over all phases): rises linearly from momentum_start to loss.momentum. */
float laip_momentum_of(const laip_config *c, uint64_t done);

#endif
