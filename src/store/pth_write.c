#include "store/pth_write.h"

#include "store/pickle_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADD(s, text) laip_str_add(s, text, sizeof(text) - 1)

static void add_number(laip_str *s, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        char byte = (char)(value >> (8 * i));
        laip_str_add(s, &byte, 1);
    }
}

static void add_string(laip_str *s, const char *text)
{
    ADD(s, "X");
    add_number(s, strlen(text), 4);
    laip_str_adds(s, text);
}

/* LONG1 of eight bytes: of any size. */
static void add_int(laip_str *s, size_t value)
{
    ADD(s, "\x8a\x08");
    add_number(s, value, 8);
}

static void add_tuple(laip_str *s, int rank, const size_t *values)
{
    ADD(s, "(");
    for (int i = 0; i < rank; i++)
        add_int(s, values[i]);
    ADD(s, "t");
}

size_t laip_pth_declare(laip_pth_writer *w, const char *name, laip_dtype type, int rank, const size_t *shape,
                        size_t shared)
{
    laip_str *o = &w->object;
    size_t storage = shared == SIZE_MAX ? w->storages++ : shared, count = 1, stride[LAIP_RANK] = {0};
    char key[24];
    snprintf(key, sizeof key, "%zu", storage);
    for (int i = rank; i-- > 0; count *= shape[i])
        stride[i] = count;
    add_string(o, name);
    ADD(o, "ctorch._utils\n_rebuild_tensor_v2\n((");
    add_string(o, "storage");
    laip_str_addf(o, "ctorch\n%s\n", laip_pickle_storage(type));
    add_string(o, key);
    add_string(o, "cpu");
    add_int(o, count);
    ADD(o, "NtQ");
    add_int(o, 0);
    add_tuple(o, rank, shape);
    add_tuple(o, rank, stride);
    ADD(o, "\x89"
           "ccollections\nOrderedDict\n)RtR");
    if (shared == SIZE_MAX)
        add_string(&w->keys, key);
    return storage;
}

static void release(laip_pth_writer *w)
{
    free(w->object.text);
    free(w->keys.text);
    *w = (laip_pth_writer){.storages = 0};
}

bool laip_pth_begin(laip_pth_writer *w, const char *path, laip_error *error)
{
    laip_str all = {0};
    if (!laip_file_begin(&w->file, path, error)) {
        release(w);
        return false;
    }
    /* magic number, protocol, system */
    ADD(&all, "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}(");
    add_string(&all, "protocol_version");
    ADD(&all, "M\xe9\3");
    add_string(&all, "little_endian");
    ADD(&all, "\x88");
    add_string(&all, "type_sizes");
    ADD(&all, "}(");
    add_string(&all, "short");
    ADD(&all, "K\2");
    add_string(&all, "int");
    ADD(&all, "K\4");
    add_string(&all, "long");
    ADD(&all, "K\4uu.\x80\2}");
    add_string(&all, "model");
    ADD(&all, "ccollections\nOrderedDict\n)R(");
    laip_str_add(&all, laip_str_text(&w->object), w->object.length);
    ADD(&all, "us.\x80\2](");
    laip_str_add(&all, laip_str_text(&w->keys), w->keys.length);
    ADD(&all, "e.");
    fwrite(all.text, 1, all.length, w->file.stream); /* laip_file_commit looks at ferror */
    free(all.text);
    return true;
}

void laip_pth_write(laip_pth_writer *w, const void *data, size_t elements, laip_dtype type)
{
    laip_str count = {0};
    add_number(&count, elements, 8);
    fwrite(count.text, 1, 8, w->file.stream);
    fwrite(data, laip_dtype_size(type), elements, w->file.stream);
    free(count.text);
}

bool laip_pth_end(laip_pth_writer *w, laip_error *error)
{
    bool good = laip_file_commit(&w->file, error);
    release(w);
    return good;
}

void laip_pth_cancel(laip_pth_writer *w)
{
    laip_file_cancel(&w->file);
    release(w);
}
