#include "eval/scores.h"

#include "base/memory.h"
#include "base/str.h"
#include "store/safetensors.h"

#include <stdlib.h>
#include <string.h>

static void note(laip_safetensors_writer *w, const laip_dataset *d)
{
    laip_str pictures = {0}, captions = {0};
    laip_str_adds(&pictures, "[");
    for (size_t i = 0; i < d->picture_count; i++) {
        laip_str_adds(&pictures, i ? "," : "");
        laip_str_add_json(&pictures, d->pictures[i].file, strlen(d->pictures[i].file));
    }
    laip_str_adds(&pictures, "]");
    laip_str_adds(&captions, "[");
    for (size_t i = 0; i < d->caption_count; i++) {
        laip_str_adds(&captions, i ? "," : "");
        laip_str_add_json(&captions, d->captions[i].text, strlen(d->captions[i].text));
    }
    laip_str_adds(&captions, "]");
    laip_safetensors_metadata_add(w, "pictures", pictures.text);
    laip_safetensors_metadata_add(w, "captions", captions.text);
    free(pictures.text);
    free(captions.text);
}

static void declare(laip_safetensors_writer *w, const char *name, laip_dtype type, size_t rows, size_t cols,
                    size_t depth)
{
    size_t shape[] = {rows, cols, depth};
    laip_safetensors_declare(w, name, type, depth ? 3 : cols ? 2 : 1, shape);
}

/* In the order of retrieval's own sums, so that they are its numbers to the bit. */
static void write_similarities(laip_safetensors_writer *w, const laip_evaluation *e)
{
    float *row = laip_alloc(e->gallery, sizeof *row);
    for (size_t q = 0; q < e->queries; q++) {
        for (size_t i = 0; i < e->gallery; i++) {
            row[i] = 0;
            for (size_t c = 0; c < e->embed; c++)
                row[i] += e->text_features[q * e->embed + c] * e->image_features[i * e->embed + c];
        }
        laip_safetensors_write(w, row, e->gallery * sizeof *row);
    }
    free(row);
}

static void write_captions(laip_safetensors_writer *w, const laip_evaluation *e, const laip_dataset *d,
                           const laip_texts *texts)
{
    int32_t *values = laip_alloc(e->queries + 1, sizeof *values);
    for (size_t q = 0; q < e->queries; q++)
        values[q] = (int32_t)d->captions[q].picture;
    laip_safetensors_write(w, values, e->queries * sizeof *values);
    for (size_t q = 0; q <= e->queries; q++)
        values[q] = (int32_t)texts->captions.begin[q];
    laip_safetensors_write(w, values, (e->queries + 1) * sizeof *values);
    laip_safetensors_write(w, texts->captions.ids, texts->captions.begin[e->queries] * sizeof(int32_t));
    free(values);
}

bool laip_scores_write(const char *path, const laip_evaluation *e, const laip_dataset *d,
                       const laip_texts *texts, laip_error *error)
{
    laip_safetensors_writer w = {.offset = 0};
    size_t n = e->gallery, q = e->queries, E = e->embed, k = e->k;
    note(&w, d);
    declare(&w, "image_features", LAIP_F32, n, E, 0);
    declare(&w, "text_features", LAIP_F32, q, E, 0);
    declare(&w, "similarities", LAIP_F32, q, n, 0);
    if (k) {
        declare(&w, "candidates", LAIP_I32, q, k, 0);
        declare(&w, "matching_logits", LAIP_F32, q, k, 2);
    }
    declare(&w, "picture_person", LAIP_I32, n, 0, 0);
    declare(&w, "caption_person", LAIP_I32, q, 0, 0);
    declare(&w, "caption_picture", LAIP_I32, q, 0, 0);
    declare(&w, "token_begin", LAIP_I32, q + 1, 0, 0);
    declare(&w, "tokens", LAIP_I32, texts->captions.begin[q], 0, 0);
    if (!laip_safetensors_begin(&w, path, error))
        return false;
    laip_safetensors_write(&w, e->image_features, n * E * sizeof(float));
    laip_safetensors_write(&w, e->text_features, q * E * sizeof(float));
    write_similarities(&w, e);
    if (k) {
        laip_safetensors_write(&w, e->candidates, q * k * sizeof(int32_t));
        laip_safetensors_write(&w, e->logits, 2 * q * k * sizeof(float));
    }
    laip_safetensors_write(&w, e->gallery_person, n * sizeof(int32_t));
    laip_safetensors_write(&w, e->query_person, q * sizeof(int32_t));
    write_captions(&w, e, d, texts);
    return laip_safetensors_end(&w, error);
}
