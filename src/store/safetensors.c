#include "store/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_shape(const char *path, const char *name, json_t *shape, laip_tensor_entry *t,
                       laip_error *error)
{
    if (!json_is_array(shape) || json_array_size(shape) > LAIP_RANK)
        return laip_bad_input(error, "%s: %s: shape is no list of at most %d sizes", path, name, LAIP_RANK);
    t->rank = (int)json_array_size(shape);
    t->count = 1;
    for (int i = 0; i < t->rank; i++) {
        json_t *n = json_array_get(shape, (size_t)i);
        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return laip_bad_input(error, "%s: %s: shape[%d] is no size", path, name, i);
        t->shape[i] = (size_t)json_integer_value(n);
        if (t->shape[i] && t->count > SIZE_MAX / 8 / t->shape[i])
            return laip_bad_input(error, "%s: %s: shape has too many elements", path, name);
        t->count *= t->shape[i];
    }
    return true;
}

static bool read_tensor(laip_safetensors *f, const char *name, json_t *value, size_t base, laip_error *error)
{
    laip_tensor_entry t = {.type = LAIP_DTYPES};
    const char *type = json_string_value(json_object_get(value, "dtype"));
    json_t *at = json_object_get(value, "data_offsets");
    for (int i = 0; type && i < LAIP_DTYPES; i++)
        if (strcmp(type, laip_dtype_name((laip_dtype)i)) == 0)
            t.type = (laip_dtype)i;
    if (t.type == LAIP_DTYPES)
        return laip_bad_input(error, "%s: %s: dtype is %s, expected F32, F16, BF16, F64 or an integer type",
                              f->path, name, type ? type : "missing");
    if (!read_shape(f->path, name, json_object_get(value, "shape"), &t, error))
        return false;
    json_t *first = json_array_get(at, 0), *last = json_array_get(at, 1);
    if (json_array_size(at) != 2 || !json_is_integer(first) || !json_is_integer(last) ||
        json_integer_value(first) < 0)
        return laip_bad_input(error, "%s: %s: data_offsets is no pair of places", f->path, name);
    size_t begin = (size_t)json_integer_value(first), end = (size_t)json_integer_value(last);
    if (json_integer_value(last) < json_integer_value(first) || end > f->size - base)
        return laip_bad_input(error,
                              "%s: %s: data_offsets %zu to %zu lie outside the file's %zu bytes of data",
                              f->path, name, begin, end, f->size - base);
    if (end - begin != t.count * laip_dtype_size(t.type))
        return laip_bad_input(error, "%s: %s: %zu bytes of data, its shape wants %zu", f->path, name,
                              end - begin, t.count * laip_dtype_size(t.type));
    t.place = base + begin;
    t.name = laip_strdup(name);
    f->tensors[f->count++] = t;
    return true;
}

static size_t bytes_of(const laip_tensor_entry *t)
{
    return t->count * laip_dtype_size(t->type);
}

static int by_place(const void *a, const void *b)
{
    const laip_tensor_entry *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return x->count < y->count ? -1 : x->count > y->count;
}

static bool read_header(laip_safetensors *f, json_t *header, size_t base, laip_error *error)
{
    const char *name;
    json_t *value;
    f->tensors = laip_alloc(json_object_size(header), sizeof *f->tensors);
    f->metadata = laip_alloc(1, sizeof *f->metadata);
    json_object_foreach(header, name, value)
    {
        if (strcmp(name, "__metadata__") != 0) {
            if (!read_tensor(f, name, value, base, error))
                return false;
            continue;
        }
        const char *key;
        json_t *text;
        free(f->metadata);
        f->metadata = laip_alloc(json_object_size(value) + 1, sizeof *f->metadata);
        json_object_foreach(value, key, text)
        {
            if (!json_is_string(text))
                return laip_bad_input(error, "%s: metadata %s is no string", f->path, key);
            laip_map_set(&f->metadata_index, key, strlen(key), (int32_t)f->metadata_index.count);
            f->metadata[f->metadata_index.count - 1] = laip_strdup(json_string_value(text));
        }
    }
    if (f->count)
        qsort(f->tensors, f->count, sizeof *f->tensors, by_place);
    size_t end = base;
    for (size_t i = 0; i < f->count; i++) {
        laip_tensor_entry *t = &f->tensors[i];
        if (t->place < end)
            return laip_bad_input(error, "%s: %s: its data overlap those of %s", f->path, t->name,
                                  i ? f->tensors[i - 1].name : "the header");
        end = t->place + bytes_of(t);
        laip_map_set(&f->index, t->name, strlen(t->name), (int32_t)i);
    }
    size_t rest = f->size - end;
    return !rest || laip_bad_input(error, "%s: %zu bytes follow the last tensor, expected the file's end",
                                   f->path, rest);
}

