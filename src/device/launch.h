/* Launching a kernel of cl/: typed arguments in order, checked against the kernel's, and work-group limits
 * that hold on every device, so that what runs on a CPU is launchable on a GPU. */
#ifndef LAIP_DEVICE_LAUNCH_H
#define LAIP_DEVICE_LAUNCH_H

#include "base/rng.h"
#include "device/buffer.h"
#include "device/device.h"

enum { LAIP_GROUP_ITEMS = 256, LAIP_GROUP_BYTES = 32 * 1024 }; /* the most a group may have, on any device */

typedef struct laip_arg {
    enum {
        LAIP_ARG_MEM,
        LAIP_ARG_I32,
        LAIP_ARG_U32,
        LAIP_ARG_F32,
        LAIP_ARG_U64,
        LAIP_ARG_U32X4,
        LAIP_ARG_LOCAL
    } kind;
    union {
        laip_mem mem;
        int32_t i32;
        uint32_t u32;
        float f32;
        uint64_t u64;
        uint32_t u32x4[4];
        size_t bytes;
    } value;
    double bytes; /* that the kernel reads or writes of a buffer, for the profiler */
} laip_arg;

static inline laip_arg laip_arg_mem(laip_mem mem)
{
    return (laip_arg){.kind = LAIP_ARG_MEM, .value.mem = mem};
}
static inline laip_arg laip_arg_i32(int32_t x)
{
    return (laip_arg){.kind = LAIP_ARG_I32, .value.i32 = x};
}
static inline laip_arg laip_arg_u32(uint32_t x)
{
    return (laip_arg){.kind = LAIP_ARG_U32, .value.u32 = x};
}
static inline laip_arg laip_arg_f32(float x)
{
    return (laip_arg){.kind = LAIP_ARG_F32, .value.f32 = x};
}
static inline laip_arg laip_arg_u64(uint64_t x)
{
    return (laip_arg){.kind = LAIP_ARG_U64, .value.u64 = x};
}
/* A uint4 of a kernel: cl/philox.h. */
static inline laip_arg laip_arg_stream(laip_rng_key k)
{
    return (laip_arg){.kind = LAIP_ARG_U32X4, .value.u32x4 = {k.key[0], k.key[1], k.counter, 0}};
}
static inline laip_arg laip_arg_local(size_t bytes)
{
    return (laip_arg){.kind = LAIP_ARG_LOCAL, .value.bytes = bytes};
}
/* `count` floats of mem are read or written. */
static inline laip_arg laip_arg_floats(laip_mem mem, size_t count)
{
    return (laip_arg){.kind = LAIP_ARG_MEM, .value.mem = mem, .bytes = (double)count * sizeof(float)};
}
static inline laip_arg laip_arg_mat(laip_mat m)
{
    return (laip_arg){.kind = LAIP_ARG_MEM, .value.mem = m.mem, .bytes = (double)laip_mat_bytes(m)};
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
 * UNUSED where an operand is missing and another stands in its place, untouched; I, U and F for scalars. */
#define LAIP_MAT(m) _Generic((m), laip_mat : laip_arg_mat, laip_ints : laip_arg_ints)(m)
#define LAIP_BOTH(m) laip_arg_both(LAIP_MAT(m))
#define LAIP_UNUSED(m) laip_arg_mem((m).mem)
#define LAIP_I(x) laip_arg_i32((int32_t)(x))
#define LAIP_U(x) laip_arg_u32(x)
#define LAIP_F(x) laip_arg_f32(x)

typedef struct laip_grid {
    size_t groups[3], items[3]; /* work-groups, and work-items a group, by dimension; 0 counts as 1 */
} laip_grid;

/* Options with numbers, as "-DHEAD=# -DROWS=#", and more after them; made once for the same format (a
 * literal), values and `more` (a literal, too), and found again by comparing those.  The device owns the
 * text. */
const char *laip_options(laip_device *device, const char *format, const int values[3], const char *more);
#define LAIP_OPTIONS(device, format, more, ...)                                                              \
    laip_options(device, format, (const int[3]){__VA_ARGS__}, more)

/* Launches kernel of cl/FILE, compiled with the device's -DLANES and, unless options give another, its -DVEC,
 * and with options (may be ""). A grid with a dimension of no groups at all must not be asked for: callers
 * leave out empty work.  Failures are sticky. */
void laip_launch(laip_device *device, const char *file, const char *kernel, const char *options,
                 laip_grid grid, const laip_arg *arguments, size_t count);

#define LAIP_LAUNCH(device, file, kernel, options, grid, ...)                                                \
    laip_launch(device, file, kernel, options, grid, (const laip_arg[]){__VA_ARGS__},                        \
                sizeof((const laip_arg[]){__VA_ARGS__}) / sizeof(laip_arg))

/* Work on a CPU that is handed out tile by tile to whichever group is free (common.h: FOR_EACH_TILE): a
 * driver deals out groups in large shares, and then waits for the thread that was slowest with its own.  The
 * grid for `count` tiles, and the kernel's argument; both counters are 0 between launches. */
laip_grid laip_grid_tiles(const laip_device *device, size_t count);
laip_arg laip_tile_counter(laip_device *device);
/* Scratch of one launch, at least so many floats, whose contents no other launch keeps. */
laip_arg laip_launch_workspace(laip_device *device, size_t floats);

/* The option by which a kernel knows how its activations lie in memory, for all of these matrices (those that
 * are missing aside): "-DHALF" or "".  Where they differ the device fails, with the kernel's name. */
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
