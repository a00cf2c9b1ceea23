/* Reads that do not wait: see buffer.h.  The host's side is pinned, where the driver tells host memory apart.
 */
#include "device/buffer.h"

#include "base/memory.h"
#include "device/internal.h"
#include <stdlib.h>

struct laip_download {
    laip_device *device;
    cl_mem pinned;
    void *data;
    cl_event done; /* NULL: nothing is on its way */
    size_t bytes;
    uint64_t staged; /* writes that were staged before it was begun: they are done when it is */
};

laip_download *laip_download_create(laip_device *d, size_t bytes)
{
    laip_download *x = laip_alloc(1, sizeof *x);
    cl_int code;
    x->device = d;
    x->bytes = bytes;
    if (d->error.status != LAIP_OK)
        return x;
    x->pinned = clCreateBuffer(d->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &code);
    if (!laip_cl_check(d, code, "clCreateBuffer", "pinned memory"))
        return x;
    x->data = clEnqueueMapBuffer(d->queue, x->pinned, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0, NULL,
                                 NULL, &code);
    laip_cl_check(d, code, "clEnqueueMapBuffer", "pinned memory");
    return x;
}

void laip_download_free(laip_download *x)
{
    if (!x)
        return;
    if (x->done) {
        clWaitForEvents(1, &x->done);
        clReleaseEvent(x->done);
    }
    if (x->data)
        clEnqueueUnmapMemObject(x->device->queue, x->pinned, x->data, 0, NULL, NULL);
    if (x->pinned)
        clReleaseMemObject(x->pinned);
    free(x);
}

void laip_download_begin(laip_download *x, laip_mem from, size_t offset)
{
    laip_device *d = x->device;
    if (x->done)
        (void)laip_download_wait(x);
    if (d->error.status != LAIP_OK)
        return;
    d->counters.downloads++;
    d->counters.download_bytes += x->bytes;
    cl_event *timed = laip_profiler_add(d, "download", (double)x->bytes, false);
    cl_int code = clEnqueueReadBuffer(d->queue, from, CL_FALSE, offset, x->bytes, x->data, 0, NULL, &x->done);
    if (!laip_cl_check(d, code, "clEnqueueReadBuffer", NULL))
        x->done = NULL;
    laip_profiler_share(timed, x->done);
    x->staged = d->staged_before + d->staged_count;
    laip_device_flush(d);
}

const void *laip_download_wait(laip_download *x)
{
    laip_device *d = x->device;
    if (x->done) {
        d->counters.waits++;
        bool good = laip_cl_check(d, clWaitForEvents(1, &x->done), "clWaitForEvents", NULL);
        clReleaseEvent(x->done);
        x->done = NULL;
        if (good)
            laip_device_unstage(d, x->staged);
    }
    return d->error.status == LAIP_OK ? x->data : NULL;
}
