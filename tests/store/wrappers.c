/* Weights as people's scripts leave them: found at any depth, under any wrapper's names; what lies beside
 * them is named and never made; among them it is refused. */
#include "support/test.h"

#include "store/weights.h"
#include "support/pth.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADD(p, text) laip_test_pth_add(p, text, sizeof text - 1)

static const float values[6] = {1, 2, 3, 4, 5, 6};
static const size_t shapes[3][2] = {{2, 3}, {4}, {1}};
static const int ranks[3] = {2, 1, 0};
static const char *const names[3] = {"vision_proj.weight", "itm_head.bias", "temp"};

/* The three tensors as an OrderedDict with an attribute, their names behind a prefix. */
static void weights(laip_test_pth *p, const char *prefix, float first)
{
    ADD(p, "ccollections\nOrderedDict\n)R(");
    for (int i = 0; i < 3; i++) {
        char name[100];
        float own[6];
        memcpy(own, values, sizeof own);
        own[0] = first;
        snprintf(name, sizeof name, "%s%s", prefix, names[i]);
        laip_test_pth_string(p, name);
        laip_test_pth_tensor(p, ranks[i], shapes[i], own);
    }
    ADD(p, "u}");
    laip_test_pth_string(p, "_metadata");
    ADD(p, "}sb");
}

static void under(laip_test_pth *p, const char *key, const char *prefix, float first)
{
    laip_test_pth_string(p, key);
    weights(p, prefix, first);
}

static void beside(laip_test_pth *p, const char *key, const char *operations, size_t length)
{
    laip_test_pth_string(p, key);
    laip_test_pth_add(p, operations, length);
}

#define BESIDE(p, key, text) beside(p, key, text, sizeof text - 1)
#define NAMESPACE "cargparse\nNamespace\n)\x81}(X\2\0\0\0lrG\x3f\xb9\x99\x99\x99\x99\x99\x9aub"
#define SCALAR                                                                                               \
    "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(X\2\0\0\0f8\x89\x88tR(K\3X\1\0\0\0<"                   \
    "NNNJ\xff\xff\xff\xff"                                                                                   \
    "J\xff\xff\xff\xffK\0tbc_codecs\nencode\n(X\3\0\0\0abcX\6\0\0\0latin1tRtR"

static char *file_of(laip_test_pth *p)
{
    static char *folder;
    if (!folder)
        folder = laip_test_folder("wrappers");
    char *path = laip_alloc(strlen(folder) + 20, 1);
    sprintf(path, "%s/file.pth", folder);
    laip_test_pth_write(p, path);
    return path;
}

/* The three tensors with their values, the first of which says which dictionary it was. */
static void same(laip_test_pth *p, const char *ask, const char *key, const char *prefix, float first,
                 const char *aside)
{
    laip_weights w;
    laip_error error;
    char *path = file_of(p);
    assert_ok(laip_weights_open_key(&w, path, ask, &error), error);
    assert_int_equal(w.count, 3);
    for (size_t i = 0; i < 3; i++) {
        laip_tensor_entry t;
        float have[6];
        assert_string_equal(w.tensors[i].name, names[i]);
        assert_ok(laip_weights_load(&w, i, &t, &error), error);
        assert_int_equal(t.rank, ranks[i]);
        memcpy(have, t.data, t.count * sizeof *have);
        assert_true(have[0] == first &&
                    (t.count < 2 || memcmp(have + 1, values + 1, (t.count - 1) * 4) == 0));
    }
    assert_string_equal(w.pth.key, key);
    assert_string_equal(w.prefix, prefix);
    if (!aside)
        assert_null(w.pth.aside);
    else
        assert_string_equal(w.pth.aside, aside);
    laip_weights_close(&w);
    free(path);
}

