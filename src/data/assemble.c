#include "data/assemble.h"

#include "base/log.h"
#include "base/rng.h"
#include "data/order.h"
#include <stdlib.h>
#include <string.h>

void laip_assembly_begin(laip_assembly *a, const laip_dataset *d, const laip_texts *t,
                         const laip_loader_options *o)
{
    a->dataset = d;
    a->texts = t;
    a->options = *o;
    a->cache = laip_alloc(d->picture_count, sizeof *a->cache);
    a->bad = laip_alloc(d->picture_count, sizeof *a->bad);
    atomic_init(&a->cached, 0);
    atomic_init(&a->skipped, 0);
    pthread_mutex_init(&a->order_lock, NULL);
    a->order = laip_alloc(d->caption_count, sizeof *a->order);
    a->epoch = UINT64_MAX;
}

static void forget(laip_image *kept)
{
    if (kept)
        laip_image_free(kept);
    free(kept);
}

void laip_assembly_end(laip_assembly *a)
{
    for (size_t i = 0; i < a->dataset->picture_count; i++)
        forget(atomic_load(&a->cache[i]));
    free((void *)a->cache);
    free((void *)a->bad);
    free(a->order);
    pthread_mutex_destroy(&a->order_lock);
}

size_t laip_assembly_skipped(const laip_assembly *a)
{
    return atomic_load(&a->skipped);
}

void laip_assembled_free(laip_assembled *out)
{
    laip_arena_free(&out->arena);
    *out = (laip_assembled){0};
}

/* The captions of a micro-batch: its place in the order of its epoch. */
static void choose(laip_assembly *a, uint64_t step, size_t micro, size_t *captions)
{
    const laip_loader_options *o = &a->options;
    size_t b = (size_t)o->batch, per_epoch = laip_loader_steps_per_epoch(a->dataset, o);
    uint64_t epoch = step / per_epoch;
    size_t first = ((size_t)(step % per_epoch) * (size_t)o->micro_batches + micro) * b;
    pthread_mutex_lock(&a->order_lock);
    if (a->epoch != epoch) {
        laip_order_make(a->order, a->dataset, a->texts, o->seed, epoch, b, o->group);
        a->epoch = epoch;
    }
    for (size_t i = 0; i < b; i++)
        captions[i] = a->order[first + i];
    pthread_mutex_unlock(&a->order_lock);
}

/* One that is damaged within can be used, but somebody should know. */
static bool whole(const laip_dataset *d, size_t picture, laip_image *out, laip_error *error)
{
    char *path = laip_dataset_file(d, picture);
    bool good = laip_image_load(path, !d->as_stored, out, error);
    if (good && out->damaged && !atomic_exchange(&d->pictures[picture].told, true))
        laip_warn("%s: the JPEG is damaged within, and read as far as that goes", path);
    free(path);
    return good;
}

static bool resized(const laip_dataset *d, size_t picture, int height, int width, laip_image *out,
                    laip_error *error)
{
    laip_image full;
    if (!whole(d, picture, &full, error))
        return false;
    laip_image_resize_as((laip_pillow)d->pillow, &full, 0, 0, full.width, full.height, height, width, out);
    laip_image_free(&full);
    return true;
}

bool laip_picture_planes(const laip_dataset *d, size_t picture, int height, int width, float *planes,
                         laip_error *error)
{
    laip_image image;
    if (!resized(d, picture, height, width, &image, error))
        return false;
    laip_image_normalise(&image, planes);
    laip_image_free(&image);
    return true;
}

/* Keeps the picture in memory for the next time where there is room; false: it stays the caller's. */
static bool keep(laip_assembly *a, size_t picture, const laip_image *image)
{
    laip_image *kept, *none = NULL;
    size_t bytes = 3 * (size_t)image->width * (size_t)image->height;
    if (atomic_fetch_add(&a->cached, bytes) + bytes <= a->options.cache_bytes) {
        kept = laip_alloc(1, sizeof *kept);
        *kept = *image;
        if (atomic_compare_exchange_strong(&a->cache[picture], &none, kept))
            return true;
        free(kept); /* another thread was quicker */
    }
    atomic_fetch_sub(&a->cached, bytes);
    return false;
}

static void copy_image(const laip_image *in, laip_image *out)
{
    size_t pixels = (size_t)in->width * (size_t)in->height;
    *out = (laip_image){.width = in->width, .height = in->height, .pixels = laip_alloc(pixels, 3)};
    memcpy(out->pixels, in->pixels, 3 * pixels);
}

