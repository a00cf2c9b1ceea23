/* Memory plans: see buffer.h.  A position in a plan counts bytes over all slabs; a block that would cross a
 * slab's end begins at the next one, so that positions mean the same in the dry run and for real. */
#include "base/memory.h"
#include "device/buffer.h"
#include "device/internal.h"
#include "device/tables.h"

#include <stdio.h>
#include <stdlib.h>

struct laip_plan {
    laip_device *device;
    char *name;
    size_t slab_bytes, position, most;
    size_t too_large; /* bytes of a block that no slab can hold; 0: none */
    laip_mem *slabs;
    size_t slab_count;
    laip_mem *parts; /* sub-buffers handed out, released with the plan */
    size_t part_count, part_capacity;
    bool real;
    laip_store store; /* of activations */
    laip_tables *tables;
    size_t table_position, table_bytes, real_table_bytes; /* the last: of tables */
};

laip_plan *laip_plan_create(laip_device *d, const char *name)
{
    laip_plan *r = laip_alloc(1, sizeof *r);
    r->device = d;
    r->name = laip_strdup(name);
    r->slab_bytes = d->traits.largest / d->traits.alignment * d->traits.alignment;
    return r;
}

void laip_plan_free(laip_plan *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->part_count; i++)
        laip_mem_release(r->parts[i]);
    for (size_t i = 0; i < r->slab_count; i++)
        laip_mem_release(r->slabs[i]);
    laip_tables_free(r->tables);
    free(r->parts);
    free(r->slabs);
    free(r->name);
    free(r);
}

static laip_mem keep(laip_plan *r, laip_mem part)
{
    void *array = r->parts;
    laip_grow(&array, &r->part_capacity, r->part_count + 1, sizeof *r->parts);
    r->parts = array;
    r->parts[r->part_count++] = part;
    return part;
}

static laip_mem take(laip_plan *r, size_t bytes)
{
    size_t alignment = r->device->traits.alignment;
    size_t room = (bytes ? bytes : 4) + alignment - 1;
    room = room / alignment * alignment;
    if (room > r->slab_bytes) { /* only measured: laip_plan_allocate refuses it */
        r->too_large = bytes;
        return NULL;
    }
    size_t slab = r->position / r->slab_bytes, offset = r->position % r->slab_bytes;
    if (offset + room > r->slab_bytes) {
        slab++;
        offset = 0;
    }
    r->position = slab * r->slab_bytes + offset + room;
    if (r->position > r->most)
        r->most = r->position;
    if (!r->real)
        return NULL;
    if (slab >= r->slab_count) {
        laip_device_fail(r->device, "%s: the layout differs from what was measured", r->name);
        return NULL;
    }
    return keep(r, laip_mem_part(r->device, r->slabs[slab], offset, bytes, r->name));
}

laip_mat laip_plan_mat(laip_plan *r, size_t rows, size_t cols)
{
    return (laip_mat){take(r, rows * cols * sizeof(float)), rows, cols, LAIP_STORE_FLOAT};
}

laip_mat laip_plan_activations(laip_plan *r, size_t rows, size_t cols)
{
    laip_mat m = {NULL, rows, cols, r->store};
    m.mem = take(r, laip_mat_bytes(m));
    return m;
}

void laip_plan_store(laip_plan *r, laip_store store)
{
    r->store = store;
}

laip_ints laip_plan_ints(laip_plan *r, size_t count)
{
    size_t alignment = r->device->traits.alignment, at = r->table_position;
    laip_ints v = {.count = count, .at = at};
    r->table_position += ((count ? count : 1) * sizeof(int32_t) + alignment - 1) / alignment * alignment;
    if (r->table_position > r->table_bytes)
        r->table_bytes = r->table_position;
    if (!r->real)
        return v;
    if (r->table_position > r->real_table_bytes) {
        laip_device_fail(r->device, "%s: the layout differs from what was measured", r->name);
        return v;
    }
    v.tables = r->tables;
    v.mem =
        keep(r, laip_mem_part(r->device, laip_tables_mem(r->tables), at, count * sizeof(int32_t), r->name));
    return v;
}

size_t laip_plan_mark(const laip_plan *r)
{
    return r->position;
}

void laip_plan_reset(laip_plan *r, size_t mark)
{
    r->position = mark;
}

size_t laip_plan_bytes(const laip_plan *r)
{
    return r->too_large ? LAIP_TOO_LARGE : r->most + r->table_bytes;
}

bool laip_plan_allocate(laip_plan *r, laip_error *error)
{
    if (r->too_large) {
        laip_device_fail(r->device, "%s: one buffer of %zu bytes is wanted, %s allows %zu at most", r->name,
                         r->too_large, r->device->traits.name, r->slab_bytes);
        return laip_device_ok(r->device, error);
    }
    r->slab_count = (r->most + r->slab_bytes - 1) / r->slab_bytes;
    r->slabs = laip_alloc(r->slab_count, sizeof *r->slabs);
    for (size_t i = 0; i < r->slab_count; i++) {
        size_t bytes = i + 1 < r->slab_count ? r->slab_bytes : r->most - i * r->slab_bytes;
        r->slabs[i] = laip_mem_create(r->device, bytes, r->name);
        laip_mem_zero(r->device, r->slabs[i], 0,
                      bytes); /* drivers allocate lazily: let it fail now, not mid-run */
    }
    if (r->table_bytes)
        r->tables = laip_tables_create(r->device, r->table_bytes);
    r->real_table_bytes = r->table_bytes;
    r->position = r->table_position = 0;
    r->real = true;
    return laip_device_finish(r->device, error);
}
