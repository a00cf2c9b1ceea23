/* Reading a configuration and refusing an impossible one. */
#include "config/config.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "config/table.h"
#include "ops/gemm/gemm.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A value as it was written, and where: "FILE:LINE:COLUMN: " or "--set ". */
typedef struct written {
    const char *key, *text, *where;
} written;

static bool wrong(const written *w, const char *expected, laip_error *error)
{
    return laip_bad_input(error, "%s%s is \"%.200s\", expected %s", w->where, w->key, w->text, expected);
}

static bool put_number(const laip_setting *s, void *field, const written *w, laip_error *error)
{
    char *end;
    errno = 0;
    double x = strtod(w->text, &end);
    bool whole = s->type != LAIP_SETTING_FLOAT;
    bool digits = *w->text && !*end && strspn(w->text, "+-.0123456789eE") == strlen(w->text);
    if (!digits || !isfinite(x) || (whole && x != floor(x)))
        return wrong(w, whole ? "a whole number" : "a number", error);
    if (x < s->low || x > s->high)
        return laip_bad_input(error, "%s%s is %.200s, expected %.9g to %.9g", w->where, w->key, w->text,
                              s->low, s->high);
    if (s->type == LAIP_SETTING_FLOAT)
        *(float *)field = (float)x;
    else if (s->type == LAIP_SETTING_LONG)
        *(long *)field = (long)x;
    else
        *(int *)field = (int)x;
    return true;
}

static bool put_choice(const laip_setting *s, int *field, const written *w, laip_error *error)
{
    laip_str all = {0};
    for (int i = 0; s->names[i]; i++) {
        if (strcmp(s->names[i], w->text) == 0) {
            *field = i;
            free(all.text);
            return true;
        }
        laip_str_addf(&all, "%s%s", i ? ", " : "one of ", s->names[i]);
    }
    wrong(w, all.text, error);
    free(all.text);
    return false;
}

static bool put(const laip_setting *s, void *base, const written *w, laip_error *error)
{
    void *field = (char *)base + s->offset;
    if (s->type == LAIP_SETTING_CHOICE)
        return put_choice(s, field, w, error);
    if (s->type == LAIP_SETTING_BOOL) {
        bool yes = strcmp(w->text, "true") == 0;
        if (!yes && strcmp(w->text, "false") != 0)
            return wrong(w, "true or false", error);
        *(int *)field = yes;
        return true;
    }
    if (s->type != LAIP_SETTING_TEXT)
        return put_number(s, field, w, error);
    char *copy = laip_strdup(w->text);
    free(*(char **)field);
    *(char **)field = copy;
    return true;
}

/* Settings that were renamed keep their old names, for checkpoints and files that hold them. */
static const char *present_name(const char *key)
{
    static const char *const renamed[][2] = {{"batch.size", "batch.micro_batch_size"},
                                             {"data.max_pieces", "data.max_tokens"},
                                             {"eval.fine", "eval.rerank"},
                                             {"eval.joint", "eval.fused"}};
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strcmp(key, renamed[i][0]) == 0)
            return renamed[i][1];
    return key;
}

static const laip_setting *find(laip_setting_table table, const char *key)
{
    for (size_t i = 0; i < table.count; i++)
        if (strcmp(table.settings[i].key, key) == 0)
            return &table.settings[i];
    return NULL;
}

/* key without prefix is not in the table. */
static bool unknown(laip_setting_table table, const char *where, const char *prefix, const char *key,
                    laip_error *error)
{
    const char **names = laip_alloc(table.count, sizeof *names);
    for (size_t i = 0; i < table.count; i++)
        names[i] = table.settings[i].key;
    const char *near = laip_nearest(key, names, table.count);
    free(names);
    if (near)
        return laip_bad_input(error, "%s%s%.200s is no setting; did you mean %s%s?", where, prefix, key,
                              prefix, near);
    return laip_bad_input(error, "%s%s%.200s is no setting; laip-train --help-config lists them", where,
                          prefix, key);
}

