/* Which dictionary of a .pth holds the weights, and what lies beside it. */
#include "store/pth_internal.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64, NAMED = 8, USUAL = 100, AVERAGED, NOT_WEIGHTS };

typedef struct candidate {
    const laip_pickle_node *dict;
    const char *path; /* keys, divided by points; "": the root */
    size_t tensors;
    int order; /* the lowest is taken unless another is asked for */
} candidate;

typedef struct search {
    laip_arena *arena;
    candidate *found;
    size_t count, capacity;
    const char **aside; /* what is none: "args (argparse.Namespace)" */
    size_t aside_count, aside_capacity;
    size_t plain; /* numbers, strings, … beside them */
} search;

static const char *last_of(const char *path)
{
    const char *point = strrchr(path, '.');
    return point ? point + 1 : path;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* By the name under which training scripts save weights. */
static int order_of(const char *path)
{
    static const char *const usual[] = {"model",   "state_dict",  "model_state_dict", "module", "net",
                                        "network", "model_state", "weights",          "params", "encoder"};
    const char *name = last_of(path);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(name, usual[i]) == 0)
            return (int)i;
    if (begins(name, "optim") || strstr(name, "sched") || begins(name, "scaler"))
        return NOT_WEIGHTS;
    return strstr(name, "ema") ? AVERAGED : USUAL;
}

static void add_aside(search *s, const char *path, const char *what)
{
    void *array = s->aside;
    laip_str text = {0};
    laip_grow(&array, &s->aside_capacity, s->aside_count + 1, sizeof *s->aside);
    s->aside = array;
    laip_str_addf(&text, "%s%s(%s)", path, *path ? " " : "", what);
    s->aside[s->aside_count++] = laip_arena_strndup(s->arena, text.text, text.length);
    free(text.text);
}

static size_t tensors_in(const laip_pickle_node *dict)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < dict->length; i += 2)
        count += dict->items[i]->kind == LAIP_PICKLE_STRING && dict->items[i + 1]->kind == LAIP_PICKLE_TENSOR;
    return count;
}

static void add_candidate(search *s, const laip_pickle_node *dict, const char *path, size_t tensors)
{
    void *array = s->found;
    laip_grow(&array, &s->capacity, s->count + 1, sizeof *s->found);
    s->found = array;
    s->found[s->count++] = (candidate){dict, path, tensors, order_of(path)};
}

/* "path.key", with what does not print, and what is long, left out. */
static const char *path_to(search *s, const char *path, const laip_pickle_node *key, size_t index)
{
    char name[80];
    if (key && key->kind == LAIP_PICKLE_STRING)
        snprintf(name, sizeof name, "%s", key->text);
    else
        snprintf(name, sizeof name, "%lld",
                 key && key->kind == LAIP_PICKLE_INT ? (long long)key->integer : (long long)index);
    for (unsigned char *p = (unsigned char *)name; *p; p++)
        *p = *p < ' ' || *p == 127 ? '?' : *p;
    size_t length = strlen(path) + strlen(name) + 2;
    char *whole = laip_arena_alloc(s->arena, length, 1);
    snprintf(whole, length, "%s%s%s", path, *path ? "." : "", name);
    return whole;
}

/* A dictionary that lies in a second place (model_ema = model) is there under both names. */
static void add_again(search *s, const char *path, const laip_pickle_node *value)
{
    enum { MOST = 32 };
    size_t tensors = value->kind == LAIP_PICKLE_DICT && s->count < MOST ? tensors_in(value) : 0;
    if (tensors)
        add_candidate(s, value, path, tensors);
}

static void walk(search *s, laip_pickle_node *n, const char *path, int depth);

/* What is under a key, or in a list; path is that of the dict or list. */
static void walk_item(search *s, const char *path, const laip_pickle_node *key, size_t index,
                      laip_pickle_node *value, int depth)
{
    if (value->kind == LAIP_PICKLE_FOREIGN)
        add_aside(s, path_to(s, path, key, index), value->text);
    else if ((value->kind == LAIP_PICKLE_DICT || value->kind == LAIP_PICKLE_LIST) && !value->visit)
        walk(s, value, path_to(s, path, key, index), depth + 1);
    else if (value->kind == LAIP_PICKLE_DICT || value->kind == LAIP_PICKLE_LIST)
        add_again(s, path_to(s, path, key, index), value);
    else if (value->kind != LAIP_PICKLE_TENSOR)
        s->plain++;
}

