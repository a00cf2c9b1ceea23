#include "device/mapping.h"

#include "base/memory.h"
#include "device/internal.h"
#include <stdlib.h>

static bool transfers_of(laip_device *d)
{
    cl_int code;
    if (!d->transfers && d->error.status == LAIP_OK) {
        d->transfers = clCreateCommandQueue(d->context, d->id, 0, &code);
        laip_cl_check(d, code, "clCreateCommandQueue", "transfers");
    }
    return d->error.status == LAIP_OK;
}

laip_event laip_device_mark(laip_device *d)
{
    cl_event event = NULL;
    if (d->error.status != LAIP_OK)
        return NULL;
    laip_cl_check(d, clEnqueueMarkerWithWaitList(d->queue, 0, NULL, &event), "clEnqueueMarkerWithWaitList",
                  NULL);
    laip_device_flush(d);
    return event;
}

bool laip_event_over(laip_device *d, laip_event event)
{
    cl_int status = CL_COMPLETE;
    if (!event || d->error.status != LAIP_OK)
        return true;
    laip_cl_check(d, clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL),
                  "clGetEventInfo", NULL);
    if (status < 0)
        laip_cl_check(d, status, "a command that was under way", NULL);
    return status <= CL_COMPLETE;
}

void laip_event_release(laip_event event)
{
    if (event)
        clReleaseEvent(event);
}

bool laip_mapping_begin(laip_device *d, laip_mem mem, size_t offset, size_t bytes, laip_event after,
                        laip_mapping *m)
{
    cl_int code;
    *m = (laip_mapping){.mem = mem};
    if (!transfers_of(d))
        return false;
    m->data = clEnqueueMapBuffer(d->transfers, mem, CL_FALSE, CL_MAP_READ | CL_MAP_WRITE, offset, bytes,
                                 after ? 1 : 0, after ? &after : NULL, &m->ready, &code);
    d->counters.downloads++;
    d->counters.download_bytes += d->traits.host_memory ? 0 : bytes;
    return laip_cl_check(d, code, "clEnqueueMapBuffer", NULL) &&
           laip_cl_check(d, clFlush(d->transfers), "clFlush", NULL);
}

bool laip_mapping_ready(laip_device *d, const laip_mapping *m)
{
    return laip_event_over(d, m->ready);
}

void laip_mapping_end(laip_device *d, laip_mapping *m)
{
    cl_event back = NULL;
    if (m->data && d->transfers)
        laip_cl_check(d, clEnqueueUnmapMemObject(d->transfers, m->mem, m->data, 0, NULL, &back),
                      "clEnqueueUnmapMemObject", NULL);
    if (back) {
        void *array = d->returned;
        laip_grow(&array, &d->returned_capacity, d->returned_count + 1, sizeof *d->returned);
        d->returned = array;
        d->returned[d->returned_count++] = back;
        laip_cl_check(d, clFlush(d->transfers), "clFlush", NULL);
    }
    laip_event_release(m->ready);
    *m = (laip_mapping){0};
}

void laip_mappings_join(laip_device *d)
{
    if (d->returned_count && d->error.status == LAIP_OK)
        laip_cl_check(d,
                      clEnqueueBarrierWithWaitList(d->queue, (cl_uint)d->returned_count, d->returned, NULL),
                      "clEnqueueBarrierWithWaitList", NULL);
    for (size_t i = 0; i < d->returned_count; i++)
        clReleaseEvent(d->returned[i]);
    d->returned_count = 0;
}

void laip_mappings_release(laip_device *d)
{
    laip_mappings_join(d);
    free(d->returned);
    if (d->transfers) {
        clFinish(d->transfers);
        clReleaseCommandQueue(d->transfers);
    }
}
