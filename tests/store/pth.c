/* Files that PyTorch wrote (fixtures/pth, 2.x) against their twins in safetensors, to the bit; position
 * tables against its interpolation; hostile and damaged files are refused. */
#include "support/test.h"

#include "base/file.h"
#include "store/weights.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *fixture(const char *name)
{
    char path[600];
    const char *root = getenv("LAIP_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/tests/fixtures/pth/%s", root ? root : ".", name);
    return laip_strdup(path);
}

static void open_fixture(laip_weights *w, const char *name)
{
    laip_error error;
    char *path = fixture(name);
    assert_ok(laip_weights_open(w, path, &error), error);
    free(path);
}

static void same(const char *name, const char *twin_name, bool stream)
{
    laip_weights w, twin;
    laip_error error;
    open_fixture(&w, name);
    open_fixture(&twin, twin_name);
    assert_ok(laip_safetensors_load(&twin.safetensors, &error), error);
    assert_true(w.is_pth);
    assert_int_equal(w.pth.zip == NULL, stream);
    assert_int_equal(w.count, twin.count);
    for (size_t i = 0; i < w.count; i++) {
        laip_tensor_entry t;
        const laip_tensor_entry *o = laip_safetensors_find(&twin.safetensors, w.tensors[i].name);
        assert_non_null(o);
        assert_ok(laip_weights_load(&w, i, &t, &error), error);
        assert_int_equal(t.type, o->type);
        assert_int_equal(t.rank, o->rank);
        for (int k = 0; k < t.rank; k++)
            assert_int_equal(t.shape[k], o->shape[k]);
        if (t.count && memcmp(t.data, o->data, t.count * laip_dtype_size(t.type)) != 0)
            fail_msg("%s: %s has other bits than its twin", name, t.name);
    }
    laip_weights_close(&w);
    laip_weights_close(&twin);
}

/* Tied, transposed, strided, expanded and empty tensors, all types; in a bare dict, and under "model" beside
 * an optimiser's state and settings. */
static void twins(void **state)
{
    (void)state;
    same("bare_zip.pth", "twin.safetensors", false);
    same("bare_stream.pth", "twin.safetensors", true);
    same("nested_zip.pth", "twin.safetensors", false);
    same("nested_stream.pth", "twin.safetensors", true);
    same("state_dict.pth", "state_dict.safetensors", false);
}

static void parameter(void **state)
{
    (void)state;
    laip_weights w;
    open_fixture(&w, "parameter.pth");
    assert_int_equal(w.count, 1);
    assert_int_equal(w.tensors[0].shape[1], 3);
    laip_weights_close(&w);
}

static void refused(const char *path, const char *part)
{
    laip_weights w;
    laip_error error = {.status = LAIP_OK};
    if (laip_weights_open(&w, path, &error)) {
        laip_tensor_entry t;
        bool good = true; /* a storage may be what is damaged: that is seen when it is read */
        for (size_t i = 0; good && i < w.count; i++)
            good = laip_weights_load(&w, i, &t, &error);
        laip_weights_close(&w);
        if (good)
            fail_msg("%s was read, expected: %s", path, part);
    }
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    if (!strstr(error.text, part) || !strstr(error.text, path))
        fail_msg("'%s' is not in: %s", part, error.text);
}

/* Objects beside the weights are left aside, and named. */
static void company(void **state)
{
    (void)state;
    const char *const cases[][2] = {{"hostile_zip.pth", "posix.system"},
                                    {"hostile_stream.pth", "posix.system"},
                                    {"namespace.pth", "argparse.Namespace"}};
    for (size_t i = 0; i < 3; i++) {
        laip_weights w;
        open_fixture(&w, cases[i][0]);
        assert_int_equal(w.count, 18);
        assert_non_null(strstr(w.pth.aside, cases[i][1]));
        laip_weights_close(&w);
        same(cases[i][0], "twin.safetensors", i == 1);
    }
}

/* Cut at any byte, neither form is read whole. */
static void truncated(void **state)
{
    (void)state;
    const char *const names[] = {"nested_zip.pth", "nested_stream.pth"};
    char *folder = laip_test_folder("pth"), *cut = laip_path_join(folder, "cut.pth"), *data;
    laip_error error;
    for (int f = 0; f < 2; f++) {
        size_t size;
        char *path = fixture(names[f]);
        assert_ok(laip_file_read(path, &data, &size, &error), error);
        for (size_t n = 0; n < size; n += 1 + n % 13) {
            assert_ok(laip_file_write(cut, data, n, &error), error);
            refused(cut, "");
        }
        free(data);
        free(path);
    }
    remove(cut);
    remove(folder);
    free(cut);
    free(folder);
}

/* A file that is cut short after it was opened is bad input when it is read, in either form, and ends
 * nothing; what was read before is still there. */
static void cut_while_open(void **state)
{
    (void)state;
    const char *const names[] = {"nested_zip.pth", "nested_stream.pth", "twin.safetensors"};
    char *folder = laip_test_folder("pth"), *cut = laip_path_join(folder, "cut.pth"), *data;
    laip_error error;
    for (int f = 0; f < 3; f++) {
        size_t size, refused_tensors = 0;
        laip_weights w;
        laip_tensor_entry t;
        char *path = fixture(names[f]);
        assert_ok(laip_file_read(path, &data, &size, &error), error);
        assert_ok(laip_file_write(cut, data, size, &error), error);
        assert_ok(laip_weights_open(&w, cut, &error), error);
        assert_ok(laip_weights_load(&w, w.count - 1, &t, &error), error);
        assert_int_equal(truncate(cut, 100), 0);
        for (size_t i = 0; i < w.count; i++)
            if (!laip_weights_load(&w, i, &t, &error)) {
                assert_int_equal(error.status, LAIP_BAD_INPUT);
                assert_ptr_equal(strstr(error.text, cut), error.text);
                refused_tensors++;
            }
        assert_true(refused_tensors > w.count / 2); /* an empty one needs no bytes */
        laip_weights_close(&w);
        free(data);
        free(path);
    }
    remove(cut);
    remove(folder);
    free(cut);
    free(folder);
}

