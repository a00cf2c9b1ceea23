#include "device/launch.h"

#include "cl/shared.h"
#include "device/internal.h"
#include "device/tables.h"
#include <stdio.h>
#include <string.h>

static const size_t sizes[] = {[LAIP_ARG_MEM] = sizeof(cl_mem),
                               [LAIP_ARG_I32] = 4,
                               [LAIP_ARG_U32] = 4,
                               [LAIP_ARG_F32] = 4,
                               [LAIP_ARG_U64] = 8,
                               [LAIP_ARG_U32X4] = 16};

static bool is_set(const laip_kernel *k, cl_uint index, const laip_arg *a, bool buffers)
{
    const laip_arg *s = &k->set[index];
    if (s->kind != a->kind || (a->kind == LAIP_ARG_MEM && !buffers))
        return false;
    return a->kind == LAIP_ARG_LOCAL ? s->value.bytes == a->value.bytes
                                     : memcmp(&s->value, &a->value, sizes[a->kind]) == 0;
}

/* Sets the arguments that are others than at the kernel's last launch.  After a buffer was released all are
 * set anew: another may have its handle. */
static bool set_arguments(laip_device *d, laip_kernel *k, const laip_arg *arguments)
{
    unsigned releases = laip_mem_releases();
    bool buffers = k->releases == releases;
    for (cl_uint i = 0; i < k->arguments; i++) {
        const laip_arg *a = &arguments[i];
        if (is_set(k, i, a, buffers))
            continue;
        cl_int code = a->kind == LAIP_ARG_LOCAL ? clSetKernelArg(k->kernel, i, a->value.bytes, NULL)
                                                : clSetKernelArg(k->kernel, i, sizes[a->kind], &a->value);
        char subject[192];
        if (code != CL_SUCCESS)
            snprintf(subject, sizeof subject, "kernel %s, argument %u", k->name, i);
        k->set[i] = code == CL_SUCCESS ? *a : (laip_arg){0};
        if (!laip_cl_check(d, code, "clSetKernelArg", subject))
            return false;
    }
    k->releases = releases;
    return true;
}

void laip_launch(laip_device *d, const char *file, const char *kernel, const char *options, laip_grid grid,
                 const laip_arg *arguments, size_t count)
{
    if (d->error.status != LAIP_OK)
        return;
    laip_kernel *k = laip_kernel_get(d, file, kernel, options);
    if (!k)
        return;
    laip_tables_flush(d);
    if (count != k->arguments) {
        laip_device_fail(d, "kernel %s: %zu arguments given, it takes %u", kernel, count, k->arguments);
        return;
    }
    size_t global[3], local[3], items = 1, bytes = k->local_memory;
    double moved = 0;
    for (int i = 0; i < 3; i++) {
        local[i] = grid.items[i] ? grid.items[i] : 1;
        global[i] = (grid.groups[i] ? grid.groups[i] : 1) * local[i];
        items *= local[i];
    }
    for (size_t i = 0; i < count; i++) {
        moved += arguments[i].bytes;
        if (arguments[i].kind == LAIP_ARG_LOCAL)
            bytes += arguments[i].value.bytes;
    }
    if (items > LAIP_GROUP_ITEMS || bytes > LAIP_GROUP_BYTES || items > k->group_limit) {
        laip_device_fail(
            d, "kernel %s: a group of %zu items and %zu bytes, allowed are %d items (%zu here) and %d bytes",
            kernel, items, bytes, LAIP_GROUP_ITEMS, k->group_limit, LAIP_GROUP_BYTES);
        return;
    }
    if (!set_arguments(d, k, arguments))
        return;
    cl_int code = clEnqueueNDRangeKernel(d->queue, k->kernel, 3, NULL, global, local, 0, NULL,
                                         laip_profiler_add_kernel(d, k, moved));
    laip_cl_check(d, code, "clEnqueueNDRangeKernel", kernel);
}

laip_grid laip_grid_tiles(const laip_device *d, size_t count)
{
    /* several a thread, so that a driver that deals out shares of them leaves no thread without any */
    size_t most = (size_t)d->traits.units * 4;
    return (laip_grid){.groups = {count < most ? count : most}};
}

laip_arg laip_tile_counter(laip_device *d)
{
    if (!d->tile_counter) {
        cl_int none[2] = {0}, code;
        d->tile_counter =
            clCreateBuffer(d->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof none, none, &code);
        laip_cl_check(d, code, "clCreateBuffer", "tile_counter");
    }
    return laip_arg_mem(d->tile_counter);
}

laip_arg laip_launch_workspace(laip_device *d, size_t floats)
{
    if (d->workspace_floats < floats) {
        laip_mem_release(d->workspace); /* work in flight keeps it until it is done */
        d->workspace = laip_mem_create(d, floats * sizeof(float), "scratch of a kernel");
        d->workspace_floats = d->workspace ? floats : 0;
    }
    return laip_arg_floats(d->workspace, floats);
}

const char *laip_storage(laip_device *d, const char *kernel, const laip_mat *matrices, size_t count)
{
    const laip_mat *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!matrices[i].mem)
            continue;
        first = first ? first : &matrices[i];
        if (matrices[i].half != first->half)
            laip_device_fail(d, "kernel %s: some of its matrices are stored as halves, some as floats",
                             kernel);
    }
    return first && first->half ? "-DHALF" : "";
}

laip_grid laip_grid_rows(const laip_device *d, size_t rows)
{
    return (laip_grid){.groups = {rows}, .items = {(size_t)d->traits.lanes}};
}

size_t laip_flat_each(const laip_device *d, size_t count)
{
    if (d->traits.lanes > 1)
        return (size_t)d->traits.vector * 4;
    /* a CPU wants a few chunks a core, of whole cache lines, and not so small that handing them out costs
     * more */
    size_t chunks = (size_t)d->traits.units * 4, each = (count + chunks - 1) / chunks;
    each = (each + 63) / 64 * 64;
    return each < 2048 ? 2048 : each > 65536 ? 65536 : each;
}

laip_grid laip_grid_flat(const laip_device *d, size_t count, size_t each)
{
    size_t items = d->traits.lanes > 1 ? LAIP_FLAT_ITEMS : 1;
    return (laip_grid){.groups = {(count + each * items - 1) / (each * items)}, .items = {items}};
}

enum { BAND_ROWS = 32, UNIT_GROUPS = 4 }; /* rows of a band, about; groups that a unit should have */

size_t laip_bands(const laip_device *d, size_t rows, size_t cols, size_t least)
{
    size_t across = laip_grid_flat(d, cols, (size_t)d->traits.vector).groups[0];
    size_t bands = ((size_t)d->traits.units * UNIT_GROUPS + across - 1) / across;
    size_t most = (rows + BAND_ROWS - 1) / BAND_ROWS;
    bands = bands < least ? least : bands;
    bands = bands < most ? bands : most ? most : 1;
    size_t band = (rows + bands - 1) / bands;
    return band ? (rows + band - 1) / band : 1;
}

/* Fewer columns may have more bands: groups are counted, of up to so many columns each, and a last one. */
size_t laip_bands_floats(const laip_device *d, size_t rows, size_t cols, size_t least)
{
    size_t items = d->traits.lanes > 1 ? LAIP_FLAT_ITEMS : 1, most = (rows + BAND_ROWS - 1) / BAND_ROWS;
    size_t shared = (size_t)d->traits.units * UNIT_GROUPS * items * (size_t)d->traits.vector + cols;
    size_t floats = shared < least * cols ? least * cols : shared;
    most = (most ? most : 1) * cols;
    return floats < most ? floats : most;
}
