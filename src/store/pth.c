#include "store/pth_internal.h"

#include "base/file.h"
#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

static const unsigned char magic_number[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
enum { PROTOCOL = 1001, PARTS = 5 };

bool laip_pth_is(const void *data, size_t size)
{
    const unsigned char *p = data;
    /* a zip; or a pickle of protocol 2 to 5 (the magic number may be framed), which JSON never begins with */
    return size > 4 && (memcmp(p, "PK\3\4", 4) == 0 || (p[0] == 0x80 && p[1] >= 2 && p[1] <= 5));
}

static bool member(const laip_pth *p, const char *name, zip_int64_t *index, size_t *size)
{
    zip_stat_t stat;
    char whole[1200];
    snprintf(whole, sizeof whole, "%s%s", p->prefix, name);
    *index = zip_name_locate(p->zip, whole, 0);
    if (*index < 0 || zip_stat_index(p->zip, (zip_uint64_t)*index, 0, &stat) || !(stat.valid & ZIP_STAT_SIZE))
        return false;
    *size = (size_t)stat.size;
    return *size <= p->size; /* PyTorch compresses nothing: more would be a trap */
}

static bool read_member(const laip_pth *p, const char *name, zip_int64_t index, unsigned char *out,
                        size_t size, laip_error *error)
{
    zip_file_t *f = zip_fopen_index(p->zip, (zip_uint64_t)index, 0);
    size_t done = 0;
    for (zip_int64_t got = 1; f && got > 0 && done<size; done += got> 0 ? (size_t)got : 0)
        got = zip_fread(f, out + done, size - done);
    unsigned char more;
    bool good = f && done == size && zip_fread(f, &more, 1) == 0; /* the end: the checksum is looked at */
    if (f)
        zip_fclose(f);
    return good || laip_bad_input(error, "%s: %s%s: is damaged: %zu of %zu bytes, or a wrong checksum",
                                  p->path, p->prefix, name, done, size);
}

/* The folder of the archive that data.pkl is in: "archive/". */
static bool find_prefix(laip_pth *p, laip_error *error)
{
    zip_int64_t count = zip_get_num_entries(p->zip, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(p->zip, (zip_uint64_t)i, 0);
        size_t n = name ? strlen(name) : 0;
        if (n >= 8 && n < 1000 && strcmp(name + n - 8, "data.pkl") == 0 && (n == 8 || name[n - 9] == '/')) {
            p->prefix = laip_arena_strndup(&p->arena, name, n - 8);
            return true;
        }
    }
    return laip_bad_input(error, "%s: is a zip without data.pkl, expected one written by PyTorch", p->path);
}

static bool open_zip(laip_pth *p, laip_pickle *main, laip_error *error)
{
    zip_int64_t index;
    size_t size;
    char order[8] = "";
    int code = 0;
    p->zip = zip_open(p->path, ZIP_RDONLY, &code);
    if (!p->zip)
        return laip_bad_input(error, "%s: is a damaged zip (libzip's error %d)", p->path, code);
    if (!find_prefix(p, error))
        return false;
    if (member(p, "byteorder", &index, &size) && size < sizeof order) {
        if (!read_member(p, "byteorder", index, (unsigned char *)order, size, error))
            return false;
        if (strcmp(order, "little") != 0)
            return laip_bad_input(error, "%s: has byte order %s, expected little", p->path, order);
    }
    if (!member(p, "data.pkl", &index, &size) || size > LAIP_PICKLE_BYTES)
        return laip_bad_input(error, "%s: data.pkl has more than %d bytes", p->path, LAIP_PICKLE_BYTES);
    unsigned char *pickle = laip_alloc(size + 1, 1);
    bool good = read_member(p, "data.pkl", index, pickle, size, error) &&
                laip_pickle_read(pickle, size, p->path, 0, &p->arena, main, error);
    free(pickle);
    return good;
}

/* The storages behind the pickles: each its number of elements, then these.  `named` says their types. */
static bool list_storages(laip_pth *p, const laip_pickle_node *keys, const laip_pickle_node *named, size_t at,
                          laip_error *error)
{
    laip_map types = {0};
    bool good =
        keys->kind == LAIP_PICKLE_LIST || laip_bad_input(error, "%s: the list of storages is none", p->path);
    size_t count = good ? keys->length : 0;
    p->keys = laip_arena_alloc(&p->arena, count + 1, sizeof *p->keys);
    p->offsets = laip_arena_alloc(&p->arena, count + 1, sizeof *p->offsets);
    p->lengths = laip_arena_alloc(&p->arena, count + 1, sizeof *p->lengths);
    for (size_t i = 0; i < named->length; i++)
        if (named->items[i]->kind == LAIP_PICKLE_STORAGE)
            laip_map_set(&types, named->items[i]->text, strlen(named->items[i]->text), named->items[i]->type);
    for (size_t i = 0; good && i < count; i++) {
        uint64_t elements = 0;
        int32_t type = 0;
        const laip_pickle_node *key = keys->items[i];
        good = (key->kind == LAIP_PICKLE_STRING && laip_map_get(&types, key->text, key->length, &type) &&
                p->size - at >= 8) ||
               laip_bad_input(error, "%s: storage %zu of %zu is not there, or of an unknown type", p->path, i,
                              count);
        if (!good)
            break;
        size_t width = laip_dtype_size((laip_dtype)type);
        if (!laip_file_read_at(p->fd, p->path, at, &elements, 8, error)) {
            good = false;
            break;
        }
        at += 8;
        good = elements <= (p->size - at) / width ||
               laip_bad_input(error, "%s: storage %s has %llu elements, more than the file", p->path,
                              key->text, (unsigned long long)elements);
        p->keys[i] = key->text;
        p->offsets[i] = at;
        p->lengths[i] = (size_t)elements;
        at += good ? (size_t)elements * width : 0;
        p->storages++;
    }
    laip_map_free(&types);
    return good;
}

/* Whether the first pickles of the older form are those that PyTorch begins with. */
static bool is_torch(const laip_pth *p, int part, const laip_pickle_node *n, laip_error *error)
{
    if (part == 0 && (n->kind != LAIP_PICKLE_BIG || n->length != sizeof magic_number ||
                      memcmp(n->text, magic_number, sizeof magic_number) != 0))
        return laip_bad_input(error, "%s: is a pickle, but not of PyTorch's: its magic number is not there",
                              p->path);
    if (part == 1 && (n->kind != LAIP_PICKLE_INT || n->integer != PROTOCOL))
        return laip_bad_input(error, "%s: is of another protocol of PyTorch's than %d", p->path, PROTOCOL);
    const laip_pickle_node *little = part == 2 ? laip_pickle_get(n, "little_endian") : NULL;
    if (little && little->kind == LAIP_PICKLE_BOOL && !little->integer)
        return laip_bad_input(error, "%s: was written big-endian, expected little", p->path);
    return true;
}

/* The pickles of the older form, one after another: magic number, protocol, system, the object, keys. */
static bool open_stream(laip_pth *p, laip_pickle *part, size_t *at, laip_error *error)
{
    size_t size = p->size < LAIP_PICKLE_BYTES ? p->size : LAIP_PICKLE_BYTES; /* of all of them */
    char *pickles = laip_alloc(size + 1, 1);
    bool good = laip_file_read_at(p->fd, p->path, 0, pickles, size, error);
    *at = 0;
    for (int i = 0; good && i < PARTS; i++) {
        good = laip_pickle_read(pickles + *at, size - *at, p->path, *at, &p->arena, &part[i], error) &&
               is_torch(p, i, part[i].root, error);
        *at += part[i].bytes;
    }
    free(pickles);
    return good;
}

static bool list_tensors(laip_pth *p, const laip_pickle_node *dict, laip_error *error)
{
    laip_map seen = {0};
    int32_t other;
    bool good = true;
    p->tensors = laip_arena_alloc(&p->arena, dict->length / 2 + 1, sizeof *p->tensors);
    p->places = laip_arena_alloc(&p->arena, dict->length / 2 + 1, sizeof *p->places);
    for (size_t i = 0; good && i + 1 < dict->length; i += 2) {
        const laip_pickle_node *key = dict->items[i], *value = dict->items[i + 1];
        if (key->kind == LAIP_PICKLE_FOREIGN || value->kind == LAIP_PICKLE_FOREIGN) {
            good = laip_bad_input(error, "%s: %s%s%s is of type %s, expected tensors alone", p->path, p->key,
                                  *p->key ? "." : "", key->kind == LAIP_PICKLE_STRING ? key->text : "a key",
                                  key->kind == LAIP_PICKLE_FOREIGN ? key->text : value->text);
            continue;
        }
        if (key->kind != LAIP_PICKLE_STRING || value->kind != LAIP_PICKLE_TENSOR) {
            p->others++;
            continue;
        }
        if (laip_map_get(&seen, key->text, key->length, &other))
            good = laip_bad_input(error, "%s: has %s twice", p->path, key->text);
        laip_map_set(&seen, key->text, key->length, 1);
        laip_tensor_entry *t = &p->tensors[p->count];
        p->places[p->count++] = value->tensor;
        *t = (laip_tensor_entry){.name = laip_arena_strndup(&p->arena, key->text, key->length),
                                 .type = value->type,
                                 .rank = value->tensor->rank,
                                 .count = 1};
        for (int k = 0; k < t->rank; k++)
            t->count *= t->shape[k] = value->tensor->shape[k];
    }
    laip_map_free(&seen);
    return good && (p->count || laip_bad_input(error, "%s: holds no tensors", p->path));
}

bool laip_pth_open(laip_pth *p, const char *path, const char *key, laip_error *error)
{
    laip_pickle part[PARTS] = {{0}};
    size_t at = 0;
    char first[4] = "";
    *p = (laip_pth){.path = laip_strdup(path), .fd = -1};
    bool good = laip_file_open(path, &p->fd, &p->size, error) &&
                laip_file_read_at(p->fd, path, 0, first, p->size < 4 ? p->size : 4, error);
    bool zip = good && memcmp(first, "PK\3\4", 4) == 0;
    const laip_pickle_node *dict = NULL;
    const laip_pickle *object = zip ? &part[0] : &part[3];
    good = good && (zip ? open_zip(p, &part[0], error) : open_stream(p, part, &at, error)) &&
           laip_pth_choose(p, object->root, key, &dict, error) && list_tensors(p, dict, error) &&
           (zip || list_storages(p, part[4].root, object->storages, at, error));
    if (!good)
        laip_pth_close(p);
    return good;
}

void laip_pth_close(laip_pth *p)
{
    if (p->zip)
        zip_discard(p->zip);
    if (p->path && p->fd >= 0)
        close(p->fd);
    laip_arena_free(&p->arena);
    free(p->path);
    free(p->held);
    *p = (laip_pth){0};
}

/* A storage's place in a file of the older form, by its number there; p->storages: none of this key. */
static size_t find_storage(const laip_pth *p, const laip_pickle_node *s)
{
    size_t i = 0;
    while (i < p->storages && strcmp(p->keys[i], s->text) != 0)
        i++;
    return i;
}

/* The bytes of a storage, of which `size` are needed. */
static const unsigned char *storage_bytes(laip_pth *p, const laip_pickle_node *s, size_t size,
                                          laip_error *error)
{
    zip_int64_t index = 0;
    size_t have = 0, i = p->zip ? 0 : find_storage(p, s);
    char name[300];
    snprintf(name, sizeof name, "%s%.200s", p->zip ? "data/" : "", s->text);
    bool there = p->zip ? member(p, name, &index, &have) : i < p->storages;
    if (there && !p->zip)
        have = p->lengths[i] * laip_dtype_size(s->type);
    if (!there || have < size) {
        laip_bad_input(error, "%s: storage %s%s is not there, or too short", p->path,
                       p->prefix ? p->prefix : "", name);
        return NULL;
    }
    if (p->held_key && strcmp(p->held_key, s->text) == 0 && p->held_bytes >= size)
        return p->held;
    free(p->held);
    p->held_key = NULL;
    p->held = laip_alloc(have + 1, 1);
    if (!(p->zip ? read_member(p, name, index, p->held, have, error)
                 : laip_file_read_at(p->fd, p->path, p->offsets[i], p->held, have, error)))
        return NULL;
    p->held_key = s->text;
    p->held_bytes = have;
    return p->held;
}

static void copy_strided(const laip_pickle_tensor *t, const unsigned char *from, size_t width,
                         unsigned char *out, size_t count)
{
    size_t index[LAIP_RANK] = {0};
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        for (int k = 0; k < t->rank; k++)
            at += index[k] * t->stride[k];
        memcpy(out + i * width, from + at * width, width);
        for (int k = t->rank; k-- > 0 && ++index[k] == t->shape[k];)
            index[k] = 0;
    }
}

bool laip_pth_read(laip_pth *p, size_t tensor, void *out, laip_error *error)
{
    const laip_tensor_entry *e = &p->tensors[tensor];
    const laip_pickle_tensor *t = p->places[tensor];
    const laip_pickle_node *s = t->storage;
    size_t width = laip_dtype_size(e->type), first = (size_t)s->integer;
    if (!e->count)
        return true;
    const unsigned char *bytes = storage_bytes(p, s, (first + s->length) * width, error);
    if (!bytes)
        return false;
    bool dense = true;
    for (size_t k = (size_t)t->rank, step = 1; k-- > 0; step *= t->shape[k])
        dense = dense && (t->shape[k] == 1 || t->stride[k] == step);
    bytes += (first + t->first) * width;
    if (dense)
        memcpy(out, bytes, e->count * width);
    else
        copy_strided(t, bytes, width, out, e->count);
    return true;
}
