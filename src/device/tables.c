#include "device/tables.h"

#include "base/memory.h"
#include "device/internal.h"
#include <stdlib.h>
#include <string.h>

/* The host's side of a transfer. */
typedef struct staging {
    cl_mem pinned;
    char *data;
    cl_event done; /* of the transfer that reads it; NULL: none does */
} staging;

struct laip_tables {
    laip_device *device;
    laip_mem mem;
    char *copy;              /* what the device's tables hold, or will after the next flush */
    size_t bytes, low, high; /* low … high − 1 was written since the last flush; low ≥ high: nothing */
    staging staging[2];
    int turn;
    laip_tables *next; /* of the device's */
};

static void pin(laip_tables *t, staging *s)
{
    laip_device *d = t->device;
    cl_int code;
    s->pinned = clCreateBuffer(d->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, t->bytes, NULL, &code);
    if (!laip_cl_check(d, code, "clCreateBuffer", "pinned memory"))
        return;
    s->data =
        clEnqueueMapBuffer(d->queue, s->pinned, CL_TRUE, CL_MAP_WRITE, 0, t->bytes, 0, NULL, NULL, &code);
    laip_cl_check(d, code, "clEnqueueMapBuffer", "pinned memory");
}

laip_tables *laip_tables_create(laip_device *d, size_t bytes)
{
    laip_tables *t = laip_alloc(1, sizeof *t);
    t->device = d;
    t->bytes = t->low = bytes;
    t->mem = laip_mem_create(d, bytes, "tables");
    t->copy = laip_alloc(bytes, 1);
    laip_mem_zero(d, t->mem, 0, bytes); /* as the copy, and the rest of a plan */
    for (int i = 0; i < 2 && d->error.status == LAIP_OK; i++)
        pin(t, &t->staging[i]);
    t->next = d->tables;
    d->tables = t;
    return t;
}

static void finish(staging *s)
{
    if (!s->done)
        return;
    clWaitForEvents(1, &s->done);
    clReleaseEvent(s->done);
    s->done = NULL;
}

void laip_tables_free(laip_tables *t)
{
    if (!t)
        return;
    laip_tables **at = &t->device->tables;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    for (int i = 0; i < 2; i++) {
        staging *s = &t->staging[i];
        finish(s);
        if (s->data)
            clEnqueueUnmapMemObject(t->device->queue, s->pinned, s->data, 0, NULL, NULL);
        if (s->pinned)
            clReleaseMemObject(s->pinned);
    }
    laip_mem_release(t->mem);
    free(t->copy);
    free(t);
}

laip_mem laip_tables_mem(const laip_tables *t)
{
    return t->mem;
}

void laip_tables_write(laip_tables *t, size_t at, const void *data, size_t bytes)
{
    if (!bytes || t->device->error.status != LAIP_OK)
        return;
    if (at + bytes > t->bytes) {
        laip_device_fail(t->device, "tables: %zu bytes at %zu of %zu", bytes, at, t->bytes);
        return;
    }
    memcpy(t->copy + at, data, bytes);
    t->low = at < t->low ? at : t->low;
    t->high = at + bytes > t->high ? at + bytes : t->high;
}

static void flush(laip_device *d, laip_tables *t)
{
    staging *s = &t->staging[t->turn];
    size_t bytes = t->high - t->low;
    t->turn = !t->turn;
    finish(s); /* the transfer before the last one, long done */
    memcpy(s->data + t->low, t->copy + t->low, bytes);
    d->counters.uploads++;
    d->counters.upload_bytes += bytes;
    cl_event *timed = laip_profiler_add(d, "upload", (double)bytes, false);
    cl_int code =
        clEnqueueWriteBuffer(d->queue, t->mem, CL_FALSE, t->low, bytes, s->data + t->low, 0, NULL, &s->done);
    if (!laip_cl_check(d, code, "clEnqueueWriteBuffer", "tables"))
        s->done = NULL;
    laip_profiler_share(timed, s->done);
    t->low = t->bytes;
    t->high = 0;
}

void laip_tables_flush(laip_device *d)
{
    for (laip_tables *t = d->tables; t; t = t->next)
        if (t->low < t->high && d->error.status == LAIP_OK)
            flush(d, t);
}