static bool assign_phase(laip_config *c, const written *w, laip_error *error)
{
    char *end, prefix[32];
    const char *digits = w->key + strlen("phases.");
    errno = 0;
    long n = strtol(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end != '.' || errno || n >= LAIP_PHASES)
        return laip_bad_input(error, "%s%.200s: expected phases.N.SETTING with N from 0 to %d", w->where,
                              w->key, LAIP_PHASES - 1);
    if (n > c->phase_count)
        return laip_bad_input(error,
                              "%s%.200s: there are %d phases, expected N of one of them, or %d for another",
                              w->where, w->key, c->phase_count, c->phase_count);
    snprintf(prefix, sizeof prefix, "phases.%ld.", n);
    const laip_setting *s = find(laip_phase_settings(), end + 1);
    if (!s)
        return unknown(laip_phase_settings(), w->where, prefix, end + 1, error);
    if (c->phase_count == n)
        laip_phase_defaults(&c->phases[c->phase_count++]);
    return put(s, &c->phases[n], w, error);
}

static bool assign(laip_config *c, const written *w, laip_error *error)
{
    if (strncmp(w->key, "phases.", strlen("phases.")) == 0)
        return assign_phase(c, w, error);
    const laip_setting *s = find(laip_config_settings(), present_name(w->key));
    return s ? put(s, c, w, error) : unknown(laip_config_settings(), w->where, "", w->key, error);
}

bool laip_config_set(laip_config *c, const char *assignment, laip_error *error)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return laip_bad_input(error, "--set %.200s: expected KEY=VALUE", assignment);
    char *key = laip_strndup(assignment, (size_t)(equals - assignment));
    bool good = assign(c, &(written){key, equals + 1, "--set "}, error);
    free(key);
    return good;
}

/* The settings under `key` ("" at the top), which node gives. */
static bool take(laip_config *c, const laip_yaml_node *node, const char *key, laip_error *error)
{
    laip_str where = {0}, name = {0};
    bool good = true, phases = strcmp(key, "phases") == 0;
    laip_str_addf(&where, "%s:%d:%d: ", node->file, node->line, node->column);
    if (node->kind == LAIP_YAML_SCALAR) {
        const char *text = laip_yaml_is_null(node) ? "" : node->text;
        good = *key ? assign(c, &(written){key, text, where.text}, error)
                    : laip_bad_input(error, "%sholds a single value, expected settings", where.text);
    } else if (node->kind == LAIP_YAML_SEQUENCE && !phases)
        good = laip_bad_input(error, "%s%.200s is a list, expected %s", where.text, *key ? key : "the file",
                              *key ? "a single value" : "settings");
    else if (*key && !phases && find(laip_config_settings(), key))
        good = laip_bad_input(error, "%s%.200s is a mapping, expected a single value", where.text, key);
    else if (phases && node->kind == LAIP_YAML_SEQUENCE)
        while (c->phase_count) /* a file's list replaces that of its base; phases: {1: …} changes one of it */
            laip_phase_free(&c->phases[--c->phase_count]);
    for (size_t i = 0; good && i < node->count; i++) {
        laip_str_clear(&name);
        if (node->kind == LAIP_YAML_SEQUENCE)
            laip_str_addf(&name, "%s.%zu", key, i);
        else
            laip_str_addf(&name, "%s%s%s", key, *key ? "." : "", node->keys[i]->text);
        if (node->kind == LAIP_YAML_MAPPING && !*node->keys[i]->text)
            good = laip_bad_input(error, "%s:%d:%d: an empty key", node->file, node->keys[i]->line,
                                  node->keys[i]->column);
        else if (strcmp(name.text, "base") != 0)
            good = take(c, node->items[i], name.text, error);
    }
    free(where.text);
    free(name.text);
    return good;
}

static bool read_base(laip_config *c, const laip_yaml_node *root, int depth, laip_error *error);

