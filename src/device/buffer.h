/* Device memory: buffers, the matrix views that every operation takes, and memory plans, laid out before the
 * first step. */
#ifndef LAIP_DEVICE_BUFFER_H
#define LAIP_DEVICE_BUFFER_H

#include "device/device.h"

/* How a matrix's numbers lie in memory: as fp32, fp16, or bfloat16, the upper half of a float.  What is
 * computed with them is fp32 all the same. */
typedef enum laip_store { LAIP_STORE_FLOAT, LAIP_STORE_HALF, LAIP_STORE_BFLOAT16 } laip_store;

/* A row-major matrix, dense, at offset 0 of its (sub-)buffer.  A vector has one row.  Passing fewer rows than
 * the buffer holds is normal: batches are packed and differ in size.  Activations and weights may be stored
 * in 16 bits, all else is of floats. */
typedef struct laip_mat {
    laip_mem mem;
    size_t rows, cols;
    laip_store store;
} laip_mat;

static inline size_t laip_store_bytes(laip_store store) /* of a number */
{
    return store == LAIP_STORE_FLOAT ? sizeof(float) : sizeof(uint16_t);
}

static inline size_t laip_mat_bytes(laip_mat m)
{
    return m.rows * m.cols * laip_store_bytes(m.store);
}

/* A vector of int32.  One of a plan lies among the plan's tables: what is written there goes up together,
 * before the next launch, so that a step's tables are one transfer. */
typedef struct laip_tables laip_tables;
typedef struct laip_ints {
    laip_mem mem;
    size_t count;
    laip_tables *tables; /* NULL: a buffer of its own */
    size_t at;           /* bytes, in the tables */
} laip_ints;

/* The vector as a column of floats: written by laip_floats_write. */
static inline laip_mat laip_column(laip_ints v, size_t rows)
{
    return (laip_mat){.mem = v.mem, .rows = rows, .cols = 1};
}

static inline laip_mat laip_rows(laip_mat m, size_t rows) /* the first rows of m */
{
    m.rows = rows;
    return m;
}

laip_mem laip_mem_create(laip_device *device, size_t bytes, const char *what); /* NULL after a failure */
laip_mem laip_mem_part(laip_device *device, laip_mem whole, size_t offset, size_t bytes, const char *what);
void laip_mem_release(laip_mem mem); /* NULL is fine */
size_t laip_mem_held(void);          /* bytes of the process's buffers, on all devices */

/* Transfers, in bytes.  A write returns at once (large ones when they are done) and needs data no longer; a
 * read waits for the queue. */
void laip_mem_write(laip_device *device, laip_mem mem, size_t offset, const void *data, size_t bytes);
void laip_mem_read(laip_device *device, laip_mem mem, size_t offset, void *data, size_t bytes);
/* Data of up to `bytes` that goes up while the device works, on a queue of its own: from two pinned buffers
 * into two of the device's, in turn.  What is launched after a write, and before the next, may read the
 * buffer that it returns (NULL after a failure). */
typedef struct laip_feed laip_feed;
laip_feed *laip_feed_create(laip_device *device, size_t bytes);
void laip_feed_free(laip_feed *feed); /* NULL is fine */
laip_mem laip_feed_write(laip_feed *feed, const void *data, size_t bytes);
/* Reads of `bytes` that do not wait: begun now, in the queue's order, and there when laip_download_wait
 * returns, which gives NULL after a failure.  What it gives stays until the next begin. */
typedef struct laip_download laip_download;
laip_download *laip_download_create(laip_device *device, size_t bytes);
void laip_download_free(laip_download *download); /* NULL is fine */
void laip_download_begin(laip_download *download, laip_mem from, size_t offset);
const void *laip_download_wait(laip_download *download);
/* In the queue's order, without waiting. */
void laip_mem_zero(laip_device *device, laip_mem mem, size_t offset, size_t bytes);
void laip_mem_copy(laip_device *device, laip_mem to, size_t to_offset, laip_mem from, size_t from_offset,
                   size_t bytes);
/* The buffer's bytes on the host until laip_mem_unmap; waits for the device.  NULL after a failure. */
void *laip_mem_map(laip_device *device, laip_mem mem, size_t bytes, bool write);
void laip_mem_unmap(laip_device *device, laip_mem mem, void *mapped);

/* Conveniences over the above: a matrix of its own, and transfers of whole views, whose values are floats on
 * the host however the matrix is stored. */
laip_mat laip_mat_create(laip_device *device, size_t rows, size_t cols);
laip_mat laip_mat_create_stored(laip_device *device, size_t rows, size_t cols, laip_store store);
laip_ints laip_ints_create(laip_device *device, size_t count);
void laip_mat_write(laip_device *device, laip_mat m, const float *values);
void laip_mat_read(laip_device *device, laip_mat m, float *values);
/* Elements of the matrix from its `first` on. */
void laip_mat_write_at(laip_device *device, laip_mat m, size_t first, size_t count, const float *values);
void laip_mat_read_at(laip_device *device, laip_mat m, size_t first, size_t count, float *values);
void laip_mat_zero(laip_device *device, laip_mat m);
void laip_mat_copy(laip_device *device, laip_mat to, laip_mat from); /* of equal sizes and storage */
void laip_ints_write(laip_device *device, laip_ints v, const int32_t *values);
void laip_floats_write(laip_device *device, laip_ints v, const float *values); /* v.count of them */
void laip_ints_read(laip_device *device, laip_ints v, int32_t *values);

/* A memory plan is laid out like a stack: blocks are taken one after the other, and a mark gives back all
 * that was taken since, for reuse by later work of the same in-order queue.  The layout code runs twice:
 * first on a dry plan (views with NULL memory), which only measures; then, after laip_plan_allocate, for
 * real.  Memory is taken from the device in slabs no larger than its largest allocation. */
typedef struct laip_plan laip_plan;

laip_plan *laip_plan_create(laip_device *device, const char *name); /* dry */
void laip_plan_free(laip_plan *plan);
laip_mat laip_plan_mat(laip_plan *plan, size_t rows, size_t cols);
/* A matrix of activations, stored as laip_plan_store says, which comes before the first block. */
laip_mat laip_plan_activations(laip_plan *plan, size_t rows, size_t cols);
void laip_plan_store(laip_plan *plan, laip_store store);
laip_ints laip_plan_ints(laip_plan *plan, size_t count);
size_t laip_plan_mark(const laip_plan *plan);
void laip_plan_reset(laip_plan *plan, size_t mark);
/* The most that was in use at once; LAIP_TOO_LARGE when one block is larger than the device allocates. */
#define LAIP_TOO_LARGE (SIZE_MAX / 4)
size_t laip_plan_bytes(const laip_plan *plan);
/* Ends the dry run: takes the memory, touches it, and starts the layout again from nothing. */
bool laip_plan_allocate(laip_plan *plan, laip_error *error);

#endif
