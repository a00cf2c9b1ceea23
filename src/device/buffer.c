#include "device/buffer.h"

#include "base/half.h"
#include "base/memory.h"
#include "device/internal.h"
#include "device/tables.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t held;
static atomic_uint releases;

laip_mem laip_mem_create(laip_device *d, size_t bytes, const char *what)
{
    if (d->error.status != LAIP_OK)
        return NULL;
    cl_int code;
    cl_mem mem = clCreateBuffer(d->context, CL_MEM_READ_WRITE, bytes ? bytes : 4, NULL, &code);
    char subject[192];
    snprintf(subject, sizeof subject, "%s, %zu bytes", what, bytes);
    if (!laip_cl_check(d, code, "clCreateBuffer", subject))
        return NULL;
    held += bytes ? bytes : 4;
    return mem;
}

laip_mem laip_mem_part(laip_device *d, laip_mem whole, size_t offset, size_t bytes, const char *what)
{
    if (d->error.status != LAIP_OK)
        return NULL;
    cl_int code;
    cl_buffer_region part = {offset, bytes ? bytes : 4};
    cl_mem mem = clCreateSubBuffer(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &part, &code);
    char subject[192];
    snprintf(subject, sizeof subject, "%s, %zu bytes at %zu", what, bytes, offset);
    return laip_cl_check(d, code, "clCreateSubBuffer", subject) ? mem : NULL;
}

/* Bytes that go with a buffer; none with a part of one. */
static size_t own_bytes(laip_mem mem)
{
    cl_mem whole = NULL;
    size_t bytes = 0;
    if (clGetMemObjectInfo(mem, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof whole, &whole, NULL) != CL_SUCCESS ||
        whole)
        return 0;
    return clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof bytes, &bytes, NULL) == CL_SUCCESS ? bytes : 0;
}

void laip_mem_release(laip_mem mem)
{
    if (!mem)
        return;
    releases++;
    held -= own_bytes(mem);
    clReleaseMemObject(mem);
}

size_t laip_mem_held(void)
{
    return held;
}

unsigned laip_mem_releases(void)
{
    return releases;
}

void laip_device_unstage(laip_device *d, uint64_t before)
{
    size_t done = before > d->staged_before ? (size_t)(before - d->staged_before) : 0;
    done = done < d->staged_count ? done : d->staged_count;
    for (size_t i = 0; i < done; i++) {
        d->staged_bytes -= d->staged[i].bytes;
        free(d->staged[i].data);
    }
    for (size_t i = done; i < d->staged_count; i++)
        d->staged[i - done] = d->staged[i];
    d->staged_before += done;
    d->staged_count -= done;
}

/* A copy of data that lives until the queue is through; NULL: too large to be worth one. */
static const void *stage(laip_device *d, const void *data, size_t bytes)
{
    enum { LARGEST = 4 << 20, TOGETHER = 64 << 20 };
    if (bytes > LARGEST)
        return NULL;
    if (d->staged_bytes + bytes > TOGETHER) {
        d->counters.waits++;
        if (!laip_cl_check(d, clFinish(d->queue), "clFinish", NULL))
            return NULL;
        laip_device_unstage(d, UINT64_MAX);
    }
    void *array = d->staged, *copy = laip_alloc(bytes, 1);
    laip_grow(&array, &d->staged_capacity, d->staged_count + 1, sizeof *d->staged);
    d->staged = array;
    d->staged[d->staged_count++] = (laip_staged){copy, bytes};
    d->staged_bytes += bytes;
    return memcpy(copy, data, bytes);
}

void laip_mem_write(laip_device *d, laip_mem mem, size_t offset, const void *data, size_t bytes)
{
    if (d->error.status != LAIP_OK || !bytes)
        return;
    d->counters.uploads++;
    d->counters.upload_bytes += bytes;
    const void *copy = stage(d, data, bytes);
    d->counters.waits += !copy;
    cl_int code =
        clEnqueueWriteBuffer(d->queue, mem, copy ? CL_FALSE : CL_TRUE, offset, bytes, copy ? copy : data, 0,
                             NULL, laip_profiler_add(d, "upload", (double)bytes, false));
    if (laip_cl_check(d, code, "clEnqueueWriteBuffer", NULL) && !copy)
        laip_device_unstage(d, UINT64_MAX);
}

void laip_mem_read(laip_device *d, laip_mem mem, size_t offset, void *data, size_t bytes)
{
    if (d->error.status != LAIP_OK || !bytes)
        return;
    d->counters.downloads++;
    d->counters.waits++;
    d->counters.download_bytes += bytes;
    cl_int code = clEnqueueReadBuffer(d->queue, mem, CL_TRUE, offset, bytes, data, 0, NULL,
                                      laip_profiler_add(d, "download", (double)bytes, false));
    if (laip_cl_check(d, code, "clEnqueueReadBuffer", NULL))
        laip_device_unstage(d, UINT64_MAX);
}

void laip_mem_zero(laip_device *d, laip_mem mem, size_t offset, size_t bytes)
{
    static const cl_uint zero = 0;
    if (d->error.status != LAIP_OK || !bytes)
        return;
    laip_cl_check(d,
                  clEnqueueFillBuffer(d->queue, mem, &zero, bytes % 4 ? 2 : 4, offset, bytes, 0, NULL,
                                      laip_profiler_add(d, "fill", (double)bytes, true)),
                  "clEnqueueFillBuffer", NULL);
}

