#include "store/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool laip_weights_open(laip_weights *w, const char *path, laip_error *error)
{
    const void *map;
    size_t size;
    *w = (laip_weights){.path = laip_strdup(path)};
    bool good = laip_file_map(path, &map, &size, error);
    if (good) {
        w->is_pth = laip_pth_is(map, size);
        if (size > 262 && memcmp((const char *)map + 257, "ustar", 5) == 0)
            good = laip_bad_input(error,
                                  "%s: is a tar, as PyTorch wrote before 0.1.10; expected safetensors, or "
                                  "a .pth of later versions",
                                  path);
        laip_file_unmap(map, size);
    }
    good = good && (w->is_pth ? laip_pth_open(&w->pth, path, error)
                              : laip_safetensors_open(&w->safetensors, path, error));
    w->count = w->is_pth ? w->pth.count : w->safetensors.count;
    w->tensors = w->is_pth ? w->pth.tensors : w->safetensors.tensors;
    if (!good) {
        free(w->path);
        *w = (laip_weights){0};
    }
    return good;
}

void laip_weights_close(laip_weights *w)
{
    if (w->is_pth)
        laip_pth_close(&w->pth);
    else if (w->path)
        laip_safetensors_close(&w->safetensors);
    free(w->held);
    free(w->path);
    *w = (laip_weights){0};
}

bool laip_weights_load(laip_weights *w, size_t i, laip_tensor_entry *tensor, laip_error *error)
{
    *tensor = w->tensors[i];
    if (!w->is_pth)
        return laip_safetensors_verify(&w->safetensors, i, error);
    free(w->held);
    w->held = laip_alloc(tensor->count + 1, laip_dtype_size(tensor->type));
    tensor->data = w->held;
    return laip_pth_read(&w->pth, i, w->held, error);
}

const char *laip_weights_metadata(const laip_weights *w, const char *key)
{
    return w->is_pth ? NULL : laip_safetensors_metadata(&w->safetensors, key);
}

bool laip_weights_grid(const laip_weights *w, const char *name, const laip_tensor_entry *t, size_t *rows,
                       size_t *cols)
{
    size_t n = strlen(name);
    const char *grid = laip_weights_metadata(w, "grid");
    if (n <= 10 || strcmp(name + n - 10, ".pos_embed") != 0 || t->rank != 3 || t->shape[0] != 1 ||
        t->shape[1] < 2)
        return false;
    if (grid && sscanf(grid, "%6zux%6zu", rows, cols) == 2 && *rows * *cols + 1 == t->shape[1])
        return true;
    *rows = *cols = (size_t)lround(sqrt((double)(t->shape[1] - 1)));
    return *rows * *cols + 1 == t->shape[1];
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum { NAME = 300 };

void laip_weights_name(const char *from, char *name)
{
    static const char *const encoders[] = {"text_encoder.", "text_encoder_m."};
    if (begins(from, "module."))
        from += 7;
    for (int i = 0; i < 2; i++) {
        const char *rest = from + strlen(encoders[i]);
        if (begins(from, encoders[i]) && (begins(rest, "embeddings.") || begins(rest, "encoder."))) {
            snprintf(name, NAME, "%sbert.%s", encoders[i], rest);
            return;
        }
    }
    snprintf(name, NAME, "%s", from);
}

void laip_weights_name_short(const char *from, char *name)
{
    const char *at = strstr(from, ".bert.");
    if (at && (begins(from, "text_encoder.bert.") || begins(from, "text_encoder_m.bert.")))
        snprintf(name, NAME, "%.*s.%s", (int)(at - from), from, at + 6);
    else
        snprintf(name, NAME, "%s", from);
}

const char *laip_weights_ignored(const char *name)
{
    static const struct {
        const char *part, *why;
    } known[] = {
        {"text_encoder_m.cls.", "the momentum encoder's own MLM head, which no loss reads"},
        {"text_encoder_m.bert.encoder.layer.", "the momentum encoder's cross layers, which no loss reads"},
        {".embeddings.position_ids", "the numbers from 0"},
        {"cls.predictions.decoder.", "tied to the word embeddings and cls.predictions.bias"},
        {".bert.pooler.", "BERT's pooler, which nothing reads"},
        {"cls.seq_relationship.", "BERT's next-sentence head"},
        {"prd_head.", "a head of RaSa's"},
        {"mrtd_head.", "a head of RaSa's"},
        {"visual_encoder.head.", "a classifier"},
        {"visual_encoder_m.head.", "a classifier"},
        {"image_queue", "a queue, which a new run fills anew"},
        {"text_queue", "a queue, which a new run fills anew"},
        {"idx_queue", "a queue, which a new run fills anew"},
        {"queue_ptr", "a queue, which a new run fills anew"},
        {"exp_avg.", "a run's moments"},
        {"exp_avg_sq.", "a run's moments"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].part[0] == '.' ? strstr(name, known[i].part) != NULL
                                    : begins(name, known[i].part) ||
                                          (begins(known[i].part, "cls.") && strstr(name, known[i].part)))
            return known[i].why;
    return NULL;
}

bool laip_weights_allowed(const char *prefixes, const char *name)
{
    for (const char *p = prefixes; p && *p;) {
        size_t n = strcspn(p, ",");
        if (n && strncmp(name, p, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}
