/* An index in its file. */
#include "search/index.h"

#include <stdlib.h>
#include <string.h>

static const char format[] = "laip-index 1";

/* The tensors of the file, in its order. */
enum { FEATURES, BEGIN, BYTES, TIME, PICTURE, SIZES, HASHES, PATHS, TENSORS };
static const struct {
    const char *name;
    laip_dtype type;
} tensors[TENSORS] = {{"features", LAIP_F32}, {"path_begin", LAIP_I64}, {"bytes", LAIP_I64},
                      {"time", LAIP_I64},     {"picture", LAIP_I32},    {"sizes", LAIP_I32},
                      {"hashes", LAIP_U8},    {"paths", LAIP_U8}};

static void declare(laip_safetensors_writer *w, const laip_index *x, size_t path_bytes)
{
    size_t P = x->picture_count, F = x->file_count;
    const size_t shapes[TENSORS][2] = {{P, x->embed}, {F + 1}, {F}, {F}, {F}, {P, 2}, {P, 16}, {path_bytes}};
    laip_safetensors_metadata_add(w, "format", format);
    laip_safetensors_metadata_add(w, "folder", x->folder);
    laip_safetensors_metadata_add(w, "checkpoint", x->checkpoint);
    laip_safetensors_metadata_add(w, "fingerprint", x->fingerprint);
    for (int i = 0; i < TENSORS; i++)
        laip_safetensors_declare(w, tensors[i].name, tensors[i].type, shapes[i][1] ? 2 : 1, shapes[i]);
}

static void write_files(laip_safetensors_writer *w, const laip_index *x)
{
    int64_t at = 0;
    for (size_t i = 0; i <= x->file_count; i++) {
        laip_safetensors_write(w, &at, sizeof at);
        at += i < x->file_count ? (int64_t)strlen(x->files[i].name) + 1 : 0;
    }
    for (size_t i = 0; i < x->file_count; i++)
        laip_safetensors_write(w, &x->files[i].bytes, sizeof x->files[i].bytes);
    for (size_t i = 0; i < x->file_count; i++)
        laip_safetensors_write(w, &x->files[i].time, sizeof x->files[i].time);
    for (size_t i = 0; i < x->file_count; i++) {
        int32_t picture = (int32_t)x->files[i].picture;
        laip_safetensors_write(w, &picture, sizeof picture);
    }
}

laip_status laip_index_save(laip_index *x, const char *path, laip_error *error)
{
    laip_safetensors_writer w = {.declared = 0};
    laip_error e;
    size_t path_bytes = 0;
    for (size_t i = 0; i < x->file_count; i++)
        path_bytes += strlen(x->files[i].name) + 1;
    declare(&w, x, path_bytes);
    if (!laip_safetensors_begin(&w, path, &e)) {
        laip_safetensors_cancel(&w);
        return laip_tell(false, &e, error);
    }
    for (size_t i = 0; i < x->picture_count; i++)
        laip_safetensors_write(&w, x->pictures[i].features, x->embed * sizeof(float));
    write_files(&w, x);
    for (size_t i = 0; i < x->picture_count; i++)
        laip_safetensors_write(&w, x->pictures[i].size, sizeof x->pictures[i].size);
    for (size_t i = 0; i < x->picture_count; i++)
        laip_safetensors_write(&w, x->pictures[i].hash, sizeof x->pictures[i].hash);
    for (size_t i = 0; i < x->file_count; i++)
        laip_safetensors_write(&w, x->files[i].name, strlen(x->files[i].name) + 1);
    return laip_tell(laip_safetensors_end(&w, &e), &e, error);
}

/* The tensors, each whole and of its type and shape. */
static bool find_tensors(laip_index *x, const char *path, laip_tensor_entry *t, laip_error *error)
{
    if (!laip_safetensors_load(&x->file, error))
        return laip_error_prefix(error, "%s: is damaged", path);
    for (int i = 0; i < TENSORS; i++) {
        const laip_tensor_entry *found = laip_safetensors_find(&x->file, tensors[i].name);
        if (!found || found->type != tensors[i].type)
            return laip_bad_input(error, "%s: is damaged: no tensor %s of type %s", path, tensors[i].name,
                                  laip_dtype_name(tensors[i].type));
        t[i] = *found;
    }
    if (t[FEATURES].rank != 2 || t[PICTURE].rank != 1)
        return laip_bad_input(error, "%s: is damaged: features are no matrix", path);
    size_t P = t[FEATURES].shape[0], F = t[PICTURE].count;
    const size_t counts[TENSORS] = {t[FEATURES].count, F + 1, F, F, F, 2 * P, 16 * P, t[PATHS].count};
    for (int i = 0; i < TENSORS; i++)
        if (t[i].count != counts[i])
            return laip_bad_input(error, "%s: is damaged: %s has %zu elements, expected %zu", path,
                                  tensors[i].name, t[i].count, counts[i]);
    if (P > INT32_MAX || F > INT32_MAX)
        return laip_bad_input(error, "%s: %zu pictures of %zu names, at most %d are possible", path, P, F,
                              INT32_MAX);
    x->picture_count = P;
    x->file_count = F;
    x->embed = t[FEATURES].shape[1];
    return true;
}

