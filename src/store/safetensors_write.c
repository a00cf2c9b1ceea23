/* Writing safetensors: see safetensors.h. */
#include "store/safetensors.h"

#include "base/memory.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void laip_safetensors_metadata_add(laip_safetensors_writer *w, const char *key, const char *value)
{
    laip_str_add_json(&w->metadata, key, strlen(key));
    laip_str_adds(&w->metadata, ":");
    laip_str_add_json(&w->metadata, value, strlen(value));
    laip_str_adds(&w->metadata, ",");
}

void laip_safetensors_declare(laip_safetensors_writer *w, const char *name, laip_dtype type, int rank,
                              const size_t *shape)
{
    size_t bytes = laip_dtype_size(type);
    laip_str_adds(&w->tensors, ",");
    laip_str_add_json(&w->tensors, name, strlen(name));
    laip_str_addf(&w->tensors, ":{\"dtype\":\"%s\",\"shape\":[", laip_dtype_name(type));
    for (int i = 0; i < rank; i++) {
        laip_str_addf(&w->tensors, "%s%zu", i ? "," : "", shape[i]);
        bytes *= shape[i];
    }
    laip_str_addf(&w->tensors, "],\"data_offsets\":[%zu,%zu]}", w->offset, w->offset + bytes);
    w->offset += bytes;
    void *array = w->end;
    laip_grow(&array, &w->end_capacity, w->declared + 1, sizeof *w->end);
    w->end = array;
    w->end[w->declared++] = w->offset;
}

bool laip_safetensors_begin(laip_safetensors_writer *w, const char *path, laip_error *error)
{
    laip_str header = {0};
    laip_str_addf(&header, "{\"__metadata__\":{%s\"checksum\":\"xxh3-64\",\"xxh3\":\"",
                  laip_str_text(&w->metadata));
    w->sums_at = header.length;
    for (size_t i = 0; i <= w->declared; i++)
        laip_str_adds(&header, "0000000000000000");
    laip_str_addf(&header, "\"}%s}", laip_str_text(&w->tensors));
    while (header.length % 8) /* so that the data are aligned */
        laip_str_adds(&header, " ");
    if (!laip_file_begin(&w->file, path, error)) {
        free(header.text);
        return false;
    }
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)header.length >> 8 * i);
    fwrite(length, 1, 8, w->file.stream);
    fwrite(header.text, 1, header.length, w->file.stream);
    w->sums_at += 8;
    w->state = laip_checksum_create();
    laip_str_addf(&w->sums, "%016" PRIx64, laip_checksum(header.text, header.length));
    free(header.text);
    return true;
}

/* Tensors whose bytes are all there get their checksums. */
static void close_tensors(laip_safetensors_writer *w)
{
    for (; w->current < w->declared && w->end[w->current] == w->written; w->current++)
        laip_str_addf(&w->sums, "%016" PRIx64, laip_checksum_end(w->state));
}

void laip_safetensors_write(laip_safetensors_writer *w, const void *data, size_t bytes)
{
    const char *from = data;
    fwrite(data, 1, bytes, w->file.stream); /* laip_file_commit looks at ferror */
    close_tensors(w);
    while (bytes && w->current < w->declared) {
        size_t rest = w->end[w->current] - w->written, some = bytes < rest ? bytes : rest;
        laip_checksum_add(w->state, from, some);
        w->written += some;
        from += some;
        bytes -= some;
        close_tensors(w);
    }
}

static void release(laip_safetensors_writer *w)
{
    free(w->metadata.text);
    free(w->tensors.text);
    free(w->sums.text);
    free(w->end);
    laip_checksum_free(w->state);
    *w = (laip_safetensors_writer){0};
}

bool laip_safetensors_end(laip_safetensors_writer *w, laip_error *error)
{
    close_tensors(w);
    bool good = w->current == w->declared && w->written == w->offset;
    if (!good) {
        laip_failure(error, "%s: %zu of %zu bytes of tensors were written", w->file.path, w->written,
                     w->offset);
        laip_file_cancel(&w->file);
    } else { /* a failure of these shows in ferror */
        if (fseek(w->file.stream, (long)w->sums_at, SEEK_SET) == 0)
            fwrite(w->sums.text, 1, w->sums.length, w->file.stream);
        good = laip_file_commit(&w->file, error);
    }
    release(w);
    return good;
}

void laip_safetensors_cancel(laip_safetensors_writer *w)
{
    laip_file_cancel(&w->file);
    release(w);
}