/* The picture, resized, or a random part of it resized; out may be changed. */
static bool fetch(laip_assembly *a, size_t picture, laip_rng *r, laip_image *out, laip_error *error)
{
    const laip_loader_options *o = &a->options;
    bool parts = o->augment.resized_crop > 0 && o->augment.resized_crop < 1;
    const laip_image *kept = atomic_load(&a->cache[picture]);
    laip_image read = {0};
    if (!kept) {
        if (parts ? !whole(a->dataset, picture, &read, error)
                  : !resized(a->dataset, picture, o->height, o->width, &read, error))
            return false;
        if (keep(a, picture, &read))
            kept = atomic_load(&a->cache[picture]);
    }
    const laip_image *source = kept ? kept : &read;
    if (parts)
        laip_augment_resize(&o->augment, r, source, o->height, o->width, out);
    else if (kept)
        copy_image(kept, out);
    else {
        *out = read;
        return true;
    }
    if (!kept)
        laip_image_free(&read);
    return true;
}

static bool put_picture(laip_assembly *a, size_t caption, uint64_t step, float *planes, laip_error *error)
{
    const laip_loader_options *o = &a->options;
    laip_image image;
    laip_rng r = laip_rng_stream(o->seed, step, caption, LAIP_SITE_AUGMENT);
    if (!fetch(a, a->dataset->captions[caption].picture, &r, &image, error))
        return false;
    laip_augment_apply(&o->augment, &r, &image);
    laip_image_normalise(&image, planes);
    laip_image_free(&image);
    return true;
}

/* Copies tokens `from` of p to the end of ids; returns how many. */
static size_t copy_tokens(const laip_token_sequences *p, size_t from, int32_t *ids)
{
    size_t n = p->begin[from + 1] - p->begin[from];
    memcpy(ids, p->ids + p->begin[from], n * sizeof *ids);
    return n;
}

/* BERT's rule: 15 % of the tokens, 80 % of them masked, 10 % another token, 10 % left as they are. */
static void mask_tokens(const laip_loader_options *o, laip_rng *r, const int32_t *word, size_t n,
                        int32_t *ids, int32_t *target)
{
    for (size_t k = 0; k < n; k++) {
        target[k] = -1;
        if (word[k] < 0 || laip_rng_uniform(r) >= 0.15) /* [CLS] and [SEP] belong to no word */
            continue;
        target[k] = ids[k];
        double how = laip_rng_uniform(r);
        if (how < 0.8)
            ids[k] = o->mask;
        else if (how < 0.9)
            ids[k] = (int32_t)laip_rng_below(r, (uint32_t)o->vocab);
    }
}

/* Masks one word of a phrase, chosen uniformly: each of its tokens. */
static void mask_word(const laip_loader_options *o, laip_rng *r, const int32_t *word, size_t n, int32_t *ids,
                      int32_t *target)
{
    int32_t words = 0;
    for (size_t k = 0; k < n; k++)
        if (word[k] >= words)
            words = word[k] + 1;
    int32_t masked = words ? (int32_t)laip_rng_below(r, (uint32_t)words) : -1;
    for (size_t k = 0; k < n; k++) {
        target[k] = word[k] >= 0 && word[k] == masked ? ids[k] : -1;
        if (target[k] >= 0)
            ids[k] = o->mask;
    }
}

static void put_phrase(laip_assembly *a, laip_batch *x, size_t phrase, int owner, laip_rng *r)
{
    const laip_token_sequences *p = &a->texts->phrases;
    int32_t at = x->phrase_begin[x->phrases];
    size_t n = copy_tokens(p, phrase, x->phrase_ids + at);
    copy_tokens(p, phrase, x->phrase_masked + at);
    mask_word(&a->options, r, p->word + p->begin[phrase], n, x->phrase_masked + at, x->phrase_target + at);
    x->phrase_owner[x->phrases++] = owner;
    x->phrase_begin[x->phrases] = at + (int32_t)n;
}

static void put_phrases(laip_assembly *a, laip_batch *x, size_t caption, int owner, uint64_t step)
{
    const laip_loader_options *o = &a->options;
    size_t first = a->texts->first_phrase[caption], count = a->texts->first_phrase[caption + 1] - first, few;
    laip_rng r = laip_rng_stream(o->seed, step, caption, LAIP_SITE_PHRASE);
    few = o->phrases_per_caption ? (size_t)o->phrases_per_caption : count;
    for (size_t k = 0; k < count && few;
         k++) { /* each one left is taken with the chance that fills the number */
        if (laip_rng_below(&r, (uint32_t)(count - k)) >= few)
            continue;
        put_phrase(a, x, first + k, owner, &r);
        few--;
    }
}

