#include "train/config.h"

#include "base/file.h"
#include "base/memory.h"
#include "ops/gemm.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef enum type { TEXT, INT, LONG, FLOAT, BOOL, CHOICE } type;

typedef struct setting {
    const char *key;
    type kind;
    size_t offset;
    const char *const *names; /* of a CHOICE */
    double low, high;
    const char *what;
} setting;

static const char *const rules[] = {"none", "albef", NULL};
static const char *const bad_images[] = {"stop", "skip", NULL};

#define AT(field) offsetof(laip_config, field)
static const setting settings[] = {
    {"seed", LONG, AT(seed), NULL, 0, 1e15, "every random choice follows from it"},
    {"device", TEXT, AT(device), NULL, 0, 0, "number, kind (gpu, cpu), part of a name, or auto"},
    {"out", TEXT, AT(out), NULL, 0, 0, "run folder: config, metrics, checkpoints"},
    {"gemm", TEXT, AT(gemm), NULL, 0, 0, "auto, packed or clblast"},
    {"model.image_height", INT, AT(model.image_height), NULL, 1, 8192, "pixels"},
    {"model.image_width", INT, AT(model.image_width), NULL, 1, 8192, "pixels"},
    {"model.patch", INT, AT(model.patch), NULL, 1, 1024, "side of a patch, pixels"},
    {"model.width", INT, AT(model.width), NULL, 1, 65536, "D, of every token"},
    {"model.heads", INT, AT(model.heads), NULL, 1, 1024, "attention heads"},
    {"model.mlp", INT, AT(model.mlp), NULL, 1, 64, "the MLP's hidden width in multiples of width"},
    {"model.vit_layers", INT, AT(model.vit_layers), NULL, 1, 256, "of the image encoder"},
    {"model.text_layers", INT, AT(model.text_layers), NULL, 1, 256, "of the text encoder"},
    {"model.cross_layers", INT, AT(model.cross_layers), NULL, 1, 256, "of the cross encoder"},
    {"model.vocab", INT, AT(model.vocab), NULL, 0, 1e8, "word pieces; 0: as many as the vocabulary has"},
    {"model.positions", INT, AT(model.positions), NULL, 2, 65536, "longest text, in pieces"},
    {"model.embed", INT, AT(model.embed), NULL, 1, 65536, "E, of the joint space"},
    {"model.queue", INT, AT(model.queue), NULL, 0, 1e8, "Q, past pairs kept as keys"},
    {"model.dropout", FLOAT, AT(model.dropout), NULL, 0, 0.99, "of the text and cross layers, in training"},
    {"model.deviation", FLOAT, AT(deviation), NULL, 0, 10, "of initial weights; 0: 1/sqrt(fan_in)"},
    {"loss.temperature", FLOAT, AT(loss.temperature), NULL, 0.001, 0.5, "tau at the start"},
    {"loss.distill_alpha", FLOAT, AT(loss.distill_alpha), NULL, 0, 1,
     "share of the momentum model's soft targets"},
    {"loss.triplet_margin", FLOAT, AT(loss.triplet_margin), NULL, 0, 10, "m of the fusion triplet"},
    {"loss.momentum", FLOAT, AT(loss.momentum), NULL, 0, 1, "mu of the momentum encoders"},
    {"loss.momentum_start", FLOAT, AT(momentum_start), NULL, 0, 1,
     "mu of the first step, when it is to rise"},
    {"loss.momentum_steps", INT, AT(momentum_steps), NULL, 0, 1e9, "steps over which mu rises; 0: none"},
    {"loss.bidiratt_layer", INT, AT(loss.bidiratt_layer), NULL, 1, 256,
     "cross layer that BidirAtt looks at, from 1"},
    {"loss.bidiratt_attention", CHOICE, AT(loss.bidiratt_attention), laip_bidiratt_attention_names, 0, 0,
     "which attention weighs patches"},
    {"loss.bidiratt_loss", CHOICE, AT(loss.bidiratt_loss), laip_bidiratt_loss_names, 0, 0,
     "form of the BidirAtt loss"},
    {"loss.phrase_reduction", CHOICE, AT(loss.phrase_reduction), laip_phrase_reduction_names, 0, 0,
     "of a caption's phrases"},
    {"optimiser.beta1", FLOAT, AT(optimiser.beta1), NULL, 0, 1, "of AdamW"},
    {"optimiser.beta2", FLOAT, AT(optimiser.beta2), NULL, 0, 1, "of AdamW"},
    {"optimiser.eps", FLOAT, AT(optimiser.eps), NULL, 0, 1, "of AdamW"},
    {"optimiser.weight_decay", FLOAT, AT(optimiser.weight_decay), NULL, 0, 10, "of matrices and embeddings"},
    {"optimiser.clip_norm", FLOAT, AT(optimiser.clip_norm), NULL, 0, 1e9,
     "largest norm of the gradient; 0: any"},
    {"data.annotations", TEXT, AT(annotations), NULL, 0, 0, "the dataset's annotation file"},
    {"data.images", TEXT, AT(images), NULL, 0, 0, "folder of its pictures; empty: found beside the file"},
    {"data.train_split", TEXT, AT(train_split), NULL, 0, 0, "name of the split to train on"},
    {"data.val_split", TEXT, AT(val_split), NULL, 0, 0, "name of the split that chooses the best model"},
    {"data.test_split", TEXT, AT(test_split), NULL, 0, 0, "name of the split that is reported"},
    {"data.vocab", TEXT, AT(vocab), NULL, 0, 0, "vocab.txt; empty: learned from the training captions"},
    {"data.vocab_size", INT, AT(vocab_size), NULL, 6, 1e8, "pieces of a learned vocabulary, at most"},
    {"data.caption_rule", CHOICE, AT(caption_rule), rules, 0, 0, "clean-up of captions"},
    {"data.max_pieces", INT, AT(max_pieces), NULL, 2, 65536, "of a caption, [CLS] among them"},
    {"data.sep", BOOL, AT(sep), NULL, 0, 1, "whether captions end with [SEP]"},
    {"data.tagger", TEXT, AT(tagger), NULL, 0, 0, "folder of NLTK's tagger weights; empty: our tagger"},
    {"data.grammar", TEXT, AT(grammar), NULL, 0, 0, "chunk grammar of phrases; empty: the tagger's own"},
    {"data.generic_heads", TEXT, AT(generic_heads), NULL, 0, 0, "words that are no phrase by themselves"},
    {"data.bad_images", CHOICE, AT(skip_bad_images), bad_images, 0, 0,
     "what a damaged picture does to training"},
    {"data.threads", INT, AT(threads), NULL, 0, 1024, "that decode pictures; 0: one a core"},
    {"data.cache_mb", INT, AT(cache_mb), NULL, 0, 1e7, "memory for resized pictures"},
    {"data.flip", FLOAT, AT(flip), NULL, 0, 1, "probability of a horizontal flip"},
    {"data.pad", INT, AT(pad), NULL, 0, 1024, "pixels of padding before a random crop"},
    {"batch.size", INT, AT(batch), NULL, 1, 1e6, "pairs of a micro-batch"},
    {"batch.micro_batches", INT, AT(micro_batches), NULL, 1, 1e6, "of a step, shared out among the ranks"},
    {"init.checkpoint", TEXT, AT(checkpoint), NULL, 0, 0, "weights to start from; empty: random ones"},
    {"init.allow_missing", TEXT, AT(allow_missing), NULL, 0, 0,
     "prefixes, divided by commas, that may be missing in it"},
    {"eval.k", INT, AT(eval_k), NULL, 0, 1e9, "candidates that are re-ranked"},
    {"eval.every", INT, AT(eval_every), NULL, 0, 1e9, "steps between evaluations on val; 0: once an epoch"},
    {"eval.fine", BOOL, AT(eval_fine), NULL, 0, 1, "whether those re-rank (and choose the best model by it)"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

#undef AT
#define AT(field) offsetof(laip_phase, field)
static const setting phase_settings[] = {
    {"name", TEXT, AT(name), NULL, 0, 0, "of the phase"},
    {"steps", INT, AT(steps), NULL, 0, 1e9, "of the phase, or"},
    {"epochs", INT, AT(epochs), NULL, 0, 1e9, "over the training pairs"},
    {"warmup", INT, AT(warmup), NULL, 0, 1e9, "steps of linear warm-up"},
    {"lr", FLOAT, AT(lr), NULL, 0, 10, "learning rate after the warm-up"},
    {"min_lr", FLOAT, AT(min_lr), NULL, 0, 10, "at the end of the cosine"},
    {"itc", FLOAT, AT(itc), NULL, 0, 1e6, "weight of the contrastive loss"},
    {"itm", FLOAT, AT(itm), NULL, 0, 1e6, "of matching"},
    {"triplet", FLOAT, AT(triplet), NULL, 0, 1e6, "of the fusion triplet"},
    {"bidiratt", FLOAT, AT(bidiratt), NULL, 0, 1e6, "of bidirectional attention alignment"},
    {"mpm", FLOAT, AT(mpm), NULL, 0, 1e6, "of masked phrase modelling"},
    {"mlm", FLOAT, AT(mlm), NULL, 0, 1e6, "of masked language modelling"},
    {"phrases_per_caption", INT, AT(phrases_per_caption), NULL, 0, 1e6, "a random few; 0: all"},
};
enum { PHASE_SETTINGS = sizeof phase_settings / sizeof *phase_settings };

static void put_text(char **field, const char *value)
{
    char *copy = laip_strdup(value);
    free(*field);
    *field = copy;
}

void laip_config_defaults(laip_config *c)
{
    *c = (laip_config){.seed = 1,
                       .model = laip_model_config_default(),
                       .loss = laip_loss_config_default(),
                       .optimiser = laip_optimiser_config_default(),
                       .vocab_size = 2000,
                       .max_pieces = 50,
                       .caption_rule = LAIP_RULE_ALBEF,
                       .cache_mb = 512,
                       .flip = 0.5f,
                       .batch = 13,
                       .micro_batches = 1,
                       .deviation = 0.02f,
                       .eval_k = 128,
                       .eval_fine = 1};
    c->model.vocab = 0;
    const struct {
        char **field;
        const char *value;
    } texts[] = {{&c->device, "auto"},   {&c->out, "run"},         {&c->gemm, "auto"},
                 {&c->annotations, ""},  {&c->images, ""},         {&c->train_split, "train"},
                 {&c->val_split, "val"}, {&c->test_split, "test"}, {&c->vocab, ""},
                 {&c->tagger, ""},       {&c->grammar, ""},        {&c->generic_heads, ""},
                 {&c->checkpoint, ""},   {&c->allow_missing, ""}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i].field = laip_strdup(texts[i].value);
}

static void phase_defaults(laip_phase *p)
{
    *p = (laip_phase){.name = laip_strdup("phase"), .lr = 1e-5f, .min_lr = 1e-6f, .itc = 1, .itm = 1};
}

void laip_config_free(laip_config *c)
{
    for (int i = 0; i < SETTINGS; i++)
        if (settings[i].kind == TEXT)
            free(*(char **)((char *)c + settings[i].offset));
    for (int i = 0; i < c->phase_count; i++)
        free(c->phases[i].name);
    *c = (laip_config){0};
}

static bool put_number(const setting *s, void *field, const char *value, const char *where, const char *key,
                       laip_error *error)
{
    char *end;
    errno = 0;
    double x = strtod(value, &end);
    bool word = s->kind == BOOL && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0);
    if (word)
        x = value[0] == 't';
    if (!*value || (*end && !word) || errno || !isfinite(x) || (s->kind != FLOAT && x != floor(x)))
        return laip_bad_input(error, "%s%s is \"%s\", expected %s", where, key, value,
                              s->kind == BOOL    ? "true or false"
                              : s->kind == FLOAT ? "a number"
                                                 : "a whole number");
    if (x < s->low || x > s->high)
        return laip_bad_input(error, "%s%s is %s, expected %g to %g", where, key, value, s->low, s->high);
    if (s->kind == FLOAT)
        *(float *)field = (float)x;
    else if (s->kind == LONG)
        *(long *)field = (long)x;
    else
        *(int *)field = (int)x;
    return true;
}

static bool put(const setting *s, void *base, const char *value, const char *where, const char *key,
                laip_error *error)
{
    void *field = (char *)base + s->offset;
    if (s->kind == TEXT) {
        put_text(field, value);
        return true;
    }
    if (s->kind != CHOICE)
        return put_number(s, field, value, where, key, error);
    laip_str all = {0};
    for (int i = 0; s->names[i]; i++) {
        if (strcmp(s->names[i], value) == 0) {
            *(int *)field = i;
            free(all.text);
            return true;
        }
        laip_str_addf(&all, "%s%s", i ? ", " : "", s->names[i]);
    }
    laip_bad_input(error, "%s%s is \"%s\", expected one of %s", where, key, value, all.text);
    free(all.text);
    return false;
}

static bool unknown(const setting *table, int count, const char *where, const char *key, const char *prefix,
                    laip_error *error)
{
    const char *names[SETTINGS + PHASE_SETTINGS];
    for (int i = 0; i < count; i++)
        names[i] = table[i].key;
    const char *near = laip_nearest(key, names, (size_t)count);
    if (near)
        return laip_bad_input(error, "%s%s%s is no setting; did you mean %s%s?", where, prefix, key, prefix,
                              near);
    return laip_bad_input(error, "%s%s%s is no setting; --help-config lists them", where, prefix, key);
}

/* Sets one key; where is "FILE:LINE: " or "". */
static bool assign(laip_config *c, const char *key, const char *value, const char *where, laip_error *error)
{
    if (strncmp(key, "phases.", 7) == 0) {
        char *end, prefix[32];
        long n = strtol(key + 7, &end, 10);
        if (end == key + 7 || *end != '.' || n < 0 || n >= LAIP_PHASES)
            return laip_bad_input(error, "%s%s: expected phases.N.setting with N from 0 to %d", where, key,
                                  LAIP_PHASES - 1);
        while (c->phase_count <= n)
            phase_defaults(&c->phases[c->phase_count++]);
        snprintf(prefix, sizeof prefix, "phases.%ld.", n);
        for (int i = 0; i < PHASE_SETTINGS; i++)
            if (strcmp(phase_settings[i].key, end + 1) == 0)
                return put(&phase_settings[i], &c->phases[n], value, where, key, error);
        return unknown(phase_settings, PHASE_SETTINGS, where, end + 1, prefix, error);
    }
    for (int i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].key, key) == 0)
            return put(&settings[i], c, value, where, key, error);
    return unknown(settings, SETTINGS, where, key, "", error);
}

