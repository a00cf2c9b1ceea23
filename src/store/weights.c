#include "store/weights.h"

#include "base/log.h"
#include "store/weights_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool open_file(laip_weights *w, const char *key, laip_error *error)
{
    char first[512] = "";
    size_t size;
    int fd;
    if (!laip_file_open(w->path, &fd, &size, error))
        return false;
    bool good = laip_file_read_at(fd, w->path, 0, first, size < sizeof first ? size : sizeof first, error);
    close(fd);
    if (!good)
        return false;
    w->is_pth = laip_pth_is(first, size);
    bool tar = size > 262 && memcmp(first + 257, "ustar", 5) == 0;
    if (tar)
        return laip_bad_input(error,
                              "%s: is a tar, as PyTorch wrote before 0.1.10; expected safetensors, or a .pth "
                              "of later versions",
                              w->path);
    if (!w->is_pth && key && *key)
        return laip_bad_input(error, "%s: is no .pth of PyTorch's, expected one for the key %.100s", w->path,
                              key);
    return w->is_pth ? laip_pth_open(&w->pth, w->path, key, error)
                     : laip_safetensors_open(&w->safetensors, w->path, error);
}

/* The names without what wrappers put into them, each in a copy. */
static void take_names(laip_weights *w)
{
    const laip_tensor_entry *from = w->is_pth ? w->pth.tensors : w->safetensors.tensors;
    w->count = w->is_pth ? w->pth.count : w->safetensors.count;
    w->tensors = laip_alloc(w->count + 1, sizeof *w->tensors);
    for (size_t i = 0; i < w->count; i++) {
        w->tensors[i] = from[i];
        w->tensors[i].name = laip_strdup(from[i].name);
    }
    w->prefix = laip_weights_strip(w->tensors, w->count);
}

bool laip_weights_open_key(laip_weights *w, const char *path, const char *key, laip_error *error)
{
    *w = (laip_weights){.path = laip_strdup(path)};
    if (open_file(w, key, error)) {
        take_names(w);
        return true;
    }
    free(w->path);
    *w = (laip_weights){0};
    return false;
}

bool laip_weights_open(laip_weights *w, const char *path, laip_error *error)
{
    return laip_weights_open_key(w, path, NULL, error);
}

void laip_weights_tell(const laip_weights *w)
{
    bool within = w->is_pth && *w->pth.key;
    const char *aside = w->is_pth ? w->pth.aside : NULL;
    if (!*w->prefix && !aside && !within)
        return;
    laip_note("%s: %zu tensors%s%s%s%s%s%s", w->path, w->count, within ? " of " : "",
              within ? w->pth.key : "", *w->prefix ? ", named without " : "", w->prefix,
              aside ? "; left aside: " : "", aside ? aside : "");
}

void laip_weights_close(laip_weights *w)
{
    if (w->is_pth)
        laip_pth_close(&w->pth);
    else if (w->path)
        laip_safetensors_close(&w->safetensors);
    for (size_t i = 0; i < w->count; i++)
        free(w->tensors[i].name);
    free(w->tensors);
    free(w->prefix);
    free(w->held);
    free(w->path);
    *w = (laip_weights){0};
}

bool laip_weights_load(laip_weights *w, size_t i, laip_tensor_entry *tensor, laip_error *error)
{
    *tensor = w->tensors[i];
    free(w->held);
    w->held = laip_alloc(tensor->count + 1, laip_dtype_size(tensor->type));
    tensor->data = w->held;
    return w->is_pth ? laip_pth_read(&w->pth, i, w->held, error)
                     : laip_safetensors_read(&w->safetensors, i, w->held, error);
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
