/* Device memory read and changed by the host while the device goes on with other work: what ranks add up of
 * the gradients.  Mappings travel on a queue of their own; where buffers live in host memory they copy
 * nothing, and elsewhere the driver's own pinned memory receives them. */
#ifndef LAIP_DEVICE_MAPPING_H
#define LAIP_DEVICE_MAPPING_H

#include "device/buffer.h"

typedef struct _cl_event *laip_event;

/* All that was asked of the device so far; it is begun, and nothing is waited for.  NULL after a failure. */
laip_event laip_device_mark(laip_device *device);
bool laip_event_over(laip_device *device, laip_event event); /* also true after a failure */
void laip_event_release(laip_event event);                   /* NULL is fine */

typedef struct laip_mapping {
    laip_mem mem;
    void *data; /* to be used once laip_mapping_ready is true */
    laip_event ready;
} laip_mapping;

/* Bytes offset … of mem as they are after `after`; until laip_mapping_end no work of the device may touch
 * them. */
bool laip_mapping_begin(laip_device *device, laip_mem mem, size_t offset, size_t bytes, laip_event after,
                        laip_mapping *mapping);
bool laip_mapping_ready(laip_device *device, const laip_mapping *mapping); /* also true after a failure */
void laip_mapping_end(laip_device *device, laip_mapping *mapping); /* hands the bytes back, as they are now */
/* What the device is asked from now on sees all that was handed back. */
void laip_mappings_join(laip_device *device);

#endif