static void *array(laip_assembled *out, size_t count, size_t size)
{
    return laip_arena_alloc(&out->arena, count + 1, size);
}

static void make_room(laip_assembly *a, laip_assembled *out)
{
    const laip_loader_options *o = &a->options;
    size_t b = (size_t)o->batch, pixels = 3 * (size_t)o->height * (size_t)o->width;
    laip_loader_sizes z = laip_loader_most(a->texts, o);
    laip_batch *x = &out->batch;
    x->size = o->batch;
    x->images = array(out, b * pixels, sizeof(float));
    x->sample = array(out, b, sizeof *x->sample);
    x->person = array(out, b, sizeof(int32_t));
    x->caption_begin = array(out, b, sizeof(int32_t));
    x->caption_ids = array(out, z.caption_rows, sizeof(int32_t));
    if (o->mlm) {
        x->caption_masked = array(out, z.caption_rows, sizeof(int32_t));
        x->caption_target = array(out, z.caption_rows, sizeof(int32_t));
    }
    x->phrase_owner = array(out, z.phrases, sizeof(int32_t));
    x->phrase_begin = array(out, z.phrases, sizeof(int32_t));
    x->phrase_ids = array(out, z.phrase_rows, sizeof(int32_t));
    x->phrase_masked = array(out, z.phrase_rows, sizeof(int32_t));
    x->phrase_target = array(out, z.phrase_rows, sizeof(int32_t));
}

/* Whether the run goes on without this picture, which is told and counted once. */
static bool pass_over(laip_assembly *a, size_t picture, const laip_error *error)
{
    enum { TOLD = 10 };
    if (!a->options.skip_bad || error->status != LAIP_BAD_INPUT)
        return false;
    if (atomic_exchange(&a->bad[picture], 1) == 0 && atomic_fetch_add(&a->skipped, 1) < TOLD)
        laip_warn("%s; passed over", error->text);
    return true;
}

/* The picture of sample i, or, where damaged ones are passed over, of the next caption whose picture can be
 * read. */
static bool settle_picture(laip_assembly *a, laip_batch *x, size_t i, size_t *caption, uint64_t step,
                           laip_error *error)
{
    const laip_dataset *d = a->dataset;
    size_t pixels = 3 * (size_t)a->options.height * (size_t)a->options.width;
    for (size_t tries = 0; tries < d->caption_count; tries++) {
        size_t picture = d->captions[*caption].picture;
        bool bad = atomic_load(&a->bad[picture]) != 0;
        if (!bad && put_picture(a, *caption, step, x->images + i * pixels, error))
            return true;
        if (!bad && !pass_over(a, picture, error))
            return false;
        *caption = (*caption + 1) % d->caption_count;
    }
    return laip_bad_input(error, "%s: none of the pictures can be read", d->root);
}

bool laip_assemble(laip_assembly *a, laip_assembled *out, uint64_t step, size_t micro, laip_error *error)
{
    const laip_loader_options *o = &a->options;
    size_t b = (size_t)o->batch;
    const laip_token_sequences *p = &a->texts->captions;
    laip_batch *x = &out->batch;
    if (!x->images)
        make_room(a, out);
    size_t *captions = laip_alloc(b, sizeof *captions);
    bool good = true;
    x->phrases = 0;
    choose(a, step, micro, captions);
    for (size_t i = 0; good && i < b; i++) {
        good = settle_picture(a, x, i, &captions[i], step, error);
        size_t c = captions[i], picture = a->dataset->captions[c].picture;
        x->sample[i] = c;
        x->person[i] = a->dataset->pictures[picture].person;
        int32_t at = x->caption_begin[i];
        size_t n = copy_tokens(p, c, x->caption_ids + at);
        if (o->mlm) {
            laip_rng r = laip_rng_stream(o->seed, step, c, LAIP_SITE_MLM);
            memcpy(x->caption_masked + at, x->caption_ids + at, n * sizeof(int32_t));
            mask_tokens(o, &r, p->word + p->begin[c], n, x->caption_masked + at, x->caption_target + at);
        }
        x->caption_begin[i + 1] = at + (int32_t)n;
        if (o->phrases)
            put_phrases(a, x, c, (int)i, step);
    }
    free(captions);
    return good;
}
