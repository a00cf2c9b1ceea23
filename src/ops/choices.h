/* What is chosen by measurement, once a device, and kept: lines "CLASS VALUE" in the user's cache folder and,
 * for those that a run has used, in its folder (ops/gemm/gemm.h: laip_gemm_choices_write and _read).  Classes
 * are shapes of products (gemm/choice.c), the packed product's tile and depth (gemm/tile.c) and the vectors
 * of attention (attention_shape.c). */
#ifndef LAIP_OPS_CHOICES_H
#define LAIP_OPS_CHOICES_H

#include "device/device.h"

/* The value that was chosen for a class in this run or, failing that, as the cache folder has it; NULL: none.
 */
const char *laip_chosen(laip_device *device, const char *class);
void laip_remember(laip_device *device, const char *class, const char *value); /* in both; short words */

/* Told of each candidate that is measured. */
typedef void (*laip_rate_report)(void *context, const char *name, double gflops);

#endif
