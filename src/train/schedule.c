#include "train/schedule.h"

#include <math.h>

float laip_schedule(const laip_phase *p, uint64_t step, uint64_t steps)
{
    uint64_t warmup = (uint64_t)p->warmup < steps ? (uint64_t)p->warmup : steps;
    if (step < warmup)
        return p->lr * (float)(step + 1) / (float)(warmup + 1);
    double done = steps > warmup ? (double)(step - warmup) / (double)(steps - warmup) : 1;
    return (float)(p->min_lr + (p->lr - p->min_lr) * 0.5 * (1 + cos(3.14159265358979 * done)));
}

float laip_momentum_of(const laip_config *c, uint64_t done)
{
    if (!c->momentum_steps || done >= (uint64_t)c->momentum_steps)
        return c->loss.momentum;
    return c->momentum_start +
           (c->loss.momentum - c->momentum_start) * (float)done / (float)c->momentum_steps;
}