static bool take_document(laip_config *c, laip_yaml *yaml, int depth, laip_error *error)
{
    bool good = read_base(c, yaml->root, depth, error) && take(c, yaml->root, "", error);
    laip_yaml_free(yaml);
    return good;
}

static bool read_base(laip_config *c, const laip_yaml_node *root, int depth, laip_error *error)
{
    enum { DEEPEST = 8 };
    const laip_yaml_node *base = laip_yaml_find(root, "base");
    const char *name, *slash = strrchr(root->file, '/');
    laip_yaml yaml;
    if (!base)
        return true;
    if (!laip_yaml_string(base, "base", &name, error))
        return false;
    if (depth == DEEPEST)
        return laip_bad_input(error,
                              "%s:%d:%d: base: %d files are the base of each other, expected no circle",
                              base->file, base->line, base->column, DEEPEST);
    char *folder = slash ? laip_strndup(root->file, (size_t)(slash - root->file) + 1) : laip_strdup(".");
    char *path = laip_path_join(folder, name);
    bool good = laip_yaml_read(path, &yaml, error);
    if (!good)
        laip_error_prefix(error, "%s:%d:%d: base", base->file, base->line, base->column);
    free(path);
    free(folder);
    return good && take_document(c, &yaml, depth + 1, error);
}

bool laip_config_parse(laip_config *c, const char *name, const char *text, laip_error *error)
{
    laip_yaml yaml;
    return laip_yaml_parse(name, text, strlen(text), &yaml, error) && take_document(c, &yaml, 0, error);
}

bool laip_config_read(laip_config *c, const char *path, laip_error *error)
{
    laip_yaml yaml;
    return laip_yaml_read(path, &yaml, error) && take_document(c, &yaml, 0, error);
}

laip_loss_config laip_config_losses(const laip_config *c, const laip_phase *p)
{
    laip_loss_config l = c->loss;
    memcpy(l.weight, p->weight, sizeof l.weight);
    l.negative_floor = p->negative_floor;
    return l;
}

static bool check_phase(const laip_config *c, const laip_model_config *m, int i, laip_error *error)
{
    const laip_phase *p = &c->phases[i];
    laip_loss_config l = laip_config_losses(c, p);
    float sum = 0;
    for (int k = 0; k < LAIP_LOSSES; k++)
        sum += p->weight[k];
    if ((p->steps == 0) == (p->epochs == 0))
        return laip_bad_input(error, "phases.%d: steps is %d and epochs is %d, expected one of them", i,
                              p->steps, p->epochs);
    if (sum <= 0)
        return laip_bad_input(error, "phases.%d: all weights of losses are 0, expected one that is not", i);
    if (p->min_lr > p->lr)
        return laip_bad_input(error, "phases.%d.min_lr is %g, expected at most phases.%d.lr, which is %g", i,
                              (double)p->min_lr, i, (double)p->lr);
    return laip_loss_config_check(&l, m, error) || laip_error_prefix(error, "phases.%d", i);
}

bool laip_config_check(const laip_config *c, laip_error *error)
{
    laip_model_config m = c->model;
    if (m.vocab == 0)
        m.vocab = c->vocab_size;
    if (!laip_model_config_check(&m, error))
        return false;
    if (c->max_tokens > m.positions)
        return laip_bad_input(error, "data.max_tokens is %d, expected at most model.positions, which is %d",
                              c->max_tokens, m.positions);
    if (!laip_gemm_known(c->gemm))
        return laip_bad_input(error, "gemm is \"%.200s\", expected " LAIP_GEMM_NAMES, c->gemm);
    if (!*c->annotations)
        return laip_bad_input(error, "data.annotations is empty, expected the dataset's annotation file");
    if (!c->phase_count)
        return laip_bad_input(error, "phases is empty, expected one at least");
    for (int i = 0; i < c->phase_count; i++)
        if (!check_phase(c, &m, i, error))
            return false;
    return true;
}