static void walk(search *s, laip_pickle_node *n, const char *path, int depth)
{
    n->visit = 1;
    if (depth > DEEPEST)
        return;
    if (n->kind == LAIP_PICKLE_LIST)
        for (size_t i = 0; i < n->length; i++)
            walk_item(s, path, NULL, i, n->items[i], depth);
    if (n->kind != LAIP_PICKLE_DICT)
        return;
    if (laip_pickle_get(n, "state") && laip_pickle_get(n, "param_groups")) {
        add_aside(s, path, "an optimiser's state");
        return;
    }
    size_t tensors = tensors_in(n);
    if (tensors)
        add_candidate(s, n, path, tensors);
    for (size_t i = 0; i + 1 < n->length; i += 2)
        walk_item(s, path, n->items[i], i / 2, n->items[i + 1], depth);
}

static const candidate *first_of(const search *s)
{
    const candidate *best = NULL;
    for (size_t i = 0; i < s->count; i++) {
        const candidate *c = &s->found[i];
        if (!best || c->order < best->order || (c->order == best->order && c->tensors > best->tensors))
            best = c;
    }
    return best;
}

/* By its whole path, or by its last key where only one ends so. */
static const candidate *asked_for(const search *s, const char *key)
{
    const candidate *by_end = NULL;
    size_t ends = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->found[i].path, key) == 0)
            return &s->found[i];
        if (strcmp(last_of(s->found[i].path), key) == 0) {
            by_end = &s->found[i];
            ends++;
        }
    }
    return ends == 1 ? by_end : NULL;
}

static const char *shown(const char *path)
{
    return *path ? path : "the whole file";
}

/* "model_ema (157 tensors, key model_ema), args (argparse.Namespace) and 3 plain values" */
static const char *describe_rest(search *s, const candidate *taken)
{
    laip_str text = {0};
    size_t named = 0, all = s->aside_count;
    for (size_t i = 0; i < s->count; i++)
        if (&s->found[i] != taken && ++all && named++ < NAMED)
            laip_str_addf(&text, "%s%s (%zu tensors%s%s)", text.length ? ", " : "", shown(s->found[i].path),
                          s->found[i].tensors, *s->found[i].path ? ", key " : "", s->found[i].path);
    for (size_t i = 0; i < s->aside_count && named++ < NAMED; i++)
        laip_str_addf(&text, "%s%s", text.length ? ", " : "", s->aside[i]);
    if (all > NAMED)
        laip_str_addf(&text, " and %zu more", all - NAMED);
    if (s->plain)
        laip_str_addf(&text, "%s%zu plain value%s", text.length ? ", " : "", s->plain,
                      s->plain == 1 ? "" : "s");
    const char *rest = text.length ? laip_arena_strndup(s->arena, text.text, text.length) : NULL;
    free(text.text);
    return rest;
}

static bool nothing(search *s, const laip_pth *p, const laip_pickle_node *root, laip_error *error)
{
    if (root->kind == LAIP_PICKLE_FOREIGN)
        return laip_bad_input(error,
                              "%s: holds an object of type %s, expected a dictionary of tensors, as "
                              "torch.save(model.state_dict(), …) writes it",
                              p->path, root->text);
    const char *rest = describe_rest(s, NULL);
    return laip_bad_input(error, "%s: holds no dictionary of tensors, only %.600s", p->path,
                          rest ? rest : "nothing");
}

bool laip_pth_choose(laip_pth *p, const laip_pickle_node *root, const char *key,
                     const laip_pickle_node **dict, laip_error *error)
{
    search s = {.arena = &p->arena};
    bool good = true;
    if (root->kind == LAIP_PICKLE_DICT || root->kind == LAIP_PICKLE_LIST)
        walk(&s, (laip_pickle_node *)(uintptr_t)root, "", 0); /* marks what it has seen */
    const candidate *taken = key && *key ? asked_for(&s, key) : first_of(&s);
    if (!s.count)
        good = nothing(&s, p, root, error);
    else if (!taken)
        good = laip_bad_input(error, "%s: has no dictionary of tensors under the key %.100s, but %.600s",
                              p->path, key, describe_rest(&s, NULL));
    if (good) {
        *dict = taken->dict;
        p->key = taken->path;
        p->aside = describe_rest(&s, taken);
    }
    free(s.found);
    free(s.aside);
    return good;
}
