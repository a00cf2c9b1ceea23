#include "data/assemble.h"

#include "base/log.h"
#include "base/rng.h"
#include <stdlib.h>
#include <string.h>

void laip_assembly_begin(laip_assembly *a, const laip_dataset *d, const laip_texts *t,
                         const laip_loader_options *o)
{
    a->dataset = d;
    a->texts = t;
    a->options = *o;
    a->cache = laip_alloc(d->picture_count, sizeof *a->cache);
    atomic_init(&a->cached, 0);
    atomic_init(&a->skipped, 0);
    pthread_mutex_init(&a->order_lock, NULL);
    a->order = laip_alloc(d->caption_count, sizeof *a->order);
    a->epoch = UINT64_MAX;
}

void laip_assembly_end(laip_assembly *a)
{
    for (size_t i = 0; i < a->dataset->picture_count; i++)
        free(atomic_load(&a->cache[i]));
    free((void *)a->cache);
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
        uint32_t n = (uint32_t)a->dataset->caption_count;
        laip_rng r = laip_rng_stream(o->seed, epoch, 0, LAIP_SITE_ORDER);
        for (uint32_t i = 0; i < n; i++)
            a->order[i] = i;
        laip_rng_shuffle(&r, a->order, n);
        a->epoch = epoch;
    }
    for (size_t i = 0; i < b; i++)
        captions[i] = a->order[first + i];
    pthread_mutex_unlock(&a->order_lock);
}

