/* What a device was asked to do, and when asked for, how long it took: a line for each kernel in each part of
 * the work.
 *
 * A part is a name that the caller sets ("image pass"); what is launched from then on counts there.  Every
 * launch counts itself with the bytes of its arguments' views, each as often as the kernel reads or writes it
 * from end to end: what a device with caches large enough would move.  Operations that multiply (products,
 * attention) declare the floating-point operations that the mathematics asks for; those that a kernel makes
 * twice to save memory count once.  CLBlast's products are lines of the name "clblast" whatever they launch;
 * transfers are lines, too, but no launches.
 *
 * With time on, every launch has an event, and a line's seconds are those that its commands ran on the
 * device.  That costs a little, and changes nothing else. */
#ifndef LAIP_DEVICE_PROFILER_H
#define LAIP_DEVICE_PROFILER_H

#include "device/device.h"

typedef struct laip_profiler_line {
    const char *part, *kernel; /* kernel: also fill, copy, upload, download, clblast */
    uint64_t count;            /* of launches or transfers */
    double flops, bytes, seconds;
} laip_profiler_line;

/* part: a string that stays; "" as long as nothing is set. */
void laip_profiler_part(laip_device *device, const char *part);
/* The next launch makes so many floating-point operations. */
void laip_profiler_flops(laip_device *device, double flops);
/* Waits for the device, forgets all lines, and measures the time of what follows, or no longer does. */
bool laip_profiler_start(laip_device *device, bool time, laip_error *error);
/* The lines since then (or since the device was opened), in the order of their first launch, after waiting
 * for the device; they stay as they are until the next launch. */
bool laip_profiler_read(laip_device *device, const laip_profiler_line **lines, size_t *count,
                        laip_error *error);
/* The sum of the lines of a part (NULL: of all) and a kernel (NULL: of all); its names are those asked for.
 */
laip_profiler_line laip_profiler_sum(const laip_profiler_line *lines, size_t count, const char *part,
                                     const char *kernel);

/* With time on: every command is told, with the seconds of laip_seconds's clock at which the device began and
 * ended it, when lines are read.  NULL: no longer. */
typedef void laip_profiler_span(void *context, const char *part, const char *kernel, double from, double to);
bool laip_profiler_trace(laip_device *device, laip_profiler_span *span, void *context, laip_error *error);

#endif
