/* What the files of device/ and ops/ share about a device: the only header outside them that names OpenCL. */
#ifndef LAIP_DEVICE_INTERNAL_H
#define LAIP_DEVICE_INTERNAL_H

#include "base/map.h"
#include "device/device.h"
#include <CL/cl.h>

typedef struct laip_kernel {
    cl_kernel kernel;
    char *name;
    cl_uint arguments;
    size_t local_memory, group_limit;
} laip_kernel;

typedef struct laip_profile_entry {
    char *name;
    cl_event event;
} laip_profile_entry;

struct laip_device {
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    laip_traits traits;
    laip_counters counters;
    laip_error error; /* the sticky error; status LAIP_OK: none */

    laip_map program_index, kernel_index; /* by file and options; by file, kernel and options */
    cl_program *programs;
    laip_kernel *kernels;
    size_t program_count, program_capacity, kernel_count, kernel_capacity;

    bool profiling;
    laip_profile_entry *profile;
    size_t profile_count, profile_capacity;

    void *gemm; /* ops/gemm.c's state, made at its first use; released by gemm_close */
    void (*gemm_close)(laip_device *device);
};

const char *laip_cl_error_name(cl_int code);
/* Remembers that call failed with code (nothing when code is CL_SUCCESS); returns code == CL_SUCCESS. */
bool laip_cl_check(laip_device *device, cl_int code, const char *call, const char *subject);
/* The event to hand to an enqueue call, or NULL when not profiling; names the work that it belongs to. */
cl_event *laip_profile_event(laip_device *device, const char *name);

/* device/program.c: compiled, with the binaries cached on disk.  NULL after a failure (sticky). */
laip_kernel *laip_kernel_get(laip_device *device, const char *file, const char *kernel, const char *options);
void laip_programs_release(laip_device *device);

void laip_traits_query(cl_platform_id platform, cl_device_id id, laip_traits *traits);

#endif