/* The checksums that the metadata have, once that of the header is right. */
static bool read_sums(laip_safetensors *f, const char *header, size_t length, laip_error *error)
{
    const char *kind = laip_safetensors_metadata(f, "checksum"), *sums = laip_safetensors_metadata(f, "xxh3");
    size_t digits = 16 * (f->count + 1);
    if (!kind && !sums)
        return true;
    if (!kind || !sums || strcmp(kind, "xxh3-64") != 0 || strlen(sums) != digits ||
        strspn(sums, "0123456789abcdef") != digits)
        return laip_bad_input(error,
                              "%s: is damaged: metadata checksum and xxh3 are %.20s and %zu digits, expected "
                              "xxh3-64 and %zu",
                              f->path, kind ? kind : "missing", sums ? strlen(sums) : 0, digits);
    char *copy = laip_strndup(header, length), *at = copy;
    size_t left = length;
    while (left >= digits && memcmp(at, sums, digits) != 0)
        at++, left--;
    if (left >= digits)
        memset(at, '0', digits);
    uint64_t sum = laip_checksum(copy, length), expected = 0;
    free(copy);
    f->sums = laip_alloc(f->count + 1, sizeof *f->sums);
    for (size_t i = 0; i <= f->count; i++) {
        char one[17] = {0};
        memcpy(one, sums + 16 * i, 16);
        uint64_t value = strtoull(one, NULL, 16);
        *(i ? &f->sums[i - 1] : &expected) = value;
    }
    return sum == expected ||
           laip_bad_input(error,
                          "%s: the header is damaged: its checksum is %016" PRIx64 ", expected %016" PRIx64,
                          f->path, sum, expected);
}

static bool verify(const laip_safetensors *f, size_t i, const void *data, laip_error *error)
{
    const laip_tensor_entry *t = &f->tensors[i];
    uint64_t sum = f->sums ? laip_checksum(data, bytes_of(t)) : 0;
    return !f->sums || sum == f->sums[i] ||
           laip_bad_input(error, "%s: %s is damaged: its checksum is %016" PRIx64 ", expected %016" PRIx64,
                          f->path, t->name, sum, f->sums[i]);
}

bool laip_safetensors_verify(const laip_safetensors *f, size_t i, laip_error *error)
{
    void *data = f->sums ? laip_alloc(bytes_of(&f->tensors[i]) + 1, 1) : NULL;
    bool good = !f->sums || laip_safetensors_read(f, i, data, error);
    free(data);
    return good;
}

bool laip_safetensors_read(const laip_safetensors *f, size_t i, void *data, laip_error *error)
{
    const laip_tensor_entry *t = &f->tensors[i];
    return laip_file_read_at(f->fd, f->path, t->place, data, bytes_of(t), error) && verify(f, i, data, error);
}

bool laip_safetensors_load(laip_safetensors *f, laip_error *error)
{
    enum { ALIGNED = 64 };
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i < f->count; i++)
        bytes += bytes_of(&f->tensors[i]) + ALIGNED;
    f->elements = laip_alloc(bytes + 1, 1);
    for (size_t i = 0; i < f->count; i++) {
        laip_tensor_entry *t = &f->tensors[i];
        if (!laip_safetensors_read(f, i, f->elements + at, error))
            return false;
        t->data = f->elements + at;
        at += (bytes_of(t) + ALIGNED - 1) / ALIGNED * ALIGNED;
    }
    return true;
}

/* The header; *length are its bytes. */
static char *read_whole_header(const laip_safetensors *f, size_t *length, laip_error *error)
{
    unsigned char first[8] = {0};
    if (f->size >= sizeof first && !laip_file_read_at(f->fd, f->path, 0, first, sizeof first, error))
        return NULL;
    uint64_t bytes = 0;
    for (int i = 7; i >= 0; i--)
        bytes = bytes << 8 | first[i];
    if (f->size < 8 || bytes > f->size - 8) {
        laip_bad_input(error, "%s: is no safetensors file: its header would be %llu bytes, the file has %zu",
                       f->path, (unsigned long long)bytes, f->size);
        return NULL;
    }
    *length = (size_t)bytes;
    char *text = laip_alloc(*length + 1, 1);
    if (laip_file_read_at(f->fd, f->path, sizeof first, text, *length, error))
        return text;
    free(text);
    return NULL;
}

bool laip_safetensors_open(laip_safetensors *f, const char *path, laip_error *error)
{
    *f = (laip_safetensors){.path = laip_strdup(path), .fd = -1};
    size_t length = 0;
    bool good = laip_file_open(path, &f->fd, &f->size, error);
    char *text = good ? read_whole_header(f, &length, error) : NULL;
    json_error_t where;
    json_t *header = text ? json_loadb(text, length, JSON_REJECT_DUPLICATES, &where) : NULL;
    good = text != NULL;
    if (good && !json_is_object(header))
        good = laip_bad_input(error, "%s: the header at byte %d is no JSON object: %s", path,
                              header ? 8 : 8 + where.position, header ? "something else" : where.text);
    good = good && read_header(f, header, 8 + length, error) && read_sums(f, text, length, error);
    json_decref(header);
    free(text);
    if (!good)
        laip_safetensors_close(f);
    return good;
}

void laip_safetensors_close(laip_safetensors *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->tensors[i].name);
    for (size_t i = 0; i < f->metadata_index.count; i++)
        free(f->metadata[i]);
    free(f->metadata);
    free(f->tensors);
    free(f->sums);
    laip_map_free(&f->index);
    laip_map_free(&f->metadata_index);
    free(f->elements);
    if (f->path && f->fd >= 0)
        close(f->fd);
    free(f->path);
    *f = (laip_safetensors){0};
}

const laip_tensor_entry *laip_safetensors_find(const laip_safetensors *f, const char *name)
{
    int32_t i;
    return laip_map_get(&f->index, name, strlen(name), &i) ? &f->tensors[i] : NULL;
}

const char *laip_safetensors_metadata(const laip_safetensors *f, const char *key)
{
    int32_t i;
    return laip_map_get(&f->metadata_index, key, strlen(key), &i) ? f->metadata[i] : NULL;
}
