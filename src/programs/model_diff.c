/* laip-model diff: where two files of weights differ. */
#include "base/map.h"
#include "programs/model.h"
#include "store/weights.h"

#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *files[2], *keys[2];
    int count;
    double tolerance;
} arguments;

enum { TOLERANCE = 256, KEY, OTHER_KEY };

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    char *end;
    switch (key) {
    case KEY:
    case OTHER_KEY:
        a->keys[key == OTHER_KEY] = text;
        return 0;
    case TOLERANCE:
        a->tolerance = strtod(text, &end);
        if (*end || end == text || !(a->tolerance >= 0))
            argp_error(state, "%s: expected a number from 0", text);
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

static bool is_real(laip_dtype type)
{
    return type <= LAIP_F64;
}

/* Worst difference of two tensors of one shape; a NaN differs from everything but a NaN. */
static bool compare(const laip_tensor_entry *a, const laip_tensor_entry *b, double *worst, laip_error *error)
{
    *worst = 0;
    if (is_real(a->type) != is_real(b->type)) {
        *worst = INFINITY;
        return true;
    }
    size_t n = a->count + 1;
    float *x = laip_alloc(n, sizeof *x), *y = laip_alloc(n, sizeof *y);
    bool good = is_real(a->type)
                    ? laip_tensor_floats(a, x, error) && laip_tensor_floats(b, y, error)
                    : laip_tensor_ints(a, (int32_t *)x, error) && laip_tensor_ints(b, (int32_t *)y, error);
    for (size_t i = 0; good && i < a->count; i++) {
        double u = is_real(a->type) ? (double)x[i] : ((int32_t *)x)[i];
        double v = is_real(b->type) ? (double)y[i] : ((int32_t *)y)[i];
        double d = u == v || (isnan(u) && isnan(v)) ? 0 : isnan(u - v) ? INFINITY : fabs(u - v);
        *worst = d > *worst ? d : *worst;
    }
    free(x);
    free(y);
    return good;
}

typedef struct tally {
    size_t same, differ, shapes, only[2];
    double worst;
} tally;

static bool compare_one(laip_weights *a, size_t i, laip_weights *b, size_t k, double tolerance, tally *t,
                        laip_error *error)
{
    laip_tensor_entry x = a->tensors[i], y = b->tensors[k];
    char u[100], v[100];
    double worst;
    laip_shape_text(x.rank, x.shape, u, sizeof u);
    laip_shape_text(y.rank, y.shape, v, sizeof v);
    if (strcmp(u, v) != 0) {
        printf("%s: %s and %s\n", x.name, u, v);
        t->shapes++;
        return true;
    }
    if (!laip_weights_load(a, i, &x, error) || !laip_weights_load(b, k, &y, error) ||
        !compare(&x, &y, &worst, error))
        return false;
    if (worst > tolerance) {
        printf("%s: differs by up to %.6g\n", x.name, worst);
        t->differ++;
    } else {
        t->same++;
    }
    t->worst = worst > t->worst ? worst : t->worst;
    return true;
}

static void index_names(const laip_weights *w, laip_map *index)
{
    char name[300];
    for (size_t i = 0; i < w->count; i++) {
        laip_weights_name(w->tensors[i].name, name);
        laip_map_set(index, name, strlen(name), (int32_t)i);
    }
}

static bool compare_all(laip_weights *w, const arguments *a, tally *t, laip_error *error)
{
    laip_map index[2] = {{0}};
    char name[300];
    bool good = true;
    for (int f = 0; f < 2; f++)
        index_names(&w[f], &index[f]);
    for (int f = 0; f < 2; f++)
        for (size_t i = 0; good && i < w[f].count; i++) {
            int32_t other;
            laip_weights_name(w[f].tensors[i].name, name);
            if (!laip_map_get(&index[1 - f], name, strlen(name), &other)) {
                printf("%s: only in %s\n", name, a->files[f]);
                t->only[f]++;
            } else if (f == 0) {
                good = compare_one(&w[0], i, &w[1], (size_t)other, a->tolerance, t, error);
            }
        }
    laip_map_free(&index[0]);
    laip_map_free(&index[1]);
    return good;
}

int laip_model_diff(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"tolerance", TOLERANCE, "X", 0, "Differences up to this are none (0)", 0},
        {"key", KEY, "KEY", 0, "Dictionary to take of A, a .pth that holds several (the usual one)", 0},
        {"other-key", OTHER_KEY, "KEY", 0, "The same of B", 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        "A B",
        "Compares two files of weights by the tensors' names in this program's form: what is only in one, "
        "other shapes, and the worst difference of each tensor. Exit status 0: none; 1: some; 2: a file "
        "could "
        "not be read.\v"
        "Example:\n\n  laip-model diff checkpoint_best.pth converted.safetensors",
        NULL,
        NULL,
        NULL};
    arguments a = {.count = 0};
    laip_weights w[2] = {{0}};
    tally t = {0};
    laip_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    bool good = laip_weights_open_key(&w[0], a.files[0], a.keys[0], &error) &&
                laip_weights_open_key(&w[1], a.files[1], a.keys[1], &error);
    for (int f = 0; good && f < 2; f++)
        laip_weights_tell(&w[f]);
    good = good && compare_all(w, &a, &t, &error);
    laip_weights_close(&w[0]);
    laip_weights_close(&w[1]);
    if (!good) {
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
        return (int)error.status;
    }
    printf("%zu tensors the same, %zu differ, %zu of other shapes, %zu and %zu only in one; worst difference "
           "%.6g\n",
           t.same, t.differ, t.shapes, t.only[0], t.only[1], t.worst);
    return t.differ + t.shapes + t.only[0] + t.only[1] ? 1 : 0;
}
