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
                                     "collections.defaultdict",
                                     "torch._utils._rebuild_tensor",
                                     "torch._utils._rebuild_tensor_v2",
                                     "torch._utils._rebuild_parameter",
                                     "torch._utils._rebuild_parameter_with_state",
                                     "torch._tensor._rebuild_from_type_v2",
                                     "torch.Tensor",
                                     "torch.nn.parameter.Parameter",
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

const char *laip_pickle_storage(laip_dtype type)
{
    for (size_t i = 0; i < sizeof storages / sizeof *storages; i++)
        if (storages[i].type == type)
            return storages[i].name + strlen("torch.");
    return NULL;
}

static bool is_size(const laip_pickle_node *n)
{
    return n->kind == LAIP_PICKLE_INT && n->integer >= 0;
}

laip_pickle_node *laip_pickle_foreign(laip_arena *arena, const char *type)
{
    laip_pickle_node *n = laip_arena_alloc(arena, 1, sizeof *n);
    char *name = laip_arena_strndup(arena, type, strlen(type));
    for (unsigned char *p = (unsigned char *)name; *p; p++)
        *p = *p < ' ' || *p > '~' ? '?' : *p;
    n->kind = LAIP_PICKLE_FOREIGN;
    n->text = name;
    n->length = strlen(name);
    return n;
}

/* Of a type that only has a name here: it, or one that is made of it. */
static laip_pickle_node *same_type(laip_arena *arena, const laip_pickle_node *of)
{
    laip_pickle_node *n = laip_arena_alloc(arena, 1, sizeof *n);
    n->kind = LAIP_PICKLE_FOREIGN;
    n->text = of->text;
    n->length = of->length;
    return n;
}

static bool any_foreign(const laip_pickle_node *list)
{
    for (size_t i = 0; i < list->length; i++)
        if (list->items[i]->kind == LAIP_PICKLE_FOREIGN)
            return true;
    return false;
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

/* Python 2 hands an OrderedDict a list of pairs; PyTorch's come empty and are filled. */
static bool rebuild_dict(laip_arena *arena, const laip_pickle_node *a, laip_pickle_node **result,
                         laip_error *error)
{
    laip_pickle_node *n = laip_arena_alloc(arena, 1, sizeof *n);
    const laip_pickle_node *pairs = a->length == 1 ? a->items[0] : NULL;
    n->kind = LAIP_PICKLE_DICT;
    *result = n;
    if (!a->length)
        return true;
    if (!pairs || pairs->kind != LAIP_PICKLE_LIST)
        return laip_bad_input(error, "an OrderedDict that is made of something else than a list of pairs");
    n->items = laip_arena_alloc(arena, 2 * pairs->length + 1, sizeof *n->items);
    n->capacity = 2 * pairs->length;
    for (size_t i = 0; i < pairs->length; i++) {
        const laip_pickle_node *pair = pairs->items[i];
        if (pair->kind != LAIP_PICKLE_LIST || pair->length != 2)
            return laip_bad_input(error, "an OrderedDict whose entry %zu is no pair", i);
        n->items[n->length++] = pair->items[0];
        n->items[n->length++] = pair->items[1];
    }
    return true;
}

/* What a parameter or a tensor with attributes was before it had them. */
static bool unwrap(laip_arena *arena, const laip_pickle_node *name, const laip_pickle_node *a,
                   laip_pickle_node **result, laip_error *error)
{
    if (strcmp(name->text, "torch._tensor._rebuild_from_type_v2") == 0) {
        /* (function, type, its arguments, attributes) */
        if (a->length == 4 && a->items[0]->kind == LAIP_PICKLE_NAME &&
            strncmp(a->items[0]->text, "torch._utils._rebuild_", 22) == 0)
            return laip_pickle_apply(arena, a->items[0], a->items[2], result, error);
        *result = same_type(arena, name);
        return true;
    }
    if (!a->length || (a->items[0]->kind != LAIP_PICKLE_TENSOR && a->items[0]->kind != LAIP_PICKLE_FOREIGN))
        return laip_bad_input(error, "a parameter of no tensor");
    *result = a->items[0];
    return true;
}

/* An object of a type that is not known; copyreg's way of making one names the type as an argument. */
static laip_pickle_node *unconstructed(laip_arena *arena, const laip_pickle_node *name,
                                       const laip_pickle_node *a)
{
    bool by_copyreg = strcmp(name->text, "copyreg._reconstructor") == 0 ||
                      strcmp(name->text, "copy_reg._reconstructor") == 0;
    if (by_copyreg && a->kind == LAIP_PICKLE_LIST && a->length && a->items[0]->kind == LAIP_PICKLE_FOREIGN)
        name = a->items[0];
    return same_type(arena, name);
}

bool laip_pickle_apply(laip_arena *arena, const laip_pickle_node *name, const laip_pickle_node *a,
                       laip_pickle_node **result, laip_error *error)
{
    if (name->kind == LAIP_PICKLE_FOREIGN) {
        *result = unconstructed(arena, name, a);
        return true;
    }
    if (name->kind != LAIP_PICKLE_NAME || a->kind != LAIP_PICKLE_LIST)
        return laip_bad_input(error, "a call of what is no name, or with no tuple");
    if (strcmp(name->text, "torch._utils._rebuild_tensor") == 0 ||
        strcmp(name->text, "torch._utils._rebuild_tensor_v2") == 0) {
        if (!any_foreign(a))
            return rebuild_tensor(arena, a, result, error);
        *result = same_type(arena, name);
        return true;
    }
    if (strcmp(name->text, "torch._utils._rebuild_parameter") == 0 ||
        strcmp(name->text, "torch._utils._rebuild_parameter_with_state") == 0 ||
        strcmp(name->text, "torch._tensor._rebuild_from_type_v2") == 0)
        return unwrap(arena, name, a, result, error);
    if (strcmp(name->text, "collections.OrderedDict") == 0)
        return rebuild_dict(arena, a, result, error);
    laip_pickle_node *n = laip_arena_alloc(arena, 1, sizeof *n);
    if (strcmp(name->text, "collections.defaultdict") == 0) {
        n->kind = LAIP_PICKLE_DICT;
    } else if (strcmp(name->text, "torch.Size") == 0 && a->length == 1 &&
               a->items[0]->kind == LAIP_PICKLE_LIST) {
        *n = *a->items[0];
    } else { /* a device, or a name that stands for a type and is called all the same */
        *n = *same_type(arena, name);
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
    if (id->kind == LAIP_PICKLE_LIST && id->length >= 2 && id->items[1]->kind == LAIP_PICKLE_FOREIGN) {
        *result = same_type(arena, id->items[1]);
        return true;
    }
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
