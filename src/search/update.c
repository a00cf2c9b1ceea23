/* An index brought up to date with its folder: files known by name, size and time are left alone, others are
 * read and known by their content, and what is new goes through the network a batch at a time, while the next
 * batch is read. */
#include "search/index.h"

#include "base/checksum.h"
#include "base/log.h"
#include "base/parallel.h"
#include "search/journal.h"
#include "search/walk.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define UNDECIDED SIZE_MAX
#define LARGEST ((int64_t)1 << 30) /* bytes of a picture's file */

/* What is known of a name. */
typedef struct fact {
    int64_t bytes, time;
    size_t picture;
    bool seen, journal;
} fact;

typedef enum verdict { OTHER, UNREADABLE, KNOWN, NEW } verdict;

/* A file that is looked into. */
typedef struct slot {
    laip_found *file;
    verdict verdict;
    uint8_t hash[16];
    int32_t size[2];
    laip_error error;
} slot;

typedef struct batch {
    struct updater *u;
    slot *slots;
    size_t count;
    float *planes;
} batch;

typedef struct updater {
    laip_index *x;
    laip_network *n;
    laip_update_options o;
    laip_update_report report;
    laip_walk walk;
    pthread_mutex_t lock; /* of pictures and by_hash, which batches are read against */
    laip_index_picture_entry *pictures;
    size_t picture_count, picture_capacity;
    laip_map by_hash, by_name;
    fact *facts;
    size_t fact_count, fact_capacity;
    laip_journal journal;
    size_t done, next;
    double start;
} updater;

static bool find_picture(updater *u, const uint8_t hash[16], size_t *picture)
{
    int32_t at;
    pthread_mutex_lock(&u->lock);
    bool there = laip_map_get(&u->by_hash, (const char *)hash, 16, &at);
    pthread_mutex_unlock(&u->lock);
    if (there)
        *picture = (size_t)at;
    return there;
}

static size_t add_picture(updater *u, const laip_index_picture_entry *p)
{
    void *array = u->pictures;
    pthread_mutex_lock(&u->lock);
    laip_grow(&array, &u->picture_capacity, u->picture_count + 1, sizeof *u->pictures);
    u->pictures = array;
    u->pictures[u->picture_count] = *p;
    laip_map_set(&u->by_hash, (const char *)p->hash, 16, (int32_t)u->picture_count);
    pthread_mutex_unlock(&u->lock);
    return u->picture_count++;
}

static void add_fact(updater *u, const char *name, fact f)
{
    void *array = u->facts;
    laip_grow(&array, &u->fact_capacity, u->fact_count + 1, sizeof *u->facts);
    u->facts = array;
    u->facts[u->fact_count] = f;
    laip_map_set(&u->by_name, name, strlen(name), (int32_t)u->fact_count++);
}

static const float *keep_features(updater *u, const float *features)
{
    float *own = laip_arena_alloc(&u->x->features_arena, u->x->embed, sizeof *own);
    memcpy(own, features, u->x->embed * sizeof *own);
    return own;
}

static void from_journal(void *context, const laip_journal_record *r)
{
    updater *u = context;
    size_t at;
    if (!find_picture(u, r->hash, &at)) {
        laip_index_picture_entry p = {.size = {r->size[0], r->size[1]},
                                      .features = keep_features(u, r->features)};
        memcpy(p.hash, r->hash, 16);
        at = add_picture(u, &p);
    }
    int32_t old; /* a name of the index that has another content now is still one that it had */
    bool known = laip_map_get(&u->by_name, r->name, strlen(r->name), &old);
    if (known)
        u->facts[old].seen = true;
    add_fact(u, r->name, (fact){.bytes = r->bytes, .time = r->time, .picture = at, .journal = true});
}

static void learn_index(updater *u)
{
    for (size_t i = 0; i < u->x->picture_count; i++)
        add_picture(u, &u->x->pictures[i]);
    for (size_t i = 0; i < u->x->file_count; i++) {
        const laip_index_file_entry *f = &u->x->files[i];
        add_fact(u, f->name, (fact){.bytes = f->bytes, .time = f->time, .picture = f->picture});
    }
}

/* Files that are as they were. */
static void recognise_by_name(updater *u)
{
    for (size_t i = 0; i < u->walk.count; i++) {
        laip_found *f = &u->walk.files[i];
        int32_t at;
        f->known = UNDECIDED;
        if (!laip_map_get(&u->by_name, f->name, strlen(f->name), &at))
            continue;
        fact *known = &u->facts[at];
        known->seen = true;
        if (known->bytes != f->bytes || known->time != f->time)
            continue;
        f->known = known->picture;
        *(known->journal ? &u->report.resumed : &u->report.unchanged) += 1;
        u->done++;
    }
    for (size_t i = 0; i < u->fact_count; i++)
        u->report.gone += !u->facts[i].seen && !u->facts[i].journal;
}

