/* Encoders that were trained by themselves: a ViT of timm's or DeiT's, a BERT of Hugging Face's. */
#include "store/checkpoint_internal.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 300 };

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void vit_name(const char *from, char *name)
{
    snprintf(name, NAME, "visual_encoder.%s", from);
}

/* With or without "bert." (a whole model, or one of its encoder), and with the names that LayerNorm's
 * parameters had in TensorFlow. */
static void bert_name(const char *from, char *name)
{
    static const char *const ends[][2] = {{".LayerNorm.gamma", ".LayerNorm.weight"},
                                          {".LayerNorm.beta", ".LayerNorm.bias"}};
    bool whole = begins(from, "bert.") || begins(from, "cls.");
    size_t n = strlen(from);
    for (int i = 0; i < 2; i++) {
        size_t end = strlen(ends[i][0]);
        if (n > end && strcmp(from + n - end, ends[i][0]) == 0) {
            snprintf(name, NAME, "text_encoder.%s%.*s%s", whole ? "" : "bert.", (int)(n - end), from,
                     ends[i][1]);
            return;
        }
    }
    snprintf(name, NAME, "text_encoder.%s%s", whole ? "" : "bert.", from);
}

static bool any_begins(const laip_checkpoint_reader *l, laip_checkpoint_namer *namer, const char *prefix)
{
    char name[NAME];
    for (size_t i = 0; i < l->file.count; i++) {
        namer(l->file.tensors[i].name, name);
        if (begins(name, prefix))
            return true;
    }
    return false;
}

/* The tensors of the model's online table whose names begin with `part`. */
static bool load(const char *path, laip_model *m, laip_checkpoint_namer *namer, const char *part,
                 laip_error *error)
{
    laip_checkpoint_reader l = {.model = m};
    bool good = laip_checkpoint_open(&l, path, NULL, namer, error);
    bool head = good && any_begins(&l, namer, "text_encoder.cls.predictions.transform.");
    for (size_t i = 0; good && i < m->table.count; i++)
        for (int k = 0; good && k < m->table.params[i]->parts; k++) {
            laip_param *q = m->table.params[i];
            const char *name = q->part[k].name;
            if (!begins(name, part) || strstr(name, ".crossattention.") ||
                (!head && begins(name, "text_encoder.cls.")))
                continue;
            good = laip_checkpoint_load_part(&l, q, &q->part[k], name, 0, error);
        }
    good = good && laip_checkpoint_strict(&l, path, namer, error);
    if (good)
        laip_note("%s: %zu tensors into %s* (%zu of other types, %zu positions resized)%s", path, l.loaded,
                  part, l.retyped, l.resized,
                  begins(part, "text") && !head ? "; it has no head for masked words" : "");
    if (good && m->training)
        laip_params_copy_average(&m->params);
    laip_checkpoint_close(&l);
    return good && laip_device_ok(m->device, error);
}

bool laip_pretrained_vit(const char *path, laip_model *model, laip_error *error)
{
    return load(path, model, vit_name, "visual_encoder.", error);
}

/* What no tensor's shape shows: the number of heads, as config.json beside the weights has it. */
static bool check_heads(const char *folder, const laip_model *m, laip_error *error)
{
    char *path = laip_path_join(folder, "config.json");
    json_error_t where;
    json_t *top = access(path, R_OK) == 0 ? json_load_file(path, 0, &where) : NULL;
    const json_t *heads = json_object_get(top, "num_attention_heads");
    bool good = !json_is_integer(heads) || json_integer_value(heads) == m->sizes.heads ||
                laip_bad_input(error, "%s: num_attention_heads is %lld, expected model.heads, which is %d",
                               path, (long long)json_integer_value(heads), m->sizes.heads);
    json_decref(top);
    free(path);
    return good;
}

bool laip_pretrained_bert(const char *path, laip_model *model, laip_error *error)
{
    static const char *const files[] = {"model.safetensors", "pytorch_model.bin"};
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return load(path, model, bert_name, "text_encoder.", error);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *file = laip_path_join(path, files[i]);
        if (access(file, R_OK) == 0) {
            bool good =
                check_heads(path, model, error) && load(file, model, bert_name, "text_encoder.", error);
            free(file);
            return good;
        }
        free(file);
    }
    return laip_bad_input(error, "%s: has neither %s nor %s, expected a folder of Hugging Face's with a BERT",
                          path, files[0], files[1]);
}
