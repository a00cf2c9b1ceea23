#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "config/config.h"
#include <stdlib.h>
#include <string.h>

static const char good_text[] = "seed: 7\n"
                                "model:\n"
                                "  image_height: 128\n"
                                "  image_width: 64\n"
                                "  width: 96\n"
                                "  heads: 4\n"
                                "  cross_layers: 2\n"
                                "loss: {bidiratt_layer: 2, bidiratt_loss: contrastive, temperature: 0.1}\n"
                                "data:\n"
                                "  annotations: people/reid_raw.json\n"
                                "  grammar: 'NP: {<JJ>*<NN>}'\n"
                                "  sep: true\n"
                                "  pad: 4\n"
                                "  bad_images: skip\n"
                                "phases:\n"
                                "  - {name: one, epochs: 3, lr: 1e-3, min_lr: 1e-5}\n"
                                "  - name: two\n"
                                "    steps: 100\n"
                                "    mpm: 0.5\n";

static laip_config parsed(const char *text)
{
    laip_config c;
    laip_error error;
    laip_config_defaults(&c);
    assert_ok(laip_config_parse(&c, "a.yaml", text, &error), error);
    return c;
}

static void read_values(void **state)
{
    (void)state;
    laip_error error;
    laip_config c = parsed(good_text);
    assert_ok(laip_config_check(&c, &error), error);
    assert_int_equal(c.seed, 7);
    assert_int_equal(c.model.image_width, 64);
    assert_int_equal(c.model.vit_layers, 12); /* the default */
    assert_int_equal(c.loss.bidiratt_loss, LAIP_BIDIRATT_CONTRASTIVE);
    assert_near((double)c.loss.temperature, 0.1, 1e-7);
    assert_string_equal(c.annotations, "people/reid_raw.json");
    assert_string_equal(c.grammar, "NP: {<JJ>*<NN>}");
    assert_int_equal(c.sep, 1);
    assert_int_equal(c.augment.pad, 4);
    assert_int_equal(c.skip_bad_images, 1);
    assert_int_equal(c.phase_count, 2);
    assert_string_equal(c.phases[0].name, "one");
    assert_int_equal(c.phases[0].epochs, 3);
    assert_int_equal(c.phases[1].steps, 100);
    laip_loss_config l = laip_config_losses(&c, &c.phases[1]);
    assert_near((double)l.weight[LAIP_LOSS_MPM], 0.5, 0);
    assert_near((double)l.weight[LAIP_LOSS_ITC], 1, 0);
    laip_config_free(&c);
}

/* What is written reads back as the same, and names every key of the help. */
static void round_trip(void **state)
{
    (void)state;
    laip_error error;
    laip_config c = parsed(good_text);
    assert_ok(laip_config_set(&c, "data.generic_heads=man, \"woman\": #x", &error), error);
    assert_ok(laip_config_set(&c, "loss.momentum=0.987654321", &error), error);
    laip_str first = {0}, second = {0}, help = {0};
    laip_config_write(&c, &first);
    laip_config d = parsed(first.text);
    laip_config_write(&d, &second);
    assert_string_equal(first.text, second.text);
    assert_string_equal(d.generic_heads, "man, \"woman\": #x");
    assert_memory_equal(&c.model, &d.model, sizeof c.model);
    assert_memory_equal(&c.loss, &d.loss, sizeof c.loss);
    laip_config_help(&help);
    for (const char *const *key =
             (const char *const[]){"seed", "model.image_height", "data.erasing", "eval.rerank",
                                   "phases.N.mlm", "data.randaugment", NULL};
         *key; key++)
        assert_non_null(strstr(help.text, *key));
    free(first.text);
    free(second.text);
    free(help.text);
    laip_config_free(&c);
    laip_config_free(&d);
}