static bool named_as_picture(const char *name)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
        if (strcasecmp(dot, ends[i]) == 0)
            return true;
    return false;
}

/* The file's bytes when its first ones are a picture's; else the slot says what it is. */
static bool read_slot(const updater *u, slot *s, char **data, size_t *size)
{
    char first[8];
    laip_found *f = s->file;
    int fd = laip_open_below(u->x->folder, f->name);
    ssize_t n = fd >= 0 ? pread(fd, first, sizeof first, 0) : -1;
    s->verdict = UNREADABLE;
    if (n >= 0 && !laip_picture_type(first, (size_t)n)) {
        if (named_as_picture(f->name))
            laip_bad_input(&s->error, "%.500s: is no JPEG or PNG, whatever its name says", f->name);
        else
            s->verdict = OTHER;
        close(fd);
        return false;
    }
    if (n >= 0 && f->bytes > LARGEST) {
        laip_bad_input(&s->error, "%.500s: has %lld bytes, at most %lld are read", f->name,
                       (long long)f->bytes, (long long)LARGEST);
        close(fd);
        return false;
    }
    if (n < 0 && fd >= 0)
        close(fd);
    if (n >= 0 && laip_read_open(fd, data, size, &f->bytes, &f->time))
        return true;
    laip_bad_input(&s->error, "%.500s: cannot be read: %s", f->name, strerror(errno));
    return false;
}

static void look_into(void *context, size_t i)
{
    batch *b = context;
    updater *u = b->u;
    slot *s = &b->slots[i];
    char *data;
    size_t size;
    laip_image image;
    if (!read_slot(u, s, &data, &size))
        return;
    laip_checksum_wide(data, size, s->hash);
    if (find_picture(u, s->hash, &s->file->known))
        s->verdict = KNOWN;
    else if (laip_image_decode(data, size, s->file->name, true, &image, &s->error)) {
        s->verdict = NEW;
        s->size[0] = image.width;
        s->size[1] = image.height;
        laip_network_planes(u->n, &image, b->planes + i * u->n->planes);
        laip_image_free(&image);
    }
    free(data);
}

static void *read_batch(void *context)
{
    batch *b = context;
    laip_parallel_for(b->count, b->u->n->engine->threads, look_into, b);
    return NULL;
}

/* The next files that are undecided. */
static void fill_batch(updater *u, batch *b)
{
    b->count = 0;
    for (; u->next < u->walk.count && b->count < u->n->batch; u->next++)
        if (u->walk.files[u->next].known == UNDECIDED)
            b->slots[b->count++] = (slot){.file = &u->walk.files[u->next]};
}

static void note_encoded(updater *u, slot *s, const float *features)
{
    laip_index_picture_entry p = {.size = {s->size[0], s->size[1]}, .features = keep_features(u, features)};
    memcpy(p.hash, s->hash, 16);
    s->file->known = add_picture(u, &p);
    u->report.encoded++;
    laip_journal_record r = {.size = {s->size[0], s->size[1]},
                             .bytes = s->file->bytes,
                             .time = s->file->time,
                             .name = s->file->name,
                             .features = p.features};
    memcpy(r.hash, s->hash, 16);
    if (u->o.journal)
        laip_journal_add(&u->journal, &r);
}

/* What is new of the batch through the network; of equal ones in it only the first. */
static bool encode_batch(updater *u, batch *b, laip_error *error)
{
    size_t some = 0, floats = u->n->planes;
    size_t *which = laip_alloc(b->count, sizeof *which);
    for (size_t i = 0; i < b->count; i++) {
        bool repeated = false;
        for (size_t j = 0; j < some; j++)
            repeated |= memcmp(b->slots[which[j]].hash, b->slots[i].hash, 16) == 0;
        if (b->slots[i].verdict != NEW || repeated ||
            find_picture(u, b->slots[i].hash, &b->slots[i].file->known))
            continue;
        if (some != i)
            memmove(b->planes + some * floats, b->planes + i * floats, floats * sizeof(float));
        which[some++] = i;
    }
    float *features = laip_alloc(some, u->x->embed * sizeof *features);
    laip_network_enter(u->n);
    bool good = laip_network_encode(u->n, b->planes, some, features, error);
    laip_network_leave(u->n);
    for (size_t j = 0; good && j < some; j++)
        note_encoded(u, &b->slots[which[j]], features + j * u->x->embed);
    for (size_t i = 0; good && i < b->count; i++) {
        slot *s = &b->slots[i];
        bool repeated = s->verdict == NEW && find_picture(u, s->hash, &s->file->known);
        for (size_t j = 0; j < some; j++)
            repeated &= which[j] != i;
        u->report.recognised += s->verdict == KNOWN || repeated;
    }
    free(features);
    free(which);
    return good && (!u->o.journal || laip_journal_write(&u->journal, u->o.journal, error));
}