bool laip_config_set(laip_config *c, const char *assignment, laip_error *error)
{
    const char *equals = strchr(assignment, '=');
    if (!equals)
        return laip_bad_input(error, "--set %s: expected key=value", assignment);
    char *key = laip_strndup(assignment, (size_t)(equals - assignment));
    bool good = assign(c, key, equals + 1, "--set ", error);
    free(key);
    return good;
}

typedef struct walk {
    laip_config *c;
    const char *path;
    yaml_document_t document;
} walk;

static bool walk_node(walk *w, yaml_node_t *node, const char *key, laip_error *error)
{
    char where[600], name[256];
    snprintf(where, sizeof where, "%s:%zu: ", w->path, node->start_mark.line + 1);
    if (node->type == YAML_SCALAR_NODE) {
        if (!*key)
            return laip_bad_input(error, "%sholds a single value, expected keys and values", where);
        return assign(w->c, key, (const char *)node->data.scalar.value, where, error);
    }
    if (node->type == YAML_SEQUENCE_NODE) {
        size_t i = 0;
        if (strcmp(key, "phases") != 0)
            return laip_bad_input(error, "%s%s is a list, expected a value", where, key);
        while (w->c->phase_count) /* a file's list replaces that of its base */
            free(w->c->phases[--w->c->phase_count].name);
        for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
             item++, i++) {
            snprintf(name, sizeof name, "phases.%zu", i);
            if (!walk_node(w, yaml_document_get_node(&w->document, *item), name, error))
                return false;
        }
        return true;
    }
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++) {
        yaml_node_t *k = yaml_document_get_node(&w->document, pair->key);
        if (k->type != YAML_SCALAR_NODE)
            return laip_bad_input(error, "%s:%zu: a key is no name", w->path, k->start_mark.line + 1);
        const char *text = (const char *)k->data.scalar.value;
        if (!*key && strcmp(text, "base") == 0)
            continue;
        snprintf(name, sizeof name, "%s%s%s", key, *key ? "." : "", text);
        if (!walk_node(w, yaml_document_get_node(&w->document, pair->value), name, error))
            return false;
    }
    return true;
}

