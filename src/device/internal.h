/* What the files of device/ and ops/ share about a device: the only header outside them that names OpenCL. */
#ifndef LAIP_DEVICE_INTERNAL_H
#define LAIP_DEVICE_INTERNAL_H

#include "base/map.h"
#include "base/str.h"
#include "device/launch.h"
#include "device/profiler.h"
#include <CL/cl.h>

/* A kernel with one set of options: made once, and launched with what changed since (device/launch.c). */
enum { LAIP_KERNEL_PARTS = 12 };
typedef struct laip_kernel {
    const laip_kernel_description *what;
    laip_options options;
    struct laip_kernel *next; /* with other options */
    cl_kernel kernel;
    size_t local_memory, group_limit;
    laip_grid grid; /* of the last launch, and OpenCL's sizes of it */
    size_t global[3], local[3];
    char *set;         /* the struct of its arguments, as they are */
    unsigned releases; /* of buffers, when they were set: a handle may be of another one now */
    bool has_grid, is_set;
    /* its lines in the profiler, by the part's text */
    const char *part[LAIP_KERNEL_PARTS];
    size_t line[LAIP_KERNEL_PARTS];
    unsigned lines_of; /* which of the profiler's starts they are of */
} laip_kernel;

typedef struct laip_profiler_event {
    cl_event event, before; /* before: the time counts from its end, not from the event's own start */
    size_t line;
} laip_profiler_event;

typedef struct laip_profiler {
    laip_map index; /* of lines, by part and kernel */
    laip_profiler_line *lines;
    laip_profiler_event *events;
    size_t count, capacity, event_count, event_capacity;
    const char *part;
    double flops;             /* of the next launch */
    cl_event before;          /* of the next event */
    laip_profiler_span *span; /* is told of every command; NULL: nobody */
    void *span_context;
    double clock;        /* of the host where the device's is 0 */
    unsigned starts;     /* how often lines were forgotten */
    bool timing, paused; /* paused: nothing counts, as while who serves a product is measured */
} laip_profiler;

/* A device that a node offers. */
typedef struct laip_candidate {
    cl_platform_id platform;
    cl_device_id id;
    cl_device_type type;
    laip_traits traits;
} laip_candidate;

/* A copy that a write reads, later. */
typedef struct laip_staged {
    void *data;
    size_t bytes;
} laip_staged;

typedef struct laip_attachment {
    const void *owner;
    void *state;
    void (*close)(laip_device *device, void *state);
} laip_attachment;

struct laip_device {
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    laip_traits traits;
    laip_counters counters;
    laip_error error; /* the sticky error; status LAIP_OK: none */

    laip_map program_index; /* by file and options */
    cl_program *programs;
    size_t program_count, program_capacity;
    laip_kernel **kernels; /* by a description's index: the first of those with other options */
    size_t kernel_count;

    bool driver_caches, driver_caches_known; /* program_cache.c */

    laip_profiler profiler;

    cl_mem tile_counter; /* two counters, made at their first use: launch.h */
    cl_mem workspace;    /* scratch of one launch, likewise */
    size_t workspace_floats;

    laip_staged *staged; /* what writes under way read; freed once the queue is known to be through */
    size_t staged_count, staged_capacity, staged_bytes;
    uint64_t staged_before; /* copies freed so far */

    struct laip_tables *tables; /* of all plans: device/tables.h */
    cl_command_queue transfers; /* of mappings, made at their first use: mapping.c */
    cl_event *returned;         /* of those handed back, which the queue has not waited for yet */
    size_t returned_count, returned_capacity;

    laip_attachment *attachments; /* of the layers above */
    size_t attachment_count, attachment_capacity;
};

/* State that the layers above keep with a device.  The owner is any address that is its own; at its first
 * call it gets `size` bytes of zeros (*made is then true; made may be NULL).  When the device closes, the
 * last one made is the first whose close (device, state; NULL: nothing) is called, and is freed then. */
void *laip_device_attach(laip_device *device, const void *owner, size_t size,
                         void (*close)(laip_device *, void *), bool *made);
void *laip_device_attached(const laip_device *device, const void *owner); /* NULL: not made yet */

const char *laip_cl_error_name(cl_int code);
void laip_device_unstage(
    laip_device *device,
    uint64_t before); /* the queue is through with the first
                       * `before` staged copies, counted from when the device was opened */
/* Remembers that call failed with code (nothing when code is CL_SUCCESS); returns code == CL_SUCCESS. */
bool laip_cl_check(laip_device *device, cl_int code, const char *call, const char *subject);
unsigned laip_mem_releases(void); /* of buffers, so far */
cl_event *laip_profiler_add_kernel(laip_device *device, laip_kernel *kernel, double bytes); /* a launch */
/* Counts one launch (or transfer); returns the event to hand to its enqueue call, NULL when time is not
 * measured. */
cl_event *laip_profiler_add(laip_device *device, const char *kernel, double bytes, bool launch);
/* For a transfer whose event its owner keeps: timed, which laip_profiler_add gave, is the same event. */
void laip_profiler_share(cl_event *timed, cl_event event);
/* The next call is of a library that enqueues several commands and gives the last one's event. */
void laip_profiler_range(laip_device *device);
void laip_profiler_release(laip_profiler *profiler);
void laip_device_make_queue(laip_device *device); /* anew, with or without times of events */

/* device/program_cache.c: where a program's binary lies, free() releases it; what lies there, NULL where
 * nothing does that works; a lock for those who would build at once, closed to release it, −1 where there can
 * be none. */
char *laip_program_cache_path(const laip_device *device, const char *options, const laip_str *source);
cl_program laip_program_cache_read(laip_device *device, const char *path, const char *options);
void laip_program_cache_write(cl_program program, const char *path);
int laip_program_cache_lock(const char *path);
bool laip_driver_caches(laip_device *device); /* the driver keeps compiled programs itself */

void laip_mappings_release(laip_device *device); /* device/mapping.c */

/* device/program.c: compiled, with the binaries cached on disk.  NULL after a failure (sticky). */
laip_kernel *laip_kernel_get(laip_device *device, const laip_kernel_description *what,
                             const laip_options *options);
void laip_programs_release(laip_device *device);

bool laip_has_extension(cl_device_id id, const char *name);
/* false: the driver does not tell of the device what its use needs. */
bool laip_traits_query(cl_platform_id platform, cl_device_id id, laip_traits *traits);
/* Every device of every platform, at least one; free() releases them. */
bool laip_candidates_find(laip_candidate **found, size_t *count, laip_error *error);
/* The one that laip_device_open opens; NULL: bad input. */
const laip_candidate *laip_candidate_choose(const laip_candidate *all, size_t count, const char *choice,
                                            int local_rank, laip_error *error);

#endif
