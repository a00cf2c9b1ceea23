/* TensorBoard's event files, made from a run's metrics.jsonl: every number of a line becomes a scalar named
 * by its keys
 * ("itc", "val/retrieval/R@1").
 *
 * An event file is a row of records (length as u64, masked CRC-32C of it, data, masked CRC-32C of that,
 * little-endian); the data are protocol buffers: Event {1: wall_time double, 2: step int64, 3: file_version
 * string, 5: Summary {1: Value {1: tag string, 2: simple_value float}}}. */
#ifndef LAIP_REPORT_TENSORBOARD_H
#define LAIP_REPORT_TENSORBOARD_H

#include "base/error.h"
#include <stddef.h>
#include <stdio.h>

typedef struct laip_tensorboard {
    FILE *file;
    char *metrics; /* path of metrics.jsonl */
    long at;       /* of the first byte of it that is not in the events yet */
} laip_tensorboard;

/* Begins a file of its own in folder (made where it is missing), as each start of a run does; what
 * metrics.jsonl holds already is left out when resuming, as the files before have it. */
bool laip_tensorboard_open(laip_tensorboard *t, const char *folder, const char *metrics, bool resuming,
                           laip_error *error);
/* Adds the whole lines that have come since. */
bool laip_tensorboard_update(laip_tensorboard *t, laip_error *error);
void laip_tensorboard_close(laip_tensorboard *t); /* of a zeroed one: nothing */

#endif