/* A flipped byte in a storage is found by the zip's checksum. */
static void damaged(void **state)
{
    (void)state;
    char *folder = laip_test_folder("pth"), *copy = laip_path_join(folder, "damaged.pth"), *data,
         *path = fixture("parameter.pth");
    size_t size, found = 0;
    laip_error error;
    laip_weights w;
    laip_tensor_entry t;
    open_fixture(&w, "parameter.pth");
    assert_ok(laip_weights_load(&w, 0, &t, &error), error);
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    for (size_t i = 0; i + 24 <= size; i++)
        if (memcmp(data + i, t.data, 24) == 0) {
            data[i + 5] ^= 4;
            found++;
        }
    assert_int_equal(found, 1);
    assert_ok(laip_file_write(copy, data, size, &error), error);
    refused(copy, "data/0: is damaged");
    laip_weights_close(&w);
    remove(copy);
    remove(folder);
    free(data);
    free(path);
    free(copy);
    free(folder);
}

static void other_files(void **state)
{
    (void)state;
    char *folder = laip_test_folder("pth"), *path = laip_path_join(folder, "file");
    laip_error error;
    static char tar[600];
    memcpy(tar + 257, "ustar", 5);
    assert_ok(laip_file_write(path, tar, sizeof tar, &error), error);
    refused(path, "is a tar");
    assert_ok(laip_file_write(path, "PK\3\4 and no more", 16, &error), error);
    refused(path, "damaged zip");
    assert_ok(laip_file_write(path, "\x80\2K\1.", 5, &error), error);
    refused(path, "magic number");
    assert_ok(laip_file_write(path, "", 0, &error), error);
    refused(path, "");
    remove(path);
    remove(folder);
    free(path);
    free(folder);
}

/* PyTorch's bicubic interpolation, to 1e-5: larger, smaller, and of other proportions. */
static void positions(void **state)
{
    (void)state;
    const size_t grids[][2] = {{6, 6}, {3, 3}, {6, 2}, {1, 1}, {9, 3}};
    laip_weights w;
    laip_error error;
    open_fixture(&w, "positions.safetensors");
    assert_ok(laip_safetensors_load(&w.safetensors, &error), error);
    const laip_tensor_entry *from = laip_safetensors_find(&w.safetensors, "from");
    size_t D = from->shape[2];
    float *source = laip_alloc(from->count, sizeof *source);
    assert_ok(laip_tensor_floats(from, source, &error), error);
    for (size_t g = 0; g < 5; g++) {
        char name[32];
        snprintf(name, sizeof name, "to_%zux%zu", grids[g][0], grids[g][1]);
        const laip_tensor_entry *to = laip_safetensors_find(&w.safetensors, name);
        float *want = laip_alloc(to->count, sizeof *want), *have = laip_alloc(to->count, sizeof *have);
        assert_int_equal(to->shape[1], grids[g][0] * grids[g][1] + 1);
        assert_ok(laip_tensor_floats(to, want, &error), error);
        laip_resize_positions(source, 4, 4, have, grids[g][0], grids[g][1], D);
        for (size_t i = 0; i < to->count; i++)
            if (fabsf(want[i] - have[i]) > 1e-5f)
                fail_msg("%s: element %zu is %g, expected %g", name, i, (double)have[i], (double)want[i]);
        free(want);
        free(have);
    }
    free(source);
    laip_weights_close(&w);
}

static void own_names(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        {"text_encoder.encoder.layer.0.output.dense.bias",
         "text_encoder.bert.encoder.layer.0.output.dense.bias"},
        {"text_encoder_m.embeddings.LayerNorm.bias", "text_encoder_m.bert.embeddings.LayerNorm.bias"},
        {"text_encoder.cls.predictions.bias", "text_encoder.cls.predictions.bias"},
        {"text_encoder.bert.encoder.layer.1.x", "text_encoder.bert.encoder.layer.1.x"},
        {"visual_encoder.norm.weight", "visual_encoder.norm.weight"}};
    char name[300], back[300];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        laip_weights_name(cases[i][0], name);
        assert_string_equal(name, cases[i][1]);
    }
    laip_weights_name_short(cases[0][1], back);
    assert_string_equal(back, cases[0][0]);
    laip_weights_name_short("text_encoder.cls.predictions.bias", back);
    assert_string_equal(back, "text_encoder.cls.predictions.bias");
    assert_non_null(laip_weights_ignored("text_encoder.cls.predictions.decoder.weight"));
    assert_non_null(laip_weights_ignored("text_encoder.bert.embeddings.position_ids"));
    assert_non_null(laip_weights_ignored("prd_head.weight"));
    assert_null(laip_weights_ignored("vision_proj.weight"));
    assert_null(laip_weights_ignored("text_encoder.bert.encoder.layer.9.output.dense.bias"));
    assert_null(laip_weights_ignored("my_prd_head.weight"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins),       cmocka_unit_test(parameter),      cmocka_unit_test(company),
        cmocka_unit_test(truncated),   cmocka_unit_test(cut_while_open), cmocka_unit_test(damaged),
        cmocka_unit_test(other_files), cmocka_unit_test(positions),      cmocka_unit_test(own_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