static void refused(laip_test_pth *p, const char *key, const char *says)
{
    laip_weights w;
    laip_error error;
    char *path = file_of(p);
    assert_false(laip_weights_open_key(&w, path, key, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    if (!strstr(error.text, says) || !strstr(error.text, path))
        fail_msg("'%s' is not in: %s", says, error.text);
    free(path);
}

static void prefixes(void **state)
{
    (void)state;
    const char *const all[] = {"",
                               "module.",
                               "_orig_mod.",
                               "module._orig_mod.",
                               "_orig_mod.module.",
                               "model.",
                               "model.module._orig_mod."};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        laip_test_pth p = {.count = 0};
        ADD(&p, "}");
        under(&p, "model", all[i], 1);
        ADD(&p, "s");
        same(&p, NULL, "model", all[i], 1, NULL);
    }
}

/* A prefix that one name does not share is part of the others; torch.compile's mark goes wherever it stands.
 */
static void within(void **state)
{
    (void)state;
    laip_test_pth p = {.count = 0};
    laip_weights w;
    laip_error error;
    const char *const in[] = {"module.a", "b._orig_mod.c", "x_orig_mod.d"}, *const out[] = {"module.a", "b.c",
                                                                                            "x_orig_mod.d"};
    ADD(&p, "}(");
    for (int i = 0; i < 3; i++) {
        laip_test_pth_string(&p, in[i]);
        laip_test_pth_tensor(&p, 1, shapes[1], values);
    }
    ADD(&p, "u");
    char *path = file_of(&p);
    assert_ok(laip_weights_open(&w, path, &error), error);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(w.tensors[i].name, out[i]);
    laip_weights_close(&w);
    free(path);
}

static void depths(void **state)
{
    (void)state;
    laip_test_pth p = {.count = 0};
    weights(&p, "", 1);
    same(&p, NULL, "", "", 1, NULL);
    ADD(&p, "}(");
    under(&p, "model_state_dict", "", 1);
    BESIDE(&p, "epoch", "K\3");
    BESIDE(&p, "loss", "G\x3f\xe0\0\0\0\0\0\0");
    ADD(&p, "u");
    same(&p, NULL, "model_state_dict", "", 1, "2 plain values");
    ADD(&p, "}(X\5\0\0\0state}(");
    under(&p, "net", "module.", 1);
    ADD(&p, "uu");
    same(&p, NULL, "state.net", "module.", 1, NULL);
    ADD(&p, "](K\1}(X\1\0\0\0x}X\1\0\0\0y]("); /* [1, {"x": {"y": [weights]}}] */
    weights(&p, "", 1);
    ADD(&p, "esue");
    same(&p, NULL, "1.x.y.0", "", 1, "1 plain value");
}

/* Usual names come first, then the dictionary of most tensors; an average and an optimiser's come last. */
static void several(void **state)
{
    (void)state;
    const char *const asked[][2] = {{NULL, "model"}, {"model_ema", "model_ema"}, {"model", "model"}};
    for (int i = 0; i < 3; i++) {
        laip_test_pth p = {.count = 0};
        ADD(&p, "}(");
        under(&p, "model_ema", "", 2);
        under(&p, "model", "", 1);
        ADD(&p, "u");
        same(&p, asked[i][0], asked[i][1], "", i == 1 ? 2 : 1,
             i == 1 ? "model (3 tensors, key model)" : "model_ema (3 tensors, key model_ema)");
    }
    laip_test_pth p = {.count = 0};
    ADD(&p, "}(X\3\0\0\0rng}X\3\0\0\0cpu");
    laip_test_pth_tensor(&p, 1, shapes[1], values);
    ADD(&p, "s");
    under(&p, "ema", "", 2);
    under(&p, "mine", "", 1);
    ADD(&p, "X\6\0\0\0optims}(");
    under(&p, "a", "", 3);
    ADD(&p, "X\1\0\0\0b");
    laip_test_pth_tensor(&p, 1, shapes[1], values);
    ADD(&p, "uu");
    same(&p, NULL, "mine", "", 1,
         "rng (1 tensors, key rng), ema (3 tensors, key ema), optims (1 tensors, key optims), optims.a (3 "
         "tensors, "
         "key optims.a)");
    ADD(&p, "}(");
    under(&p, "a", "", 1);
    ADD(&p, "u");
    refused(&p, "b", "under the key b, but a (3 tensors, key a)");
}

/* Objects beside the weights: an optimiser's state, a Namespace, numpy's scalars, a list of them. */
static void company(void **state)
{
    (void)state;
    laip_test_pth p = {.count = 0};
    ADD(&p, "}(");
    under(&p, "model", "", 1);
    BESIDE(&p, "args", NAMESPACE);
    BESIDE(&p, "best", SCALAR);
    BESIDE(&p, "history", "](" SCALAR SCALAR "e");
    BESIDE(&p, "epoch", "K\2");
    ADD(&p, "X\x09\0\0\0optimizer}(X\5\0\0\0state}K\0}X\7\0\0\0exp_avg");
    laip_test_pth_tensor(&p, 1, shapes[1], values);
    ADD(&p, "ssX\x0c\0\0\0param_groups]uu");
    same(
        &p, NULL, "model", "", 1,
        "args (argparse.Namespace), best (numpy.core.multiarray.scalar), history.0 "
        "(numpy.core.multiarray.scalar), history.1 (numpy.core.multiarray.scalar), optimizer (an optimiser's "
        "state), 1 plain value");
}

/* Code that would run stays a name: beside the weights it is skipped, among them, or alone, refused. */
static void hostile(void **state)
{
    (void)state;
    laip_test_pth p = {.count = 0};
    ADD(&p, "}(");
    under(&p, "model", "", 1);
    BESIDE(&p, "x", "cos\nsystem\nX\4\0\0\0true\x85R");
    ADD(&p, "u");
    same(&p, NULL, "model", "", 1, "x (os.system)");
    ADD(&p, "}(");
    laip_test_pth_string(&p, names[0]);
    laip_test_pth_tensor(&p, 1, shapes[1], values);
    BESIDE(&p, "x", "cos\nsystem\nX\4\0\0\0true\x85R");
    ADD(&p, "u");
    refused(&p, NULL, "x is of type os.system, expected tensors alone");
    ADD(&p, "}(");
    laip_test_pth_string(&p, names[0]);
    laip_test_pth_tensor(&p, 1, shapes[1], values);
    ADD(&p, "cos\nsystem\n)RK\1u");
    refused(&p, NULL, "a key is of type os.system");
    ADD(&p, "cos\nsystem\nX\4\0\0\0true\x85R");
    refused(&p, NULL, "an object of type os.system");
    ADD(&p, "}(X\1\0\0\0ac"
            "builtins\neval\n)Ru");
    refused(&p, NULL, "only a (builtins.eval)");
    ADD(&p, "K\1");
    refused(&p, NULL, "holds no dictionary of tensors, only nothing");
}

/* A list that holds itself, and dictionaries that hold each other many times over, end. */
static void circles(void **state)
{
    (void)state;
    laip_test_pth p = {.count = 0};
    ADD(&p, "}(X\1\0\0\0a]q\1h\1aX\1\0\0\0b]q\2");
    for (int i = 0; i < 40; i++)
        ADD(&p, "](h\2h\2eq\2");
    for (int i = 0; i < 40; i++)
        ADD(&p, "\x85");
    under(&p, "model", "", 1);
    ADD(&p, "u");
    laip_weights w;
    laip_error error;
    char *path = file_of(&p);
    if (!laip_weights_open(&w, path, &error))
        assert_int_equal(error.status, LAIP_BAD_INPUT);
    else
        laip_weights_close(&w);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(prefixes), cmocka_unit_test(within),
                                       cmocka_unit_test(depths),   cmocka_unit_test(several),
                                       cmocka_unit_test(company),  cmocka_unit_test(hostile),
                                       cmocka_unit_test(circles)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
