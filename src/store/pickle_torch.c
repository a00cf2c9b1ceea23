/* The names that PyTorch's pickles of tensors say. */
#include "store/pickle_names.h"

#include <string.h>

static const struct {
    const char *name;
    laip_dtype type;
} storages[] = {{"torch.FloatStorage", LAIP_F32},     {"torch.HalfStorage", LAIP_F16},
                {"torch.BFloat16Storage", LAIP_BF16}, {"torch.DoubleStorage", LAIP_F64},
                {"torch.LongStorage", LAIP_I64},      {"torch.IntStorage", LAIP_I32},
                {"torch.ShortStorage", LAIP_I16},     {"torch.CharStorage", LAIP_I8},
                {"torch.ByteStorage", LAIP_U8},       {"torch.BoolStorage", LAIP_BOOL}};

/* Types stand for themselves in settings of optimisers; nothing is made of them. */
static const char *const others[] = {"collections.OrderedDict",
                                     "torch._utils._rebuild_tensor",
                                     "torch._utils._rebuild_tensor_v2",
                                     "torch._utils._rebuild_parameter",
                                     "torch.Size",
                                     "torch.float32",
                                     "torch.float16",
                                     "torch.bfloat16",
                                     "torch.float64",
                                     "torch.int64",
                                     "torch.device"};

bool laip_pickle_known(const char *name, bool *storage, laip_dtype *type)
{
    *storage = false;
    for (size_t i = 0; i < sizeof storages / sizeof *storages; i++)
        if (strcmp(name, storages[i].name) == 0) {
            *type = storages[i].type;
            return *storage = true;
        }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i]) == 0)
            return true;
    return false;
}

static bool is_size(const laip_pickle_node *n)
{
    return n->kind == LAIP_PICKLE_INT && n->integer >= 0;
}

/* (storage, first, shape, stride, …) */
static bool rebuild_tensor(laip_arena *arena, const laip_pickle_node *a, laip_pickle_node **result,
                           laip_error *error)
{
    if (a->length < 4 || a->items[0]->kind != LAIP_PICKLE_STORAGE || !is_size(a->items[1]) ||
        a->items[2]->kind != LAIP_PICKLE_LIST || a->items[3]->kind != LAIP_PICKLE_LIST ||
        a->items[2]->length != a->items[3]->length || a->items[2]->length > LAIP_RANK)
        return laip_bad_input(error,
                              "a tensor of other arguments than storage, offset, at most %d sizes and "
                              "strides",
                              LAIP_RANK);
    laip_pickle_tensor *t = laip_arena_alloc(arena, 1, sizeof *t);
    t->storage = a->items[0];
    t->first = (size_t)a->items[1]->integer;
    t->rank = (int)a->items[2]->length;
    size_t count = 1, last = t->first, room = t->storage->length;
    for (int i = 0; i < t->rank; i++) {
        const laip_pickle_node *size = a->items[2]->items[i], *stride = a->items[3]->items[i];
        if (!is_size(size) || !is_size(stride))
            return laip_bad_input(error, "a tensor whose size or stride %d is no number from 0", i);
        t->shape[i] = (size_t)size->integer;
        t->stride[i] = (size_t)stride->integer;
        if (t->shape[i] && count > SIZE_MAX / 8 / t->shape[i])
            return laip_bad_input(error, "a tensor of too many elements");
        count *= t->shape[i];
    }
    for (int i = 0; count && i < t->rank; i++) {
        size_t steps = t->shape[i] - 1;
        if (steps && t->stride[i] > (room - (last < room ? last : room)) / steps)
            last = room;
        else
            last += steps * t->stride[i];
    }
    if (count && last >= room)
        return laip_bad_input(error, "a tensor beyond the %zu elements of its storage %s", room,
                              t->storage->text);
    *result = laip_arena_alloc(arena, 1, sizeof **result);
    (*result)->kind = LAIP_PICKLE_TENSOR;
    (*result)->type = t->storage->type;
    (*result)->tensor = t;
    return true;
}

bool laip_pickle_apply(laip_arena *arena, const laip_pickle_node *name, const laip_pickle_node *a,
                       laip_pickle_node **result, laip_error *error)
{
    if (name->kind != LAIP_PICKLE_NAME || a->kind != LAIP_PICKLE_LIST)
        return laip_bad_input(error, "a call of what is no name, or with no tuple");
    if (strncmp(name->text, "torch._utils._rebuild_tensor", 28) == 0)
        return rebuild_tensor(arena, a, result, error);
    if (strcmp(name->text, "torch._utils._rebuild_parameter") == 0) {
        if (!a->length || a->items[0]->kind != LAIP_PICKLE_TENSOR)
            return laip_bad_input(error, "a parameter of no tensor");
        *result = a->items[0];
        return true;
    }
    laip_pickle_node *n = laip_arena_alloc(arena, 1, sizeof *n);
    if (strcmp(name->text, "collections.OrderedDict") == 0) {
        n->kind = LAIP_PICKLE_DICT;
        if (a->length) /* Python 2 hands a list of pairs; PyTorch's come empty and are filled */
            return laip_bad_input(error, "an OrderedDict that is made of something");
    } else if (strcmp(name->text, "torch.Size") == 0 && a->length == 1 &&
               a->items[0]->kind == LAIP_PICKLE_LIST) {
        *n = *a->items[0];
    } else if (strcmp(name->text, "torch.device") == 0) {
        n->kind = LAIP_PICKLE_NAME;
        n->text = name->text;
    } else {
        return laip_bad_input(error, "a call of %s, which nothing is made with", name->text);
    }
    *result = n;
    return true;
}

static bool is_text(const laip_pickle_node *n)
{
    return n->kind == LAIP_PICKLE_STRING && strlen(n->text) == n->length;
}

bool laip_pickle_persistent(laip_arena *arena, const laip_pickle_node *id, laip_pickle_node **result,
                            laip_error *error)
{
    bool storage;
    laip_dtype type = LAIP_F32;
    if (id->kind != LAIP_PICKLE_LIST || id->length < 5 || !is_text(id->items[0]) ||
        strcmp(id->items[0]->text, "storage") != 0 || id->items[1]->kind != LAIP_PICKLE_NAME ||
        !laip_pickle_known(id->items[1]->text, &storage, &type) || !storage || !is_text(id->items[2]) ||
        !is_size(id->items[4]))
        return laip_bad_input(error, "a persistent object that is no storage");
    laip_pickle_node *n = laip_arena_alloc(arena, 1, sizeof *n);
    n->kind = LAIP_PICKLE_STORAGE;
    n->type = type;
    n->text = id->items[2]->text;
    n->length = (size_t)id->items[4]->integer;
    if (n->length > SIZE_MAX / 16)
        return laip_bad_input(error, "a storage of %zu elements", n->length);
    if (id->length > 5 && id->items[5]->kind != LAIP_PICKLE_NONE) { /* a view: (its key, first, elements) */
        const laip_pickle_node *view = id->items[5];
        if (view->kind != LAIP_PICKLE_LIST || view->length != 3 || !is_size(view->items[1]) ||
            !is_size(view->items[2]) || (size_t)view->items[1]->integer > n->length ||
            (size_t)view->items[2]->integer > n->length - (size_t)view->items[1]->integer)
            return laip_bad_input(error, "a view beyond its storage %s", n->text);
        n->integer = view->items[1]->integer;
        n->length = (size_t)view->items[2]->integer;
    }
    *result = n;
    return true;
}