static bool tell_progress(updater *u, laip_error *error)
{
    laip_index_progress p = {.size = sizeof p,
                             .done = u->done,
                             .total = u->walk.count,
                             .encoded = u->report.encoded,
                             .seconds = laip_seconds() - u->start};
    return !u->o.progress || u->o.progress(u->o.user, &p) == 0 ||
           laip_failure(error, "stopped after %zu of %zu files", u->done, u->walk.count);
}

static bool finish_batch(updater *u, batch *b, laip_error *error)
{
    for (size_t i = 0; i < b->count; i++) {
        const slot *s = &b->slots[i];
        u->report.others += s->verdict == OTHER;
        u->report.unreadable += s->verdict == UNREADABLE;
        if (s->verdict == UNREADABLE && u->o.unreadable)
            u->o.unreadable(u->o.user, s->error.text);
    }
    bool good = encode_batch(u, b, error);
    u->done += b->count;
    return good && tell_progress(u, error);
}

static bool go_through(updater *u, laip_error *error)
{
    batch batches[2];
    bool good = true;
    for (int i = 0; i < 2; i++)
        batches[i] = (batch){.u = u,
                             .slots = laip_alloc(u->n->batch, sizeof(slot)),
                             .planes = laip_alloc(u->n->batch * u->n->planes, sizeof(float))};
    fill_batch(u, &batches[0]);
    read_batch(&batches[0]);
    for (int now = 0; good && batches[now].count; now = !now) {
        pthread_t reader;
        batch *next = &batches[!now];
        fill_batch(u, next);
        bool apart = next->count && pthread_create(&reader, NULL, read_batch, next) == 0;
        good = finish_batch(u, &batches[now], error);
        if (apart)
            pthread_join(reader, NULL);
        else
            read_batch(next);
    }
    for (int i = 0; i < 2; i++) {
        free(batches[i].slots);
        free(batches[i].planes);
    }
    return good;
}

/* The index's tables become those of what was found. */
static void take_over(updater *u)
{
    laip_index *x = u->x;
    laip_arena old = x->names_arena;
    laip_index_file_entry *files = laip_alloc(u->walk.count, sizeof *files);
    size_t count = 0;
    for (size_t i = 0; i < u->walk.count; i++) {
        const laip_found *f = &u->walk.files[i];
        if (f->known != UNDECIDED)
            files[count++] = (laip_index_file_entry){f->name, f->bytes, f->time, f->known};
    }
    free(x->files);
    free(x->pictures);
    x->files = files;
    x->file_count = count;
    x->pictures = u->pictures;
    x->picture_count = u->picture_count;
    x->names_arena = u->walk.names;
    u->pictures = NULL;
    u->walk.names = (laip_arena){NULL};
    laip_arena_free(&old);
    laip_index_arrange(x);
    laip_index_unload(x);
}

static bool update(updater *u, laip_error *error)
{
    learn_index(u);
    if (u->o.journal && !laip_journal_open(&u->journal, u->o.journal, u->x, from_journal, u, error))
        return false;
    if (!laip_walk_folder(&u->walk, u->x->folder, u->o.unreadable, u->o.user, error))
        return false;
    if (!u->walk.count && u->x->file_count)
        return laip_bad_input(error, "%s: has no files, and the index %zu: remove the index if that is meant",
                              u->x->folder, u->x->file_count);
    recognise_by_name(u);
    if (!tell_progress(u, error) || !go_through(u, error))
        return false;
    take_over(u);
    return true;
}

laip_status laip_index_update(laip_index *x, laip_network *n, const laip_update_options *options,
                              laip_update_report *report, laip_error *error)
{
    updater u = {.x = x, .n = n, .journal = {.fd = -1}, .start = laip_seconds()};
    laip_error e;
    u.o.size = sizeof u.o;
    if (!laip_take_options(&u.o, sizeof u.o, options, &e) || laip_index_check(x, n, &e) != LAIP_OK)
        return laip_tell(false, &e, error);
    pthread_mutex_init(&u.lock, NULL);
    bool good = update(&u, &e);
    u.report.seconds = laip_seconds() - u.start;
    if (report)
        laip_give_info(report, &u.report, sizeof u.report);
    laip_journal_close(&u.journal);
    laip_walk_free(&u.walk);
    laip_map_free(&u.by_hash);
    laip_map_free(&u.by_name);
    free(u.pictures);
    free(u.facts);
    pthread_mutex_destroy(&u.lock);
    return laip_tell(good, &e, error);
}

void laip_index_forget_journal(const char *journal)
{
    unlink(journal);
}
