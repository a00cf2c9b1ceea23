/* What every rank does when, in Chrome's trace format (chrome://tracing, Perfetto): its device's kernels and
 * transfers, its waiting for data, and the sums of gradients; of the first steps, as the times of every
 * command cost time. */
#ifndef LAIP_TRAIN_TRACE_H
#define LAIP_TRAIN_TRACE_H

#include "device/device.h"
#include "dist/gradients.h"

enum { LAIP_TRACE_STEPS = 10 };

typedef struct laip_trace laip_trace;

/* All ranks together. */
bool laip_trace_open(laip_trace **trace, const char *path, const laip_ranks *ranks, laip_device *device,
                     laip_error *error);
void laip_trace_span(laip_trace *trace, const char *name, double from,
                     double to);          /* of the host; NULL: none */
laip_gradients_tell laip_trace_gradients; /* context: the trace */
/* A step is over.  After the last of LAIP_TRACE_STEPS, or with `last`, rank 0 writes the file, *trace is
 * freed and becomes NULL. */
bool laip_trace_step(laip_trace **trace, bool last, laip_error *error);

#endif