void laip_mem_copy(laip_device *d, laip_mem to, size_t to_offset, laip_mem from, size_t from_offset,
                   size_t bytes)
{
    if (d->error.status != LAIP_OK || !bytes)
        return;
    laip_cl_check(d,
                  clEnqueueCopyBuffer(d->queue, from, to, from_offset, to_offset, bytes, 0, NULL,
                                      laip_profiler_add(d, "copy", 2 * (double)bytes, true)),
                  "clEnqueueCopyBuffer", NULL);
}

void *laip_mem_map(laip_device *d, laip_mem mem, size_t bytes, bool write)
{
    if (d->error.status != LAIP_OK)
        return NULL;
    cl_int code;
    d->counters.waits++;
    cl_map_flags flags = write ? CL_MAP_READ | CL_MAP_WRITE : CL_MAP_READ;
    void *p = clEnqueueMapBuffer(d->queue, mem, CL_TRUE, flags, 0, bytes, 0, NULL, NULL, &code);
    return laip_cl_check(d, code, "clEnqueueMapBuffer", NULL) ? p : NULL;
}

void laip_mem_unmap(laip_device *d, laip_mem mem, void *mapped)
{
    if (mapped)
        laip_cl_check(d, clEnqueueUnmapMemObject(d->queue, mem, mapped, 0, NULL, NULL),
                      "clEnqueueUnmapMemObject", NULL);
}

laip_mat laip_mat_create(laip_device *d, size_t rows, size_t cols)
{
    return laip_mat_create_stored(d, rows, cols, LAIP_STORE_FLOAT);
}

laip_mat laip_mat_create_stored(laip_device *d, size_t rows, size_t cols, laip_store store)
{
    laip_mat m = {.rows = rows, .cols = cols, .store = store};
    m.mem = laip_mem_create(d, laip_mat_bytes(m), "matrix");
    return m;
}

laip_ints laip_ints_create(laip_device *d, size_t count)
{
    return (laip_ints){.mem = laip_mem_create(d, count * sizeof(int32_t), "table"), .count = count};
}

void laip_mat_write(laip_device *d, laip_mat m, const float *values)
{
    laip_mat_write_at(d, m, 0, m.rows * m.cols, values);
}

void laip_mat_read(laip_device *d, laip_mat m, float *values)
{
    laip_mat_read_at(d, m, 0, m.rows * m.cols, values);
}

void laip_mat_write_at(laip_device *d, laip_mat m, size_t first, size_t count, const float *values)
{
    if (m.store == LAIP_STORE_FLOAT) {
        laip_mem_write(d, m.mem, first * sizeof(float), values, count * sizeof(float));
        return;
    }
    uint16_t *bits = laip_alloc(count, sizeof *bits);
    for (size_t i = 0; i < count; i++)
        bits[i] = m.store == LAIP_STORE_HALF ? laip_half_from(values[i]) : laip_bfloat16_from(values[i]);
    laip_mem_write(d, m.mem, first * sizeof *bits, bits, count * sizeof *bits);
    free(bits);
}

void laip_mat_read_at(laip_device *d, laip_mat m, size_t first, size_t count, float *values)
{
    if (m.store == LAIP_STORE_FLOAT) {
        laip_mem_read(d, m.mem, first * sizeof(float), values, count * sizeof(float));
        return;
    }
    uint16_t *bits = laip_alloc(count, sizeof *bits);
    laip_mem_read(d, m.mem, first * sizeof *bits, bits, count * sizeof *bits);
    for (size_t i = 0; i < count; i++)
        values[i] = m.store == LAIP_STORE_HALF ? laip_half_value(bits[i]) : laip_bfloat16_value(bits[i]);
    free(bits);
}

void laip_mat_zero(laip_device *d, laip_mat m)
{
    laip_mem_zero(d, m.mem, 0, laip_mat_bytes(m));
}

void laip_mat_copy(laip_device *d, laip_mat to, laip_mat from)
{
    static const char *const names[] = {"", " of halves", " of bfloat16"};
    if (to.rows != from.rows || to.cols != from.cols || to.store != from.store)
        laip_device_fail(d, "copy of a %zu x %zu matrix%s into one of %zu x %zu%s", from.rows, from.cols,
                         names[from.store], to.rows, to.cols, names[to.store]);
    laip_mem_copy(d, to.mem, 0, from.mem, 0, laip_mat_bytes(to));
}

void laip_ints_write(laip_device *d, laip_ints v, const int32_t *values)
{
    if (v.tables)
        laip_tables_write(v.tables, v.at, values, v.count * sizeof(int32_t));
    else
        laip_mem_write(d, v.mem, 0, values, v.count * sizeof(int32_t));
}

void laip_floats_write(laip_device *d, laip_ints v, const float *values)
{
    if (v.tables)
        laip_tables_write(v.tables, v.at, values, v.count * sizeof(float));
    else
        laip_mem_write(d, v.mem, 0, values, v.count * sizeof(float));
}

void laip_ints_read(laip_device *d, laip_ints v, int32_t *values)
{
    laip_tables_flush(d);
    laip_mem_read(d, v.mem, 0, values, v.count * sizeof(int32_t));
}