static bool read_base(walk *w, yaml_node_t *root, int depth, laip_error *error);

static bool read_text(laip_config *c, const char *path, const char *text, size_t size, int depth,
                      laip_error *error)
{
    yaml_parser_t parser;
    walk w = {.c = c, .path = path};
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    bool good = yaml_parser_load(&parser, &w.document) != 0;
    if (!good)
        laip_bad_input(error, "%s:%zu:%zu: is no YAML: %s", path, parser.problem_mark.line + 1,
                       parser.problem_mark.column + 1, parser.problem ? parser.problem : "unknown");
    else {
        yaml_node_t *root = yaml_document_get_root_node(&w.document);
        good = !root || (read_base(&w, root, depth, error) && walk_node(&w, root, "", error));
        yaml_document_delete(&w.document);
    }
    yaml_parser_delete(&parser);
    return good;
}

static bool read_file(laip_config *c, const char *path, int depth, laip_error *error)
{
    char *text;
    size_t size;
    if (depth > 8)
        return laip_bad_input(error, "%s: base files name each other in a circle", path);
    if (!laip_file_read(path, &text, &size, error))
        return false;
    bool good = read_text(c, path, text, size, depth, error);
    free(text);
    return good;
}

static bool read_base(walk *w, yaml_node_t *root, int depth, laip_error *error)
{
    if (root->type != YAML_MAPPING_NODE)
        return true;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top;
         pair++) {
        yaml_node_t *k = yaml_document_get_node(&w->document, pair->key);
        yaml_node_t *v = yaml_document_get_node(&w->document, pair->value);
        if (k->type != YAML_SCALAR_NODE || strcmp((const char *)k->data.scalar.value, "base") != 0)
            continue;
        if (v->type != YAML_SCALAR_NODE)
            return laip_bad_input(error, "%s:%zu: base is no file name", w->path, v->start_mark.line + 1);
        char *folder = laip_strdup(w->path), *slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
        char *path = laip_path_join(slash ? folder : ".", (const char *)v->data.scalar.value);
        bool good = read_file(w->c, path, depth + 1, error);
        free(path);
        free(folder);
        return good;
    }
    return true;
}

