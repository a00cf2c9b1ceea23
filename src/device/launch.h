/* Launching a kernel of cl/.  Every kernel has a struct of its arguments, made of its declaration when the
 * project is built (cl/kernels.h, by tools/kernels.cmake), so that their number and types are the compiler's
 * to check.  A kernel with one set of options is made once and kept; a launch finds it by comparing numbers
 * and sets the arguments that changed since its last one.  Work-group limits hold on every device, so that
 * what runs on a CPU is launchable on a GPU. */
#ifndef LAIP_DEVICE_LAUNCH_H
#define LAIP_DEVICE_LAUNCH_H

#include "base/rng.h"
#include "device/buffer.h"
#include "device/device.h"

enum { LAIP_GROUP_ITEMS = 256, LAIP_GROUP_BYTES = 32 * 1024 }; /* the most a group may have, on any device */

/* What kernels take: buffers, with the bytes of them that are read or written, for the profiler; and
 * numbers, each in a type of its own, for none to stand in another's place. */
typedef struct laip_arg {
    laip_mem mem;
    double bytes;
} laip_arg;
typedef struct laip_i32 {
    int32_t value;
} laip_i32;
typedef struct laip_u32 {
    uint32_t value;
} laip_u32;
typedef struct laip_f32 {
    float value;
} laip_f32;
typedef struct laip_u64 {
    uint64_t value;
} laip_u64;
typedef struct laip_u32x4 {
    uint32_t value[4];
} laip_u32x4;

static inline laip_i32 laip_arg_i32(int32_t x)
{
    return (laip_i32){x};
}
static inline laip_u32 laip_arg_u32(uint32_t x)
{
    return (laip_u32){x};
}
static inline laip_f32 laip_arg_f32(float x)
{
    return (laip_f32){x};
}
static inline laip_u64 laip_arg_u64(uint64_t x)
{
    return (laip_u64){x};
}
/* A uint4 of a kernel: cl/philox.h. */
static inline laip_u32x4 laip_arg_stream(laip_rng_key k)
{
    return (laip_u32x4){{k.key[0], k.key[1], k.counter, 0}};
}
static inline laip_arg laip_arg_mem(laip_mem mem)
{
    return (laip_arg){.mem = mem};
}
/* `count` floats of mem are read or written. */
static inline laip_arg laip_arg_floats(laip_mem mem, size_t count)
{
    return (laip_arg){mem, (double)count * sizeof(float)};
}
static inline laip_arg laip_arg_mat(laip_mat m)
{
    return (laip_arg){m.mem, (double)laip_mat_bytes(m)};
}
static inline laip_arg laip_arg_ints(laip_ints v)
{
    return laip_arg_floats(v.mem, v.count); /* as wide as floats */
}
static inline laip_arg laip_arg_both(laip_arg a)
{
    a.bytes *= 2;
    return a;
}
/* MAT for a laip_mat or laip_ints, all of whose view is read or written; BOTH where it is read and written;
 * UNUSED where an operand is missing and another stands in its place, untouched; I, U and F for numbers. */
#define LAIP_MAT(m) _Generic((m), laip_mat : laip_arg_mat, laip_ints : laip_arg_ints)(m)
#define LAIP_BOTH(m) laip_arg_both(LAIP_MAT(m))
#define LAIP_UNUSED(m) laip_arg_mem((m).mem)
#define LAIP_I(x) laip_arg_i32((int32_t)(x))
#define LAIP_U(x) laip_arg_u32(x)
#define LAIP_F(x) laip_arg_f32(x)

/* What is known of a kernel without a device: the file of cl/ and its name there; its place in a device's
 * table, another for each; and where in the struct of its arguments each of them lies. */
typedef struct laip_parameter {
    const char *name;
    size_t offset, size;
    bool buffer;
} laip_parameter;
typedef struct laip_kernel_description {
    const char *file, *name;
    size_t index, count, size; /* size: of the struct */
    const laip_parameter *parameters;
} laip_kernel_description;

typedef struct laip_grid {
    size_t groups[3], items[3]; /* work-groups, and work-items a group, by dimension; 0 counts as 1 */
} laip_grid;