static int64_t integer(const laip_tensor_entry *t, size_t i)
{
    int64_t value;
    memcpy(&value, (const char *)t->data + i * sizeof value, sizeof value);
    return value;
}

static bool read_file(laip_index *x, const char *path, const laip_tensor_entry *t, size_t i,
                      laip_error *error)
{
    int64_t begin = integer(&t[BEGIN], i), end = integer(&t[BEGIN], i + 1), all = (int64_t)t[PATHS].count;
    const char *name = (const char *)t[PATHS].data + begin;
    int32_t picture;
    memcpy(&picture, (const char *)t[PICTURE].data + i * sizeof picture, sizeof picture);
    if (begin < 0 || begin >= end || end > all ||
        memchr(name, 0, (size_t)(end - begin)) != name + (end - begin - 1))
        return laip_bad_input(error, "%s: is damaged: name %zu is at %lld to %lld of %lld", path, i,
                              (long long)begin, (long long)end, (long long)all);
    if (!laip_index_name_fits(name))
        return laip_bad_input(error, "%s: names a file outside of its folder: %.200s", path, name);
    if (i && strcmp(x->files[i - 1].name, name) >= 0)
        return laip_bad_input(error, "%s: is damaged: names %zu and %zu are out of order", path, i - 1, i);
    if (picture < 0 || (size_t)picture >= x->picture_count)
        return laip_bad_input(error, "%s: is damaged: file %zu is of picture %d of %zu", path, i, picture,
                              x->picture_count);
    x->files[i] = (laip_index_file_entry){.name = name,
                                          .bytes = integer(&t[BYTES], i),
                                          .time = integer(&t[TIME], i),
                                          .picture = (size_t)picture};
    return true;
}

static bool read_tables(laip_index *x, const char *path, laip_error *error)
{
    laip_tensor_entry t[TENSORS] = {{.name = NULL}};
    if (!find_tensors(x, path, t, error))
        return false;
    x->pictures = laip_alloc(x->picture_count, sizeof *x->pictures);
    x->files = laip_alloc(x->file_count, sizeof *x->files);
    for (size_t i = 0; i < x->file_count; i++)
        if (!read_file(x, path, t, i, error))
            return false;
    for (size_t i = 0; i < x->picture_count; i++) {
        laip_index_picture_entry *p = &x->pictures[i];
        memcpy(p->hash, (const char *)t[HASHES].data + 16 * i, 16);
        memcpy(p->size, (const char *)t[SIZES].data + sizeof p->size * i, sizeof p->size);
        p->features = (const float *)t[FEATURES].data + i * x->embed;
    }
    laip_index_arrange(x);
    return true;
}

static bool read_metadata(laip_index *x, const char *path, laip_error *error)
{
    const char *what = laip_safetensors_metadata(&x->file, "format");
    if (!what || strncmp(what, "laip-index ", 11) != 0)
        return laip_bad_input(error, "%s: is no index, but another safetensors file", path);
    if (strcmp(what, format) != 0)
        return laip_bad_input(error, "%s: is a %s, expected a %s", path, what, format);
    if (!x->file.sums)
        return laip_bad_input(error, "%s: is damaged: it has no checksums", path);
    const struct {
        const char *key;
        char **to;
    } texts[] = {{"folder", &x->folder}, {"checkpoint", &x->checkpoint}, {"fingerprint", &x->fingerprint}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = laip_safetensors_metadata(&x->file, texts[i].key);
        if (!text || (i != 1 && !*text))
            return laip_bad_input(error, "%s: is damaged: its metadata lack %s", path, texts[i].key);
        *texts[i].to = laip_strdup(text);
    }
    return true;
}

laip_status laip_index_open(laip_index **index, const char *path, laip_error *error)
{
    laip_error e;
    laip_index *x = laip_alloc(1, sizeof *x);
    *index = NULL;
    bool opened = laip_safetensors_open(&x->file, path, &e) || laip_error_prefix(&e, "no index");
    bool good = opened && read_metadata(x, path, &e) && read_tables(x, path, &e);
    if (good)
        *index = x;
    else
        laip_index_close(x);
    return laip_tell(good, &e, error);
}
