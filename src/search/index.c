#include "search/index.h"

#include "base/checksum.h"
#include "text/unicode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const laip_index_file_entry *)a)->name, ((const laip_index_file_entry *)b)->name);
}

/* Pictures in the order of their first file; those without one are dropped. */
static void order_pictures(laip_index *x)
{
    size_t *place = laip_alloc(x->picture_count, sizeof *place), count = 0; /* 1-based; 0: none yet */
    laip_index_picture_entry *sorted = laip_alloc(x->picture_count, sizeof *sorted);
    for (size_t i = 0; i < x->file_count; i++) {
        size_t *at = &place[x->files[i].picture];
        if (!*at) {
            sorted[count] = x->pictures[x->files[i].picture];
            sorted[count].count = 0;
            *at = ++count;
        }
        sorted[*at - 1].count++;
        x->files[i].picture = *at - 1;
    }
    free(x->pictures);
    free(place);
    x->pictures = sorted;
    x->picture_count = count;
}

void laip_index_arrange(laip_index *x)
{
    if (x->file_count)
        qsort(x->files, x->file_count, sizeof *x->files, by_name);
    order_pictures(x);
    free(x->names);
    x->names = laip_alloc(x->file_count, sizeof *x->names);
    laip_map_free(&x->by_hash);
    x->by_hash = (laip_map){0};
    for (size_t p = 0, first = 0; p < x->picture_count; p++) {
        x->pictures[p].first = first;
        first += x->pictures[p].count;
        x->pictures[p].count = 0;
        laip_map_set(&x->by_hash, (const char *)x->pictures[p].hash, 16, (int32_t)p);
    }
    for (size_t i = 0; i < x->file_count; i++) {
        laip_index_picture_entry *p = &x->pictures[x->files[i].picture];
        x->names[p->first + p->count++] = i;
    }
}

void laip_index_clear(laip_index *x)
{
    free(x->folder);
    free(x->checkpoint);
    free(x->fingerprint);
    free(x->pictures);
    free(x->files);
    free(x->names);
    laip_map_free(&x->by_hash);
    laip_arena_free(&x->names_arena);
    laip_arena_free(&x->features_arena);
    if (x->file.path)
        laip_safetensors_close(&x->file);
}

void laip_index_unload(laip_index *x)
{
    if (!x->engine)
        return;
    laip_engine_enter(x->engine);
    for (size_t i = 0; i < x->block_count; i++)
        laip_mem_release(x->blocks[i].mem);
    free(x->blocks);
    laip_mem_release(x->stream.mem);
    laip_mem_release(x->queries.mem);
    laip_mem_release(x->scores.mem);
    laip_engine_leave(x->engine);
    x->blocks = NULL;
    x->block_count = 0;
    x->engine = NULL;
    x->stream = x->queries = x->scores = (laip_mat){0};
}

void laip_index_close(laip_index *x)
{
    if (!x)
        return;
    laip_index_unload(x);
    laip_index_clear(x);
    free(x);
}

/* Its absolute name, which the index's file can hold; NULL: bad input. */
static char *absolute_folder(const char *folder, laip_error *error)
{
    char *absolute = realpath(folder, NULL);
    struct stat st;
    if (!absolute || stat(absolute, &st) != 0 || !S_ISDIR(st.st_mode))
        laip_bad_input(error, "%s: no such folder", folder);
    else if (!laip_utf8_valid(absolute, strlen(absolute)))
        laip_bad_input(error, "%s: the folder's own name is not UTF-8", absolute);
    else {
        char *own = laip_strdup(absolute);
        free(absolute);
        return own;
    }
    free(absolute);
    return NULL;
}

laip_status laip_index_create(laip_index **index, const laip_network *n, const char *folder,
                              laip_error *error)
{
    laip_error e;
    char *absolute = absolute_folder(folder, &e);
    *index = NULL;
    if (!absolute)
        return laip_tell(false, &e, error);
    laip_index *x = laip_alloc(1, sizeof *x);
    x->folder = absolute;
    x->checkpoint = laip_strdup(n->checkpoint);
    x->fingerprint = laip_strdup(n->fingerprint);
    x->embed = (size_t)n->config.model.embed;
    laip_index_arrange(x);
    *index = x;
    return LAIP_OK;
}

laip_status laip_index_move(laip_index *x, const char *folder, laip_error *error)
{
    laip_error e;
    char *absolute = absolute_folder(folder, &e);
    if (!absolute)
        return laip_tell(false, &e, error);
    free(x->folder);
    x->folder = absolute;
    return LAIP_OK;
}

void laip_index_describe(const laip_index *x, laip_index_info *info)
{
    laip_index_info own = {.pictures = x->picture_count,
                           .files = x->file_count,
                           .embed = x->embed,
                           .folder = x->folder,
                           .checkpoint = x->checkpoint,
                           .fingerprint = x->fingerprint};
    laip_give_info(info, &own, sizeof own);
}

