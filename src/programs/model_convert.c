/* laip-model convert: weights of others into safetensors in this program's names, checked against a config.
 */
#include "base/file.h"
#include "base/memory.h"
#include "config/config.h"
#include "model/model.h"
#include "programs/model.h"
#include "programs/model_original.h"
#include "store/weights.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG = 256, VOCAB, NAMES, GRID, ALLOW, FILL, KEY, TO };

typedef struct arguments {
    const char *files[2], *config, *vocab, *allowed, *key;
    int count;
    size_t rows, cols; /* --grid; 0: as it is */
    bool shorter, fill, original;
} arguments;

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    int used = 0;
    switch (key) {
    case CONFIG:
        a->config = text;
        return 0;
    case VOCAB:
        a->vocab = text;
        return 0;
    case ALLOW:
        a->allowed = text;
        return 0;
    case TO:
        if (strcmp(text, "albef") != 0 && strcmp(text, "rasa") != 0)
            argp_error(state, "--to %s: expected albef or rasa", text);
        a->original = true;
        return 0;
    case KEY:
        a->key = text;
        return 0;
    case FILL:
        a->fill = true;
        return 0;
    case NAMES:
        if (strcmp(text, "bert") != 0 && strcmp(text, "short") != 0)
            argp_error(state, "--names %s: expected bert or short", text);
        a->shorter = text[0] == 's';
        return 0;
    case GRID:
        if (sscanf(text, "%5zux%5zu%n", &a->rows, &a->cols, &used) != 2 || text[used] || !a->rows || !a->cols)
            argp_error(state, "--grid %s: expected ROWSxCOLUMNS of patches", text);
        return 0;
    case ARGP_KEY_ARG:
        if (a->count == 2)
            argp_usage(state);
        a->files[a->count++] = text;
        return 0;
    case ARGP_KEY_END:
        if (a->count != 2)
            argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* One tensor of the output. */
typedef struct output {
    char name[300];
    size_t from; /* in the input */
    int rank;
    size_t shape[LAIP_RANK];
    size_t grid[2]; /* whose positions are resized; 0: copied as it is */
} output;

typedef struct job {
    const arguments *a;
    laip_weights in;
    laip_config config;
    laip_model model; /* declared by the config */
    output *out;
    size_t count, renamed, resized, dropped, filled, missing, other, unexpected;
    char first[400];
} job;

static void misfit(job *j, size_t *count, const char *name, const char *what)
{
    if (!(j->missing + j->other + j->unexpected))
        snprintf(j->first, sizeof j->first, "%s %s", name, what);
    ++*count;
    fprintf(stderr, "%s: %s %s\n", j->a->files[0], name, what);
}

static bool load_config(job *j, laip_error *error)
{
    laip_config_defaults(&j->config);
    if (!j->a->config)
        return true;
    if (!laip_config_read(&j->config, j->a->config, error))
        return false;
    char name[300];
    for (size_t i = 0; i < j->in.count && !j->config.model.vocab; i++) {
        laip_weights_name(j->in.tensors[i].name, name);
        if (strcmp(name, "text_encoder.bert.embeddings.word_embeddings.weight") == 0)
            j->config.model.vocab = (int)j->in.tensors[i].shape[0];
    }
    if (!j->config.model.vocab)
        return laip_bad_input(error, "%s: has no word_embeddings to count, and %s says model.vocab: 0",
                              j->a->files[0], j->a->config);
    return laip_config_check(&j->config, error) &&
           laip_model_declare(&j->model, &j->config.model, true, error);
}

/* The grid that position tables are to have; 0, 0: the one that they have. */
static void wanted_grid(const job *j, size_t *rows, size_t *cols)
{
    *rows = j->a->rows;
    *cols = j->a->cols;
    if (j->a->config && !*rows) {
        *rows = (size_t)(j->config.model.image_height / j->config.model.patch);
        *cols = (size_t)(j->config.model.image_width / j->config.model.patch);
    }
}

/* What becomes of tensor i of the input; false: it is left out. */
static bool plan_one(job *j, size_t i)
{
    const laip_tensor_entry *t = &j->in.tensors[i];
    output *o = &j->out[j->count];
    laip_param *param;
    laip_part *part = NULL;
    *o = (output){.from = i, .rank = t->rank};
    memcpy(o->shape, t->shape, sizeof o->shape);
    laip_weights_name(t->name, o->name);
    if (j->a->config && !laip_model_find(&j->model, o->name, &param, &part)) {
        if (!laip_weights_ignored(o->name))
            misfit(j, &j->unexpected, o->name, "is unexpected");
        j->dropped++;
        return false;
    }
    size_t rows, cols, grid[2];
    wanted_grid(j, &rows, &cols);
    if (rows && laip_weights_grid(&j->in, o->name, t, &grid[0], &grid[1]) &&
        (rows != grid[0] || cols != grid[1])) {
        memcpy(o->grid, grid, sizeof grid);
        o->shape[1] = rows * cols + 1;
        j->resized++;
    }
    if (part && !laip_part_fits(part, o->rank, o->shape))
        misfit(j, &j->other, o->name, "is of another shape than the config's");
    j->renamed += strcmp(o->name, t->name) != 0;
    j->count++;
    return true;
}

static const output *planned(const job *j, const char *name)
{
    for (size_t i = 0; i < j->count; i++)
        if (strcmp(j->out[i].name, name) == 0)
            return &j->out[i];
    return NULL;
}

/* What the config's network has and the file has not; momentum copies are filled from the online weights. */
static void plan_missing(job *j)
{
    laip_table *tables[] = {&j->model.table, &j->model.table_m};
    for (int t = 0; j->a->config && t < 2; t++)
        for (size_t i = 0; i < tables[t]->count; i++)
            for (int k = 0; k < tables[t]->params[i]->parts; k++) {
                const char *name = tables[t]->params[i]->part[k].name, *m = strstr(name, "_m.");
                if (planned(j, name))
                    continue;
                char online[300];
                snprintf(online, sizeof online, "%.*s%s", m ? (int)(m - name) : 0, name, m ? m + 2 : name);
                const output *o = m ? planned(j, online) : NULL;
                if (t == 1 && o && j->a->fill) {
                    output copy = *o;
                    snprintf(copy.name, sizeof copy.name, "%s", name);
                    j->out[j->count++] = copy;
                    j->filled++;
                } else if (t == 0 && !laip_weights_allowed(j->a->allowed, name)) {
                    misfit(j, &j->missing, name, "is missing");
                }
            }
}

static bool plan(job *j, laip_error *error)
{
    size_t most = j->in.count;
    for (size_t i = 0; j->a->config && i < j->model.table_m.count; i++)
        most += (size_t)j->model.table_m.params[i]->parts;
    j->out = laip_alloc(most + 1, sizeof *j->out);
    for (size_t i = 0; i < j->in.count; i++)
        plan_one(j, i);
    plan_missing(j);
    if (j->missing + j->other + j->unexpected)
        return laip_bad_input(error,
                              "%s: does not fit %s: %s (%zu missing, %zu of another shape, %zu unexpected)",
                              j->a->files[0], j->a->config, j->first, j->missing, j->other, j->unexpected);
    return true;
}

/* The elements of a tensor of the output, in its type; the caller frees them. */
static bool elements(job *j, const output *o, void **data, laip_error *error)
{
    laip_tensor_entry t;
    *data = NULL;
    if (!laip_weights_load(&j->in, o->from, &t, error))
        return false;
    if (!o->grid[0]) {
        size_t bytes = t.count * laip_dtype_size(t.type);
        *data = memcpy(laip_alloc(bytes + 1, 1), t.data, bytes);
        return true;
    }
    size_t D = t.shape[2], rows, cols;
    wanted_grid(j, &rows, &cols);
    float *from = laip_alloc(t.count, sizeof *from), *to = laip_alloc((rows * cols + 1) * D, sizeof *to);
    bool good = laip_tensor_floats(&t, from, error);
    if (good)
        laip_resize_positions(from, o->grid[0], o->grid[1], to, rows, cols, D);
    free(from);
    *data = to;
    return good;
}

static laip_dtype type_of(const job *j, const output *o)
{
    return o->grid[0] ? LAIP_F32 : j->in.tensors[o->from].type;
}

static size_t bytes_of(const job *j, const output *o)
{
    size_t bytes = laip_dtype_size(type_of(j, o));
    for (int i = 0; i < o->rank; i++)
        bytes *= o->shape[i];
    return bytes;
}

static bool put(job *j, laip_safetensors_writer *w, const output *o, laip_error *error)
{
    void *data;
    bool good = elements(j, o, &data, error);
    if (good)
        laip_safetensors_write(w, data, bytes_of(j, o));
    free(data);
    return good;
}

static bool read_output(void *context, size_t tensor, void **data, laip_error *error)
{
    job *j = context;
    return elements(j, &j->out[tensor], data, error);
}

/* --to: a .pth for ALBEF's or RaSa's code. */
static bool write_original(job *j, laip_error *error)
{
    laip_tensor_entry *t = laip_alloc(j->count + 1, sizeof *t);
    for (size_t i = 0; i < j->count; i++) {
        output *o = &j->out[i];
        t[i] = (laip_tensor_entry){.name = o->name, .type = type_of(j, o), .rank = o->rank, .count = 1};
        for (int k = 0; k < o->rank; k++)
            t[i].count *= t[i].shape[k] = o->shape[k];
    }
    laip_original_source source = {j->count, t, read_output, j, j->a->shorter};
    bool good = laip_original_write(j->a->files[1], &source, &j->count, error);
    free(t);
    return good;
}

/* Config and vocabulary, so that the file is enough to evaluate with. */
static bool metadata(job *j, laip_safetensors_writer *w, laip_error *error)
{
    static const char *const keys[] = {"config", "vocab", "step", "phase", "best"};
    char *vocab = NULL;
    size_t size;
    size_t rows, cols;
    char grid[32];
    laip_safetensors_metadata_add(w, "format", "pt");
    wanted_grid(j, &rows, &cols);
    snprintf(grid, sizeof grid, "%zux%zu", rows, cols);
    const char *old = laip_weights_metadata(&j->in, "grid");
    if (rows || old)
        laip_safetensors_metadata_add(w, "grid", rows ? grid : old);
    if (j->a->vocab && !laip_file_read(j->a->vocab, &vocab, &size, error))
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = laip_weights_metadata(&j->in, keys[i]);
        laip_str yaml = {0};
        if (i == 0 && j->a->config) {
            laip_config_write(&j->config, &yaml);
            value = yaml.text;
        } else if (i == 1 && vocab) {
            value = vocab;
        }
        if (value)
            laip_safetensors_metadata_add(w, keys[i], value);
        free(yaml.text);
    }
    free(vocab);
    return true;
}

