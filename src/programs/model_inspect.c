/* laip-model inspect: what a file of weights holds. */
#include "programs/model.h"
#include "store/weights.h"

#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *file, *key;
    bool json;
} arguments;

enum { JSON = 256, KEY };

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case JSON:
        a->json = true;
        return 0;
    case KEY:
        a->key = text;
        return 0;
    case ARGP_KEY_ARG:
        if (a->file)
            argp_usage(state);
        a->file = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool any(const laip_weights *w, const char *part)
{
    for (size_t i = 0; i < w->count; i++)
        if (strstr(w->tensors[i].name, part))
            return true;
    return false;
}

static const char *family(const laip_weights *w)
{
    if (laip_weights_metadata(w, "config"))
        return any(w, "first.") ? "the state of a run of LAIP" : "LAIP";
    if (!any(w, "text_encoder.") || !any(w, "visual_encoder."))
        return any(w, "encoder.layer.") ? "BERT" : "unknown";
    if (any(w, "prd_head.") || any(w, "mrtd_head."))
        return "RaSa";
    if (!any(w, "text_encoder.bert."))
        return "an ALBEF retrieval model";
    return any(w, "_queue") ? "ALBEF" : "ALBEF, without queues";
}

static size_t bytes_of(const laip_tensor_entry *t)
{
    return t->count * laip_dtype_size(t->type);
}

static void print_text(const laip_weights *w, const char *path)
{
    size_t elements = 0, bytes = 0;
    char shape[100];
    for (size_t i = 0; i < w->count; i++) {
        const laip_tensor_entry *t = &w->tensors[i];
        laip_shape_text(t->rank, t->shape, shape, sizeof shape);
        printf("%-5s %-22s %s\n", laip_dtype_name(t->type), shape, t->name);
        elements += t->count;
        bytes += bytes_of(t);
    }
    printf("%s: %s, %s: %zu tensors, %zu elements, %zu bytes", path,
           w->is_pth ? (w->pth.zip ? ".pth (zip)" : ".pth (stream)") : "safetensors", family(w), w->count,
           elements, bytes);
    if (w->is_pth && w->pth.others)
        printf(", and %zu entries that are no tensors", w->pth.others);
    putchar('\n');
}

static void print_json(const laip_weights *w)
{
    json_t *tensors = json_array(), *metadata = json_object();
    static const char *const keys[] = {"format", "step", "phase", "best", "config"};
    for (size_t i = 0; i < w->count; i++) {
        const laip_tensor_entry *t = &w->tensors[i];
        json_t *shape = json_array();
        for (int k = 0; k < t->rank; k++)
            json_array_append_new(shape, json_integer((json_int_t)t->shape[k]));
        json_array_append_new(tensors, json_pack("{s:s,s:s,s:o}", "name", t->name, "dtype",
                                                 laip_dtype_name(t->type), "shape", shape));
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (laip_weights_metadata(w, keys[i]))
            json_object_set_new(metadata, keys[i], json_string(laip_weights_metadata(w, keys[i])));
    json_t *all = json_pack("{s:s,s:s,s:o,s:o}", "form",
                            w->is_pth ? (w->pth.zip ? "pth zip" : "pth stream") : "safetensors", "family",
                            family(w), "metadata", metadata, "tensors", tensors);
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(all);
}

int laip_model_inspect(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", JSON, NULL, 0, "Prints JSON", 0},
        {"key", KEY, "KEY", 0, "Dictionary to take of a .pth that holds several (the usual one)", 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        "FILE",
        "Lists type, shape and name of every tensor of a file of weights: safetensors, or a .pth of PyTorch. "
        "Nothing in a .pth is ever executed or constructed; what it holds beside the weights is named.\v"
        "Example:\n\n  laip-model inspect ALBEF.pth | tail -n 1",
        NULL,
        NULL,
        NULL};
    arguments a = {0};
    laip_weights w;
    laip_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    bool good = laip_weights_open_key(&w, a.file, a.key, &error);
    for (size_t i = 0; good && !w.is_pth && i < w.count; i++)
        good = laip_safetensors_verify(&w.safetensors, i, &error);
    if (!good) {
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
        return (int)error.status;
    }
    laip_weights_tell(&w);
    if (a.json)
        print_json(&w);
    else
        print_text(&w, a.file);
    laip_weights_close(&w);
    return 0;
}
