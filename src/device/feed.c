/* Data that goes up while the device works: see buffer.h. */
#include "device/buffer.h"

#include "base/memory.h"
#include "device/internal.h"
#include <stdlib.h>
#include <string.h>

/* One of the two places. */
typedef struct place {
    laip_mem mem;
    cl_mem pinned;
    void *data;
    cl_event written, read; /* the transfer; and the end of the work that was given before the next one */
} place;

struct laip_feed {
    laip_device *device;
    cl_command_queue queue;
    size_t bytes;
    place places[2];
    int last;
};

laip_feed *laip_feed_create(laip_device *d, size_t bytes)
{
    laip_feed *f = laip_alloc(1, sizeof *f);
    cl_int code = CL_SUCCESS;
    f->device = d;
    f->bytes = bytes;
    if (d->error.status != LAIP_OK)
        return f;
    f->queue = clCreateCommandQueue(d->context, d->id, 0, &code);
    laip_cl_check(d, code, "clCreateCommandQueue", "transfers");
    for (int i = 0; i < 2 && d->error.status == LAIP_OK; i++) {
        place *p = &f->places[i];
        p->mem = laip_mem_create(d, bytes, "data of a step");
        p->pinned = clCreateBuffer(d->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &code);
        if (!laip_cl_check(d, code, "clCreateBuffer", "pinned memory"))
            break;
        p->data =
            clEnqueueMapBuffer(f->queue, p->pinned, CL_TRUE, CL_MAP_WRITE, 0, bytes, 0, NULL, NULL, &code);
        laip_cl_check(d, code, "clEnqueueMapBuffer", "pinned memory");
    }
    return f;
}

static void release(cl_event *event)
{
    if (*event)
        clReleaseEvent(*event);
    *event = NULL;
}

void laip_feed_free(laip_feed *f)
{
    if (!f)
        return;
    if (f->queue)
        clFinish(f->queue);
    for (int i = 0; i < 2; i++) {
        place *p = &f->places[i];
        if (p->data)
            clEnqueueUnmapMemObject(f->queue, p->pinned, p->data, 0, NULL, NULL);
        release(&p->written);
        release(&p->read);
        if (p->pinned)
            clReleaseMemObject(p->pinned);
        laip_mem_release(p->mem);
    }
    if (f->queue)
        clReleaseCommandQueue(f->queue);
    free(f);
}

laip_mem laip_feed_write(laip_feed *f, const void *data, size_t bytes)
{
    laip_device *d = f->device;
    place *before = &f->places[f->last], *p = &f->places[!f->last];
    if (bytes > f->bytes)
        laip_device_fail(d, "data of a step: %zu bytes, %zu were planned", bytes, f->bytes);
    if (d->error.status != LAIP_OK)
        return NULL;
    f->last = !f->last;
    if (before->written) { /* what was launched so far may read the other place */
        release(&before->read);
        laip_cl_check(d, clEnqueueMarkerWithWaitList(d->queue, 0, NULL, &before->read),
                      "clEnqueueMarkerWithWaitList", NULL);
        laip_device_flush(d);
    }
    if (p->written) { /* the transfer before the last one is long done */
        laip_cl_check(d, clWaitForEvents(1, &p->written), "clWaitForEvents", NULL);
        release(&p->written);
    }
    memcpy(p->data, data, bytes);
    d->counters.uploads++;
    d->counters.upload_bytes += bytes;
    laip_profiler_add(d, "upload", (double)bytes, false);
    cl_int code = clEnqueueWriteBuffer(f->queue, p->mem, CL_FALSE, 0, bytes, p->data, p->read != NULL,
                                       p->read ? &p->read : NULL, &p->written);
    if (!laip_cl_check(d, code, "clEnqueueWriteBuffer", "data of a step"))
        p->written = NULL;
    else if (laip_cl_check(d, clFlush(f->queue), "clFlush", NULL))
        laip_cl_check(d, clEnqueueBarrierWithWaitList(d->queue, 1, &p->written, NULL),
                      "clEnqueueBarrierWithWaitList", NULL);
    return d->error.status == LAIP_OK ? p->mem : NULL;
}