static bool write_all(job *j, laip_error *error)
{
    laip_safetensors_writer w = {.offset = 0};
    char name[300];
    if (!metadata(j, &w, error))
        return false;
    for (size_t i = 0; i < j->count; i++) {
        output *o = &j->out[i];
        laip_weights_name_short(o->name, name);
        laip_safetensors_declare(&w, j->a->shorter ? name : o->name, type_of(j, o), o->rank, o->shape);
    }
    if (!laip_safetensors_begin(&w, j->a->files[1], error))
        return false;
    for (size_t i = 0; i < j->count; i++)
        if (!put(j, &w, &j->out[i], error)) {
            laip_safetensors_cancel(&w);
            return false;
        }
    return laip_safetensors_end(&w, error);
}

int laip_model_convert(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", CONFIG, "FILE", 0,
         "Checks that every tensor fits this config's network, leaves out what is not of it, resizes "
         "positions to its "
         "grid of patches, and puts the config into the file",
         0},
        {"vocab", VOCAB, "FILE", 0, "Puts this vocabulary into the file", 0},
        {"key", KEY, "KEY", 0, "Dictionary to take of a .pth that holds several (the usual one)", 0},
        {"to", TO, "CODE", 0,
         "Writes OUT as the code of albef or rasa loads it: a .pth with momentum copies, tied weights and "
         "queues; with "
         "--names short for albef's retrieval --evaluate",
         0},
        {"names", NAMES, "FORM", 0, "bert: text_encoder.bert.… (the default); short: text_encoder.…", 0},
        {"grid", GRID, "ROWSxCOLS", 0, "Resizes position tables to this grid of patches", 0},
        {"allow-missing", ALLOW, "PREFIX,…", 0, "Tensors of these prefixes may be missing, with --config", 0},
        {"fill-momentum", FILL, NULL, 0, "Missing momentum copies are those of the online weights", 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        "IN OUT",
        "Converts weights, a .pth of PyTorch or safetensors, to safetensors in the names of laip-train's own "
        "checkpoints.\v"
        "Examples:\n\n"
        "  laip-model convert ALBEF.pth albef.safetensors --config configs/cuhk_pedes.yaml --vocab "
        "vocab.txt\n"
        "  laip-model convert rasa.pth rasa.safetensors --grid 24x8\n"
        "  laip-model convert run/best.safetensors checkpoint.pth --to rasa",
        NULL,
        NULL,
        NULL};
    arguments a = {.count = 0};
    job j = {.a = &a};
    laip_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    bool good = laip_weights_open_key(&j.in, a.files[0], a.key, &error);
    if (good)
        laip_weights_tell(&j.in);
    good = good && load_config(&j, &error) && plan(&j, &error) &&
           (a.original ? write_original(&j, &error) : write_all(&j, &error));
    if (good)
        printf(
            "%s: %zu tensors; %zu renamed, %zu positions resized, %zu left out, %zu momentum copies filled\n",
            a.files[1], j.count, j.renamed, j.resized, j.dropped, j.filled);
    else
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
    laip_weights_close(&j.in);
    laip_model_free(&j.model);
    laip_config_free(&j.config);
    free(j.out);
    return good ? 0 : (int)error.status;
}
