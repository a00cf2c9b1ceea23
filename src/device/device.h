/* One OpenCL device with its context, its in-order queue, its compiled kernels and its counters.
 *
 * Errors are sticky: the first OpenCL call that fails is remembered with its name, the error's name, the
 * device and the kernel; every later launch or transfer then does nothing.  So the network's code reads like
 * mathematics, and laip_device_finish or laip_device_ok tells at the end of a step whether all of it went
 * well.
 *
 * A device is used by one thread. */
#ifndef LAIP_DEVICE_DEVICE_H
#define LAIP_DEVICE_DEVICE_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct _cl_mem *laip_mem; /* OpenCL's cl_mem, so that only device/ and ops/ need its header */
typedef struct laip_device laip_device;

/* What the shapes of work follow from; all of it asked of the device, nothing guessed from a vendor's name.
 */
typedef struct laip_traits {
    char name[256], platform[256], driver[256], version[128];
    char pci[40];        /* address on the bus, domain:bus:device.function; "" where unknown */
    bool cpu;            /* a host processor */
    bool host_memory;    /* buffers live in host memory: mapping them copies nothing */
    int units;           /* compute units */
    size_t memory;       /* bytes of global memory */
    size_t largest;      /* bytes of the largest single allocation */
    size_t local_memory; /* bytes a work-group */
    size_t group_limit;  /* work-items a group */
    size_t alignment;    /* bytes; of a sub-buffer's offset */
    /* Work-items that share a row, and floats an item handles at once (LANES, VEC of cl/): 1 and 16, groups
     * of one item and no barriers, or 64 and 4. */
    int lanes, vector;
    bool fixed_vector; /* LAIP_SHAPE says so: nothing else is tried */
    int native_vector; /* floats of a register, as the driver says it: 16 with AVX-512, 8 with AVX2, 1 where
                        * lanes are work-items */
    size_t cache;      /* bytes of the last-level cache; 0 where unknown */
    int wave; /* items that run together: NVIDIA's warp, AMD's wavefront, Intel's least sub-group; 0: not told
               */
    int sub_group; /* items of the least sub-group that a kernel may ask for; 0: it may not */
} laip_traits;

/* Work and traffic since the device was opened (or since laip_device_reset_counters). */
typedef struct laip_counters {
    uint64_t launches, uploads, downloads, upload_bytes, download_bytes;
    uint64_t waits; /* calls that return only when the device has done something */
    double flops; /* floating-point operations of matrix products and attention, counted by the operations */
} laip_counters;

/* Opens the device that choice names: a number of laip_device_list, a kind (gpu, cpu, accelerator), a part of
 * the platform's or device's name (any case), or auto (also NULL and ""): what the environment's LAIP_DEVICE
 * names or, where it names none, the fastest kind present.  Where
 * several match, local_rank picks among them, in turn and in the order of their places on the bus; a card, or
 * the host's processor, that two platforms offer counts once, as the one of the newer OpenCL.  Two ranks get
 * the same GPU only when there are fewer GPUs than ranks and the choice names it by number or name.  No match
 * is bad input; the line lists what is there. */
bool laip_device_open(laip_device **device, const char *choice, int local_rank, laip_error *error);
void laip_device_close(laip_device *device); /* NULL is fine */

const laip_traits *laip_device_traits(const laip_device *device);
laip_counters *laip_device_counters(laip_device *device);
void laip_device_reset_counters(laip_device *device);

/* Waits until all work is done; false with the first failure since the device was opened. */
bool laip_device_finish(laip_device *device, laip_error *error);
bool laip_device_ok(const laip_device *device, laip_error *error); /* the same without waiting */
void laip_device_flush(laip_device *device);
/* Remembers a failure of ours as the sticky error, unless there is one already. */
void laip_device_fail(laip_device *device, const char *format, ...) LAIP_PRINTF(2, 3);

/* Calls each(context, number, rank, traits) for every device of every platform, in the order of the numbers;
 * rank is the first of a node's that auto gives the device to, or -1. */
bool laip_device_list(void (*each)(void *, int, int, const laip_traits *), void *context, laip_error *error);

/* Whether two devices of one host are one card, or its processor: through two platforms, or parts of it. */
bool laip_traits_same_device(const laip_traits *a, const laip_traits *b);

#endif