static void settings_by_hand(void **state)
{
    (void)state;
    laip_error error;
    laip_config c = parsed(good_text);
    assert_ok(laip_config_set(&c, "phases.1.lr=2e-4", &error), error);
    assert_near((double)c.phases[1].lr, 2e-4, 1e-9);
    assert_ok(laip_config_set(&c, "phases.2.steps=5", &error), error);
    assert_int_equal(c.phase_count, 3);
    assert_ok(laip_config_set(&c, "device=a=b", &error), error);
    assert_string_equal(c.device, "a=b");
    assert_ok(laip_config_set(&c, "data.vocab=", &error), error);
    assert_string_equal(c.vocab, "");
    assert_ok(laip_config_set(&c, "batch.size=9", &error), error); /* by its former name */
    assert_int_equal(c.batch, 9);
    const struct {
        const char *set, *line;
    } bad[] = {
        {"seed", "--set seed: expected KEY=VALUE"},
        {"=3", "--set =3: expected KEY=VALUE"},
        {"sed=3", "--set sed is no setting; did you mean seed?"},
        {"model.widht=3", "--set model.widht is no setting; did you mean model.width?"},
        {"xyzzy=3", "--set xyzzy is no setting; laip-train --help-config lists them"},
        {"phases.0.warmpu=1", "--set phases.0.warmpu is no setting; did you mean phases.0.warmup?"},
        {"phases.9.lr=1", "--set phases.9.lr: expected phases.N.SETTING with N from 0 to 7"},
        {"phases.5.lr=1",
         "--set phases.5.lr: there are 3 phases, expected N of one of them, or 3 for another"},
        {"phases.x.lr=1", "--set phases.x.lr: expected phases.N.SETTING with N from 0 to 7"},
        {"seed=x", "--set seed is \"x\", expected a whole number"},
        {"seed=1.5", "--set seed is \"1.5\", expected a whole number"},
        {"seed=", "--set seed is \"\", expected a whole number"},
        {"seed=-1", "--set seed is -1, expected 0 to 1e+15"},
        {"model.dropout=nan", "--set model.dropout is \"nan\", expected a number"},
        {"model.dropout=1e999", "--set model.dropout is \"1e999\", expected a number"},
        {"model.width=0x10", "--set model.width is \"0x10\", expected a whole number"},
        {"model.dropout=2", "--set model.dropout is 2, expected 0 to 0.99"},
        {"data.sep=1", "--set data.sep is \"1\", expected true or false"},
        {"data.bad_images=no", "--set data.bad_images is \"no\", expected one of stop, skip"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(laip_config_set(&c, bad[i].set, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_string_equal(error.text, bad[i].line);
    }
    assert_int_equal(c.seed, 7);
    laip_config_free(&c);
}

static void broken_files(void **state)
{
    (void)state;
    const struct {
        const char *text, *line;
    } bad[] = {
        {"sed: 1\n", "a.yaml:1:6: sed is no setting; did you mean seed?"},
        {"model:\n  widht: 3\n", "a.yaml:2:10: model.widht is no setting; did you mean model.width?"},
        {"model: 3\n", "a.yaml:1:8: model is no setting; laip-train --help-config lists them"},
        {"seed: [1]\n", "a.yaml:1:7: seed is a list, expected a single value"},
        {"seed: {a: 1}\n", "a.yaml:1:7: seed is a mapping, expected a single value"},
        {"seed:\n", "a.yaml:1:6: seed is \"\", expected a whole number"},
        {"- a\n", "a.yaml:1:1: the file is a list, expected settings"},
        {"word\n", "a.yaml:1:1: holds a single value, expected settings"},
        {"phases:\n  - {name: a}\n  - {lrr: 3}\n",
         "a.yaml:3:11: phases.1.lrr is no setting; did you mean phases.1.lr?"},
        {"phases:\n  - 3\n", "a.yaml:2:5: phases.0: expected phases.N.SETTING with N from 0 to 7"},
        {"phases: 3\n", "a.yaml:1:9: phases is no setting; laip-train --help-config lists them"},
        {"seed: 1\nseed: 2\n", "a.yaml:2:1: the key 'seed' is named twice, first in line 1"},
        {"?", "a.yaml:1:2: an empty key"},
        {"model: {'': 1}\n", "a.yaml:1:9: an empty key"},
        {"base: [a]\n", "a.yaml:1:7: base is a list, expected a string"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        laip_config c;
        laip_error error;
        laip_config_defaults(&c);
        assert_false(laip_config_parse(&c, "a.yaml", bad[i].text, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_string_equal(error.text, bad[i].line);
        laip_config_free(&c);
    }
}

/* Sizes that cannot be are refused by the settings' names. */
static void impossible(void **state)
{
    (void)state;
    const struct {
        const char *set, *says;
    } bad[] = {
        {"model.image_height=100", "model.image is 100 x 64, expected multiples of model.patch"},
        {"model.heads=7", "model.width is 96, expected a multiple of model.heads, which is 7"},
        {"loss.bidiratt_layer=3", "loss.bidiratt_layer is 3, expected 1 to model.cross_layers, which is 2"},
        {"data.max_tokens=600", "data.max_tokens is 600, expected at most model.positions, which is 512"},
        {"gemm=x", "gemm is \"x\", expected auto"},
        {"data.annotations=", "data.annotations is empty"},
        {"phases.0.steps=3", "phases.0: steps is 3 and epochs is 3, expected one of them"},
        {"phases.1.steps=0", "phases.1: steps is 0 and epochs is 0"},
        {"phases.0.min_lr=1", "phases.0.min_lr is 1, expected at most phases.0.lr"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        laip_error error;
        laip_config c = parsed(good_text);
        assert_ok(laip_config_set(&c, bad[i].set, &error), error);
        assert_false(laip_config_check(&c, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        if (!strstr(error.text, bad[i].says))
            fail_msg("'%s' has no '%s'", error.text, bad[i].says);
        laip_config_free(&c);
    }
    laip_error error;
    laip_config c = parsed("data: {annotations: a}\n");
    assert_false(laip_config_check(&c, &error));
    assert_string_equal(error.text, "phases is empty, expected one at least");
    laip_config_free(&c);
    c = parsed("data: {annotations: a}\nphases: [{steps: 1, itc: 0, itm: 0}]\n");
    assert_false(laip_config_check(&c, &error));
    assert_string_equal(error.text, "phases.0: all weights of losses are 0, expected one that is not");
    laip_config_free(&c);
}

static char *put(const char *folder, const char *name, const char *text)
{
    laip_error error;
    char *path = laip_path_join(folder, name);
    assert_ok(laip_file_write(path, text, strlen(text), &error), error);
    return path;
}

/* A file over its base: single settings, one phase of the base, or all of its phases. */
static void bases(void **state)
{
    (void)state;
    laip_error error;
    laip_config c;
    char *folder = laip_test_folder("config");
    free(put(folder, "base.yaml", good_text));
    char *change = put(folder, "change.yaml", "base: base.yaml\nseed: 8\nphases: {1: {mpm: 0.25}}\n");
    char *replace = put(folder, "replace.yaml", "base: change.yaml\nphases:\n  - {name: only, steps: 1}\n");
    char *circle = put(folder, "circle.yaml", "base: circle.yaml\n");
    char *missing = put(folder, "missing.yaml", "seed: 1\nbase: none.yaml\n");
    laip_config_defaults(&c);
    assert_ok(laip_config_read(&c, change, &error), error);
    assert_int_equal(c.seed, 8);
    assert_int_equal(c.model.width, 96);
    assert_int_equal(c.phase_count, 2);
    assert_string_equal(c.phases[1].name, "two");
    assert_near((double)c.phases[1].weight[LAIP_LOSS_MPM], 0.25, 0);
    laip_config_free(&c);
    laip_config_defaults(&c);
    assert_ok(laip_config_read(&c, replace, &error), error);
    assert_int_equal(c.seed, 8);
    assert_int_equal(c.phase_count, 1);
    assert_string_equal(c.phases[0].name, "only");
    assert_false(laip_config_read(&c, circle, &error));
    assert_non_null(strstr(error.text, "circle.yaml:1:7: base: 8 files are the base of each other"));
    assert_false(laip_config_read(&c, missing, &error));
    assert_non_null(strstr(error.text, "missing.yaml:2:7: base: "));
    assert_non_null(strstr(error.text, "none.yaml: "));
    assert_false(laip_config_read(&c, "no/such.yaml", &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    laip_config_free(&c);
    free(change);
    free(replace);
    free(circle);
    free(missing);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(read_values),      cmocka_unit_test(round_trip),
                                       cmocka_unit_test(settings_by_hand), cmocka_unit_test(broken_files),
                                       cmocka_unit_test(impossible),       cmocka_unit_test(bases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
