/* Index tables of a plan: they lie in one buffer, with a copy on the host, and what was written since goes up
 * in one transfer, from two pinned buffers in turn, before the next launch. */
#ifndef LAIP_DEVICE_TABLES_H
#define LAIP_DEVICE_TABLES_H

#include "device/buffer.h"

/* NULL after a failure (sticky); bytes > 0. */
laip_tables *laip_tables_create(laip_device *device, size_t bytes);
void laip_tables_free(laip_tables *tables); /* NULL is fine */
laip_mem laip_tables_mem(const laip_tables *tables);
/* Bytes of the host's copy, from `at` on. */
void laip_tables_write(laip_tables *tables, size_t at, const void *data, size_t bytes);
/* Sends what was written to any of the device's tables. */
void laip_tables_flush(laip_device *device);

#endif