bool laip_config_parse(laip_config *c, const char *name, const char *text, laip_error *error)
{
    return read_text(c, name, text, strlen(text), 0, error);
}

bool laip_config_read(laip_config *c, const char *path, laip_error *error)
{
    return read_file(c, path, 0, error);
}

laip_loss_config laip_config_losses(const laip_config *c, const laip_phase *p)
{
    laip_loss_config l = c->loss;
    l.itc_weight = p->itc;
    l.itm_weight = p->itm;
    l.triplet_weight = p->triplet;
    l.bidiratt_weight = p->bidiratt;
    l.mpm_weight = p->mpm;
    l.mlm_weight = p->mlm;
    return l;
}

bool laip_config_check(const laip_config *c, laip_error *error)
{
    laip_model_config m = c->model;
    if (m.vocab == 0)
        m.vocab = c->vocab_size;
    if (!laip_model_config_check(&m, error))
        return false;
    if (c->max_pieces > m.positions)
        return laip_bad_input(error, "data.max_pieces is %d, expected at most model.positions, which is %d",
                              c->max_pieces, m.positions);
    bool known = false;
    for (int i = 0; laip_gemm_names[i]; i++)
        known |= strcmp(c->gemm, laip_gemm_names[i]) == 0;
    if (!known)
        return laip_bad_input(error, "gemm is \"%s\", expected auto, packed or clblast", c->gemm);
    if (!*c->annotations)
        return laip_bad_input(error, "data.annotations is empty, expected the dataset's annotation file");
    if (!c->phase_count)
        return laip_bad_input(error, "phases is empty, expected at least one");
    for (int i = 0; i < c->phase_count; i++) {
        const laip_phase *p = &c->phases[i];
        laip_loss_config l = laip_config_losses(c, p);
        if ((p->steps == 0) == (p->epochs == 0))
            return laip_bad_input(error, "phases.%d: steps is %d and epochs is %d, expected one of them", i,
                                  p->steps, p->epochs);
        if (!laip_loss_config_check(&l, &m, error))
            return false;
    }
    return true;
}