laip_status laip_index_check(const laip_index *x, const laip_network *n, laip_error *error)
{
    laip_error e;
    bool good = strcmp(x->fingerprint, n->fingerprint) == 0 && x->embed == (size_t)n->config.model.embed;
    if (!good)
        laip_bad_input(&e,
                       "the index is stale: it was made with %s of fingerprint %s, %s is %s; index the "
                       "folder again into another file",
                       x->checkpoint, x->fingerprint, n->checkpoint, n->fingerprint);
    return laip_tell(good, &e, error);
}

bool laip_index_name_fits(const char *name)
{
    for (const char *part = name;; part++) {
        const char *end = part + strcspn(part, "/");
        size_t length = (size_t)(end - part);
        if (!length || (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        if (!*end)
            return true;
        part = end;
    }
}

/* All names that are new, or bad input for the first that is not. */
static bool check_names(const laip_index *x, const char *const *names, size_t count, laip_error *error)
{
    laip_map known = {0};
    int32_t at;
    bool good = true;
    for (size_t i = 0; i < x->file_count; i++)
        laip_map_set(&known, x->files[i].name, strlen(x->files[i].name), 0);
    for (size_t i = 0; good && i < count; i++) {
        size_t length = strlen(names[i]);
        if (!laip_index_name_fits(names[i]))
            good = laip_bad_input(error, "%.200s: expected a relative name without . and .. in it", names[i]);
        else if (laip_map_get(&known, names[i], length, &at))
            good = laip_bad_input(error, "%.200s: is in the index already", names[i]);
        laip_map_set(&known, names[i], length, 0);
    }
    laip_map_free(&known);
    return good;
}

/* By what it is told alone: features stand for the content. */
static void add(laip_index *x, const char *name, const float *features)
{
    float *own = laip_arena_alloc(&x->features_arena, x->embed, sizeof *own);
    laip_index_picture_entry p = {.features = own};
    memcpy(own, features, x->embed * sizeof *own);
    laip_checksum_wide(features, x->embed * sizeof *own, p.hash);
    int32_t known = (int32_t)x->picture_count;
    if (!laip_map_get(&x->by_hash, (const char *)p.hash, 16, &known)) {
        laip_map_set(&x->by_hash, (const char *)p.hash, 16, known);
        x->pictures[x->picture_count++] = p;
    }
    x->files[x->file_count++] = (laip_index_file_entry){
        .name = laip_arena_strndup(&x->names_arena, name, strlen(name)), .picture = (size_t)known};
}

laip_status laip_index_add(laip_index *x, const char *const *names, const float *features, size_t count,
                           laip_error *error)
{
    laip_error e;
    if (!check_names(x, names, count, &e))
        return laip_tell(false, &e, error);
    x->pictures = laip_realloc(x->pictures, x->picture_count + count, sizeof *x->pictures);
    x->files = laip_realloc(x->files, x->file_count + count, sizeof *x->files);
    for (size_t i = 0; i < count; i++)
        add(x, names[i], features + i * x->embed);
    laip_index_arrange(x);
    laip_index_unload(x);
    return LAIP_OK;
}

static laip_status no_picture(const laip_index *x, size_t picture, laip_error *error)
{
    laip_error e;
    laip_bad_input(&e, "picture %zu: the index has %zu", picture, x->picture_count);
    return laip_tell(false, &e, error);
}

laip_status laip_index_picture(const laip_index *x, size_t picture, laip_picture_view *view,
                               laip_error *error)
{
    if (picture >= x->picture_count)
        return no_picture(x, picture, error);
    const laip_index_picture_entry *p = &x->pictures[picture];
    const laip_index_file_entry *f = &x->files[x->names[p->first]];
    laip_picture_view own = {.name = f->name,
                             .names = p->count,
                             .width = p->size[0],
                             .height = p->size[1],
                             .bytes = (uint64_t)f->bytes,
                             .time = f->time};
    for (size_t i = 0; i < 16; i++)
        snprintf(own.id + 2 * i, 3, "%02x", p->hash[i]);
    laip_give_info(view, &own, sizeof own);
    return LAIP_OK;
}

const char *laip_index_name(const laip_index *x, size_t picture, size_t i)
{
    if (picture >= x->picture_count || i >= x->pictures[picture].count)
        return NULL;
    return x->files[x->names[x->pictures[picture].first + i]].name;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

laip_status laip_index_find(const laip_index *x, const char *id, size_t *picture, laip_error *error)
{
    laip_error e;
    char hash[16];
    int32_t at = -1;
    bool good = strlen(id) == 32;
    for (size_t i = 0; good && i < 16; i++) {
        int high = digit(id[2 * i]), low = digit(id[2 * i + 1]);
        good = high >= 0 && low >= 0;
        hash[i] = (char)(unsigned char)(high * 16 + low);
    }
    good = good && laip_map_get(&x->by_hash, hash, 16, &at);
    if (good)
        *picture = (size_t)at;
    else
        laip_bad_input(&e, "no picture of id %.40s in the index", id);
    return laip_tell(good, &e, error);
}