/* Build options: a format with a # for each number, as "-DHEAD=# -DROWS=#", and more after it (either may be
 * NULL).  Both are texts that stay as long as the device, as literals do: kernels are told apart by where
 * their texts are, and by the numbers. */
enum { LAIP_OPTION_NUMBERS = 10 };
typedef struct laip_options {
    const char *format, *more;
    int numbers[LAIP_OPTION_NUMBERS];
} laip_options;
#define LAIP_OPTIONS(format, more, ...) ((laip_options){format, more, {__VA_ARGS__}})

static inline laip_options laip_options_of_text(const char *text)
{
    return (laip_options){.more = text};
}
static inline laip_options laip_options_as_they_are(laip_options options)
{
    return options;
}
#define LAIP_AS_OPTIONS(options)                                                                             \
    _Generic((options), laip_options                                                                         \
             : laip_options_as_they_are, char *                                                              \
             : laip_options_of_text, const char *                                                            \
             : laip_options_of_text)(options)

/* Launches a kernel, compiled with the device's -DLANES and, unless options give another, its -DVEC, and with
 * options.  arguments: the kernel's struct, of so many bytes.  A grid with a dimension of no groups at all
 * must not be asked for: callers leave out empty work.  Failures are sticky. */
void laip_launch(laip_device *device, const laip_kernel_description *what, laip_options options,
                 laip_grid grid, const void *arguments, size_t size);

/* Launches the kernel of this name, options being laip_options or a text, with the arguments in the order of
 * its declaration; and one of those that declare the same. */
#define LAIP_LAUNCH(device, kernel, options, grid, ...)                                                      \
    LAIP_LAUNCH_ONE_OF(device, &laip_cl_##kernel, kernel, options, grid, __VA_ARGS__)
#define LAIP_LAUNCH_ONE_OF(device, description, kernel, options, grid, ...)                                  \
    laip_launch(device, description, LAIP_AS_OPTIONS(options), grid,                                         \
                &(const laip_cl_##kernel##_arguments){__VA_ARGS__}, sizeof(laip_cl_##kernel##_arguments))

/* Work on a CPU that is handed out tile by tile to whichever group is free (common.h: FOR_EACH_TILE): a
 * driver deals out groups in large shares, and then waits for the thread that was slowest with its own.  The
 * grid for `count` tiles, and the kernel's argument; both counters are 0 between launches. */
laip_grid laip_grid_tiles(const laip_device *device, size_t count);
laip_arg laip_tile_counter(laip_device *device);
/* Scratch of one launch, at least so many floats, whose contents no other launch keeps. */
laip_arg laip_launch_workspace(laip_device *device, size_t floats);

/* The option by which a kernel knows how its activations lie in memory, for all of these matrices (those that
 * are missing aside): cl/common.h.  Where they differ the device fails, with the kernel's name. */
const char *laip_store_option(laip_store store);
const char *laip_storage(laip_device *device, const char *kernel, const laip_mat *matrices, size_t count);
#define LAIP_STORAGE(device, kernel, ...)                                                                    \
    laip_storage(device, kernel, (const laip_mat[]){__VA_ARGS__},                                            \
                 sizeof((const laip_mat[]){__VA_ARGS__}) / sizeof(laip_mat))

/* `rows` groups of the device's lanes: the grid of a row kernel. */
laip_grid laip_grid_rows(const laip_device *device, size_t rows);
/* Groups for `count` elements where each work-item handles `each` of them, 64 items a group (1 on a CPU). */
laip_grid laip_grid_flat(const laip_device *device, size_t count, size_t each);
/* Bands of rows in which a flat kernel of `cols` columns, an item a vector of them, sums up `rows` rows: at
 * least `least`, and on a device of many units so many that each of them has several groups; none of fewer
 * than 17 rows.  And the floats that a number a column and band take, for so many rows and columns or fewer.
 */
size_t laip_bands(const laip_device *device, size_t rows, size_t cols, size_t least);
size_t laip_bands_floats(const laip_device *device, size_t rows, size_t cols, size_t least);
/* Elements a work-item of a flat kernel should handle: many on a CPU, few on a GPU; a multiple of VEC. */
size_t laip_flat_each(const laip_device *device, size_t count);

#endif