static bool resized(const laip_dataset *d, size_t picture, int height, int width, laip_image *out,
                    laip_error *error)
{
    laip_image full;
    char *path = laip_dataset_file(d, picture);
    bool good = laip_image_load(path, true, &full, error);
    free(path);
    if (!good)
        return false;
    laip_image_resize(&full, height, width, out);
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

/* A copy of the resized picture, from the cache where it is there. */
static bool fetch(laip_assembly *a, size_t picture, laip_image *out, laip_error *error)
{
    int h = a->options.height, w = a->options.width;
    size_t bytes = 3 * (size_t)h * (size_t)w;
    uint8_t *kept = atomic_load(&a->cache[picture]), *none = NULL;
    if (!kept) {
        if (!resized(a->dataset, picture, h, w, out, error))
            return false;
        if (atomic_load(&a->cached) + bytes > a->options.cache_bytes)
            return true;
        uint8_t *copy = laip_alloc(bytes, 1);
        memcpy(copy, out->pixels, bytes);
        if (atomic_compare_exchange_strong(&a->cache[picture], &none, copy))
            atomic_fetch_add(&a->cached, bytes);
        else
            free(copy); /* another thread was quicker */
        return true;
    }
    *out = (laip_image){.width = w, .height = h, .pixels = laip_alloc(bytes, 1)};
    memcpy(out->pixels, kept, bytes);
    return true;
}

/* Shifts the picture by up to `pad` pixels each way; what comes in from outside is black, as after zero
 * padding. */
static void pad_and_crop(laip_image *image, int pad, laip_rng *r)
{
    int dx = (int)laip_rng_below(r, 2 * (uint32_t)pad + 1) - pad,
        dy = (int)laip_rng_below(r, 2 * (uint32_t)pad + 1) - pad;
    size_t stride = 3 * (size_t)image->width;
    uint8_t *out = laip_alloc((size_t)image->height, stride);
    for (int y = 0; y < image->height; y++) {
        int from = y + dy, left = dx < 0 ? -dx : 0, count = image->width - abs(dx);
        if (from >= 0 && from < image->height && count > 0)
            memcpy(out + (size_t)y * stride + 3 * (size_t)left,
                   image->pixels + (size_t)from * stride + 3 * (size_t)(left + dx), 3 * (size_t)count);
    }
    free(image->pixels);
    image->pixels = out;
}

static bool put_picture(laip_assembly *a, size_t caption, uint64_t step, float *planes, laip_error *error)
{
    const laip_loader_options *o = &a->options;
    laip_image image;
    laip_rng r = laip_rng_stream(o->seed, step, caption, LAIP_SITE_AUGMENT);
    if (!fetch(a, a->dataset->captions[caption].picture, &image, error))
        return false;
    if (laip_rng_uniform(&r) < o->flip)
        laip_image_flip(&image);
    if (o->pad > 0)
        pad_and_crop(&image, o->pad, &r);
    laip_image_normalise(&image, planes);
    laip_image_free(&image);
    return true;
}

/* Copies pieces `from` of p to the end of ids; returns how many. */
static size_t copy_pieces(const laip_pieces *p, size_t from, int32_t *ids)
{
    size_t n = p->begin[from + 1] - p->begin[from];
    memcpy(ids, p->ids + p->begin[from], n * sizeof *ids);
    return n;
}

/* BERT's rule: 15 % of the pieces, 80 % of them hidden, 10 % another piece, 10 % left as they are. */
static void hide_pieces(const laip_loader_options *o, laip_rng *r, size_t n, int32_t *ids, int32_t *target)
{
    for (size_t k = 0; k < n; k++) {
        target[k] = -1;
        if (k == 0 || laip_rng_uniform(r) >= 0.15)
            continue;
        target[k] = ids[k];
        double how = laip_rng_uniform(r);
        if (how < 0.8)
            ids[k] = o->mask;
        else if (how < 0.9)
            ids[k] = (int32_t)laip_rng_below(r, (uint32_t)o->vocab);
    }
}

/* Hides one word of a phrase, chosen uniformly: each of its pieces. */
static void hide_word(const laip_loader_options *o, laip_rng *r, const int32_t *word, size_t n, int32_t *ids,
                      int32_t *target)
{
    int32_t words = 0;
    for (size_t k = 0; k < n; k++)
        if (word[k] >= words)
            words = word[k] + 1;
    int32_t hidden = words ? (int32_t)laip_rng_below(r, (uint32_t)words) : -1;
    for (size_t k = 0; k < n; k++) {
        target[k] = word[k] >= 0 && word[k] == hidden ? ids[k] : -1;
        if (target[k] >= 0)
            ids[k] = o->mask;
    }
}

static void put_phrase(laip_assembly *a, laip_batch *x, size_t phrase, int owner, laip_rng *r)
{
    const laip_pieces *p = &a->texts->phrases;
    int32_t at = x->phrase_begin[x->phrases];
    size_t n = copy_pieces(p, phrase, x->phrase_ids + at);
    copy_pieces(p, phrase, x->phrase_masked + at);
    hide_word(&a->options, r, p->word + p->begin[phrase], n, x->phrase_masked + at, x->phrase_target + at);
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

/* The picture of sample i, or, where damaged ones are passed over, of the next caption whose picture can be
 * read. */
static bool settle_picture(laip_assembly *a, laip_batch *x, size_t i, size_t *caption, uint64_t step,
                           laip_error *error)
{
    size_t pixels = 3 * (size_t)a->options.height * (size_t)a->options.width, tries = 0;
    while (!put_picture(a, *caption, step, x->images + i * pixels, error)) {
        if (!a->options.skip_bad || error->status != LAIP_BAD_INPUT || ++tries > a->dataset->caption_count)
            return false;
        if (atomic_fetch_add(&a->skipped, 1) < 10)
            laip_warn("%s; passed over", error->text);
        *caption = (*caption + 1) % a->dataset->caption_count;
    }
    return true;
}

bool laip_assemble(laip_assembly *a, laip_assembled *out, uint64_t step, size_t micro, laip_error *error)
{
    const laip_loader_options *o = &a->options;
    size_t b = (size_t)o->batch;
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
        size_t n = copy_pieces(&a->texts->captions, c, x->caption_ids + at);
        if (o->mlm) {
            laip_rng r = laip_rng_stream(o->seed, step, c, LAIP_SITE_MLM);
            memcpy(x->caption_masked + at, x->caption_ids + at, n * sizeof(int32_t));
            hide_pieces(o, &r, n, x->caption_masked + at, x->caption_target + at);
        }
        x->caption_begin[i + 1] = at + (int32_t)n;
        if (o->phrases)
            put_phrases(a, x, c, (int)i, step);
    }
    free(captions);
    return good;
}