static void write_value(const setting *s, const void *base, laip_str *out)
{
    const void *field = (const char *)base + s->offset;
    switch (s->kind) {
    case TEXT:
        laip_str_add_json(out, *(char *const *)field, strlen(*(char *const *)field));
        break;
    case INT:
        laip_str_addf(out, "%d", *(const int *)field);
        break;
    case LONG:
        laip_str_addf(out, "%ld", *(const long *)field);
        break;
    case FLOAT:
        laip_str_addf(out, "%.9g", (double)*(const float *)field);
        break;
    case BOOL:
        laip_str_adds(out, *(const int *)field ? "true" : "false");
        break;
    case CHOICE:
        laip_str_adds(out, s->names[*(const int *)field]);
        break;
    }
}

void laip_config_write(const laip_config *c, laip_str *out)
{
    char section[64] = "";
    for (int i = 0; i < SETTINGS; i++) {
        const char *dot = strchr(settings[i].key, '.'), *name = dot ? dot + 1 : settings[i].key;
        size_t length = dot ? (size_t)(dot - settings[i].key) : 0;
        if (dot && (strlen(section) != length || strncmp(section, settings[i].key, length) != 0)) {
            snprintf(section, sizeof section, "%.*s", (int)length, settings[i].key);
            laip_str_addf(out, "%s:\n", section);
        }
        laip_str_addf(out, "%s%s: ", dot ? "  " : "", name);
        write_value(&settings[i], c, out);
        laip_str_adds(out, "\n");
    }
    laip_str_adds(out, "phases:\n");
    for (int p = 0; p < c->phase_count; p++)
        for (int i = 0; i < PHASE_SETTINGS; i++) {
            laip_str_addf(out, "%s%s: ", i ? "    " : "  - ", phase_settings[i].key);
            write_value(&phase_settings[i], &c->phases[p], out);
            laip_str_adds(out, "\n");
        }
}

void laip_config_help(laip_str *out)
{
    laip_config c;
    laip_phase p;
    laip_config_defaults(&c);
    phase_defaults(&p);
    for (int i = 0; i < SETTINGS + PHASE_SETTINGS; i++) {
        bool top = i < SETTINGS;
        const setting *s = top ? &settings[i] : &phase_settings[i - SETTINGS];
        laip_str_addf(out, "%s%s: ", top ? "" : "phases.N.", s->key);
        write_value(s, top ? (const void *)&c : (const void *)&p, out);
        laip_str_addf(out, "   # %s", s->what);
        for (int k = 0; s->names && s->names[k]; k++)
            laip_str_addf(out, "%s%s", k ? ", " : ": ", s->names[k]);
        laip_str_adds(out, "\n");
    }
    free(p.name);
    laip_config_free(&c);
}
