#include "device/launch.h"

#include "cl/shared.h"
#include "device/internal.h"
#include "device/tables.h"
#include <stdio.h>
#include <string.h>

static bool is_same(const void *a, const void *b, size_t size)
{
    return size == 4   ? memcmp(a, b, 4) == 0 /* of constant sizes, which are instructions */
           : size == 8 ? memcmp(a, b, 8) == 0
                       : memcmp(a, b, size) == 0;
}

/* Sets the arguments that are others than at the kernel's last launch.  After a buffer was released all
 * buffers are set anew: another may have its handle.  bytes: what they say that the kernel moves. */
static bool set_arguments(laip_device *d, laip_kernel *k, const char *arguments, double *bytes)
{
    unsigned releases = laip_mem_releases();
    bool buffers = k->releases == releases;
    for (size_t i = 0; i < k->what->count; i++) {
        const laip_parameter *p = &k->what->parameters[i];
        const char *a = arguments + p->offset;
        if (p->buffer)
            *bytes += ((const laip_arg *)(const void *)a)->bytes;
        if (k->is_set && (buffers || !p->buffer) && is_same(k->set + p->offset, a, p->size))
            continue;
        cl_int code = clSetKernelArg(k->kernel, (cl_uint)i, p->size, a);
        char subject[192];
        if (code != CL_SUCCESS)
            snprintf(subject, sizeof subject, "kernel %s, argument %s", k->what->name, p->name);
        if (!laip_cl_check(d, code, "clSetKernelArg", subject))
            return false;
        memcpy(k->set + p->offset, a, p->size);
    }
    k->is_set = true;
    k->releases = releases;
    return true;
}

/* The sizes that OpenCL wants, when they are not those of the last launch; false: the group is too large. */
static bool set_grid(laip_device *d, laip_kernel *k, const laip_grid *grid)
{
    size_t items = 1;
    if (k->has_grid && memcmp(&k->grid, grid, sizeof *grid) == 0)
        return true;
    k->has_grid = false;
    for (int i = 0; i < 3; i++) {
        k->local[i] = grid->items[i] ? grid->items[i] : 1;
        k->global[i] = (grid->groups[i] ? grid->groups[i] : 1) * k->local[i];
        items *= k->local[i];
    }
    if (items > LAIP_GROUP_ITEMS || k->local_memory > LAIP_GROUP_BYTES || items > k->group_limit) {
        laip_device_fail(
            d, "kernel %s: a group of %zu items and %zu bytes, allowed are %d items (%zu here) and %d bytes",
            k->what->name, items, k->local_memory, LAIP_GROUP_ITEMS, k->group_limit, LAIP_GROUP_BYTES);
        return false;
    }
    k->grid = *grid;
    k->has_grid = true;
    return true;
}

void laip_launch(laip_device *d, const laip_kernel_description *what, laip_options options, laip_grid grid,
                 const void *arguments, size_t size)
{
    if (d->error.status != LAIP_OK)
        return;
    if (size != what->size) {
        laip_device_fail(d, "kernel %s: arguments of %zu bytes, its own are of %zu", what->name, size,
                         what->size);
        return;
    }
    laip_kernel *k = laip_kernel_get(d, what, &options);
    if (!k)
        return;
    laip_tables_flush(d);
    double moved = 0;
    if (!set_grid(d, k, &grid) || !set_arguments(d, k, arguments, &moved))
        return;
    cl_int code = clEnqueueNDRangeKernel(d->queue, k->kernel, 3, NULL, k->global, k->local, 0, NULL,
                                         laip_profiler_add_kernel(d, k, moved));
    laip_cl_check(d, code, "clEnqueueNDRangeKernel", what->name);
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

const char *laip_store_option(laip_store store)
{
    static const char *const options[] = {"", "-DHALF", "-DHALF -DBFLOAT16"};
    return options[store];
}

const char *laip_storage(laip_device *d, const char *kernel, const laip_mat *matrices, size_t count)
{
    const laip_mat *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!matrices[i].mem)
            continue;
        first = first ? first : &matrices[i];
        if (matrices[i].store != first->store)
            laip_device_fail(d, "kernel %s: some of its matrices are stored otherwise than others", kernel);
    }
    return laip_store_option(first ? first->store : LAIP_STORE_FLOAT);
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
