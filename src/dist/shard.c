#include "dist/shard.h"

#include "base/log.h"
#include "base/memory.h"
#include "device/mapping.h"
#include "dist/job.h"

#include <stdlib.h>
#include <string.h>

typedef struct sharing {
    laip_shard shard; /* first: the parameters' */
    const laip_ranks *ranks;
    laip_params *params;
} sharing;

static void sum(laip_shard *self, float *value)
{
    laip_ranks_sum(((sharing *)self)->ranks, value, 1);
}

static void gather(laip_shard *self, laip_mat m, const size_t *first)
{
    sharing *s = (sharing *)self;
    laip_device *d = s->params->device;
    size_t one = laip_store_bytes(m.store);
    laip_mapping mapping;
    laip_event moved = laip_device_mark(d);
    double start = laip_seconds();
    bool good = laip_mapping_begin(d, m.mem, 0, m.cols * one, moved, &mapping);
    while (good && !laip_mapping_ready(d, &mapping))
        laip_job_rest(laip_seconds() - start);
    /* a device that has failed takes part, so that nobody waits: its rank ends the job at the step's end */
    char *values = mapping.data ? mapping.data : laip_alloc(m.cols, one);
    laip_ranks_allgatherv_items(s->ranks, values, one, first);
    if (mapping.data)
        laip_mapping_end(d, &mapping);
    else
        free(values);
    laip_event_release(moved);
    laip_mappings_join(d);
}

static void merge(laip_shard *self, float *values, size_t count)
{
    sharing *s = (sharing *)self;
    laip_error ignored;
    if (!laip_device_ok(s->params->device,
                        &ignored)) /* what is not there is not a number, and is not saved */
        memset(values, 0xff, count * sizeof *values);
    laip_ranks_merge(s->ranks, values, count);
}

laip_shard *laip_shard_create(const laip_ranks *ranks, laip_params *params)
{
    sharing *s = laip_alloc(1, sizeof *s);
    *s = (sharing){.shard = {sum, gather, merge}, .ranks = ranks, .params = params};
    params->together = &s->shard;
    return &s->shard;
}

void laip_shard_free(laip_shard *shard)
{
    if (shard)
        ((sharing *)shard)->params->together = NULL;
    free(shard);
}
