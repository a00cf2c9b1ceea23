#include "programs/model_original.h"

#include "base/map.h"
#include "store/pth_write.h"
#include "store/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 300 };
typedef enum entry_kind { AS_IT_IS, WIDENED, NUMBERS, TIED } entry_kind;

typedef struct entry {
    char name[NAME];
    entry_kind kind;
    size_t from; /* a tensor of the source; the entry that it shares its storage with where tied */
    laip_dtype type;
    int rank;
    size_t shape[LAIP_RANK], storage;
} entry;

typedef struct list {
    const laip_original_source *source;
    entry *entries;
    size_t count, capacity;
    laip_map index; /* entries by name */
} list;

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static entry *find(const list *l, const char *name)
{
    int32_t at;
    return laip_map_get(&l->index, name, strlen(name), &at) ? &l->entries[at] : NULL;
}

static entry *add(list *l, const char *name, entry_kind kind, size_t from, const laip_tensor_entry *like)
{
    void *array = l->entries;
    laip_grow(&array, &l->capacity, l->count + 1, sizeof *l->entries);
    l->entries = array;
    entry *e = &l->entries[l->count];
    *e = (entry){.kind = kind, .from = from, .type = like->type, .rank = like->rank};
    memcpy(e->shape, like->shape, sizeof e->shape);
    snprintf(e->name, sizeof e->name, "%s", name);
    laip_map_set(&l->index, name, strlen(name), (int32_t)l->count++);
    return e;
}

/* The source's own; ids and places of queues are [1, Q] and [1] of 64 bits there. */
static void add_own(list *l)
{
    for (size_t i = 0; i < l->source->count; i++) {
        const laip_tensor_entry *t = &l->source->tensors[i];
        if (begins(t->name, "exp_avg.") || begins(t->name, "exp_avg_sq."))
            continue;
        bool ids = strcmp(t->name, "idx_queue") == 0;
        bool widened = (ids || strcmp(t->name, "queue_ptr") == 0) && t->type != LAIP_I64;
        entry *e = add(l, t->name, widened ? WIDENED : AS_IT_IS, i, t);
        if (widened)
            e->type = LAIP_I64;
        if (ids && e->rank == 1) {
            e->rank = 2;
            e->shape[1] = e->shape[0];
            e->shape[0] = 1;
        }
    }
}

static void add_momentum(list *l)
{
    static const char *const parts[] = {"visual_encoder.", "text_encoder.", "vision_proj.", "text_proj."};
    for (size_t i = 0, own = l->count; i < own; i++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            char name[NAME + 2];
            size_t n = strlen(parts[k]) - 1;
            if (!begins(l->entries[i].name, parts[k]))
                continue;
            snprintf(name, sizeof name, "%.*s_m%.290s", (int)n, parts[k], l->entries[i].name + n);
            if (!find(l, name)) {
                entry e = l->entries[i];
                laip_tensor_entry like = {.type = e.type, .rank = e.rank};
                memcpy(like.shape, e.shape, sizeof like.shape);
                add(l, name, e.kind, e.from, &like);
            }
        }
}

static void tie(list *l, const char *name, const char *to)
{
    const entry *e = find(l, to);
    if (!e || find(l, name))
        return;
    laip_tensor_entry like = {.type = e->type, .rank = e->rank};
    memcpy(like.shape, e->shape, sizeof like.shape);
    add(l, name, TIED, (size_t)(e - l->entries), &like);
}

static void add_derived(list *l, const char *encoder)
{
    char name[NAME], to[NAME];
    snprintf(name, sizeof name, "%s.cls.predictions.decoder.bias", encoder);
    snprintf(to, sizeof to, "%s.cls.predictions.bias", encoder);
    bool head = find(l, to) != NULL;
    tie(l, name, to);
    snprintf(name, sizeof name, "%s.cls.predictions.decoder.weight", encoder);
    snprintf(to, sizeof to, "%s.bert.embeddings.word_embeddings.weight", encoder);
    if (head)
        tie(l, name, to);
    snprintf(to, sizeof to, "%s.bert.embeddings.position_embeddings.weight", encoder);
    snprintf(name, sizeof name, "%s.bert.embeddings.position_ids", encoder);
    const entry *positions = find(l, to);
    if (positions && !find(l, name)) {
        laip_tensor_entry like = {.type = LAIP_I64, .rank = 2, .shape = {1, positions->shape[0]}};
        add(l, name, NUMBERS, 0, &like);
    }
}

static size_t count_of(const entry *e)
{
    size_t count = 1;
    for (int i = 0; i < e->rank; i++)
        count *= e->shape[i];
    return count;
}

static bool widen(const list *l, const entry *e, void *data, int64_t *values, laip_error *error)
{
    laip_tensor_entry t = l->source->tensors[e->from];
    int32_t *narrow = laip_alloc(count_of(e) + 1, sizeof *narrow);
    t.data = data;
    bool good = laip_tensor_ints(&t, narrow, error);
    for (size_t i = 0; good && i < count_of(e); i++)
        values[i] = narrow[i];
    free(narrow);
    return good;
}

static bool write_one(const list *l, laip_pth_writer *w, const entry *e, laip_error *error)
{
    void *data = NULL;
    int64_t *values = NULL;
    size_t count = count_of(e);
    bool good = true;
    if (e->kind == TIED)
        return true;
    if (e->kind != AS_IT_IS)
        values = laip_alloc(count + 1, sizeof *values);
    for (size_t i = 0; e->kind == NUMBERS && i < count; i++)
        values[i] = (int64_t)i;
    if (e->kind != NUMBERS)
        good = l->source->read(l->source->context, e->from, &data, error) &&
               (e->kind != WIDENED || widen(l, e, data, values, error));
    if (good)
        laip_pth_write(w, values ? (void *)values : data, count, e->type);
    free(values);
    free(data);
    return good;
}

bool laip_original_write(const char *path, const laip_original_source *source, size_t *written,
                         laip_error *error)
{
    list l = {.source = source};
    laip_pth_writer w = {.storages = 0};
    add_own(&l);
    add_momentum(&l);
    add_derived(&l, "text_encoder");
    add_derived(&l, "text_encoder_m");
    for (size_t i = 0; i < l.count; i++) {
        entry *e = &l.entries[i];
        char name[NAME];
        laip_weights_name_short(e->name, name);
        e->storage = laip_pth_declare(&w, source->shorter ? name : e->name, e->type, e->rank, e->shape,
                                      e->kind == TIED ? l.entries[e->from].storage : SIZE_MAX);
    }
    bool good = laip_pth_begin(&w, path, error), begun = good;
    for (size_t i = 0; good && i < l.count; i++)
        good = write_one(&l, &w, &l.entries[i], error);
    if (good)
        good = laip_pth_end(&w, error);
    else if (begun)
        laip_pth_cancel(&w);
    *written = l.count;
    laip_map_free(&l.index);
    free(l.entries);
    return good;
}
