/* Metrics inside families: hand-made rankings with known answers, and files that are refused. */
#include "support/test.h"

#include "base/file.h"
#include "eval/binding.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES = 4, GALLERY = 6 };

/* Two families: persons 11 to 14 and 21 to 24; of the gallery's pictures one is of nobody's family. */
static const char good[] = "{\"persons\":[{\"id\":13,\"family\":0,\"member\":2,\"unseen\":false},"
                           "{\"id\":11,\"family\":0,\"member\":0,\"unseen\":true},"
                           "{\"id\":12,\"family\":0,\"member\":1,\"unseen\":false},"
                           "{\"id\":14,\"family\":0,\"member\":3,\"unseen\":false},"
                           "{\"id\":21,\"family\":1,\"member\":0,\"unseen\":false}],"
                           "\"boxes\":{\"a/b.jpg\":{\"upper\":[0.1,0.2,0.3,0.4],\"lower\":[0,0,1,1],"
                           "\"hat\":[0,0,0,0],\"bag\":[0.5,0.5,1,1]}}}";

static char *write_binding(const char *folder, const char *text)
{
    char *path = laip_path_join(folder, "binding.json");
    laip_error error;
    assert_ok(laip_file_write(path, text, strlen(text), &error), error);
    free(path);
    return laip_path_join(folder, "reid_raw.json");
}

static void known_answers(void **state)
{
    static const int32_t query_person[QUERIES] = {11, 12, 14, 99},
                         gallery_person[GALLERY] = {77, 21, 11, 12, 13, 14};
    static const int32_t ranking[QUERIES * GALLERY] = {0, 1, 3, 2, 4, 5,  /* 11: finds 12, bit 0 is wrong */
                                                       1, 3, 0, 2, 4, 5,  /* 12: right */
                                                       0, 1, 2, 5, 3, 4,  /* 14: finds 11, both are wrong */
                                                       0, 1, 2, 3, 4, 5}; /* 99 has no family */
    (void)state;
    char *folder = laip_test_folder("binding"), *annotations = write_binding(folder, good);
    laip_binding b;
    laip_binding_metrics m, unseen;
    laip_error error;
    assert_ok(laip_binding_read(&b, annotations, &error), error);
    assert_int_equal(b.count, 5);
    assert_null(laip_binding_boxes(&b, "b.jpg"));
    assert_float_equal(laip_binding_boxes(&b, "a/b.jpg")[2], 0.3, 0);
    assert_float_equal(laip_binding_boxes(&b, "a/b.jpg")[12], 0.5, 0);
    m = laip_binding_measure(&b, ranking, QUERIES, GALLERY, query_person, gallery_person, &unseen);
    assert_int_equal(m.queries, 3);
    assert_float_equal(m.family, 100.0 / 3, 1e-9);
    assert_float_equal(m.garments, 100.0 / 3, 1e-9);
    assert_float_equal(m.hat_and_bag, 200.0 / 3, 1e-9);
    assert_int_equal(unseen.queries, 1);
    assert_float_equal(unseen.garments, 0, 0);
    assert_float_equal(unseen.hat_and_bag, 100, 0);
    laip_binding_family *families;
    assert_int_equal(
        laip_binding_families(&b, ranking, QUERIES, GALLERY, query_person, gallery_person, &families), 1);
    assert_int_equal(families[0].family, 0);
    assert_int_equal(families[0].queries, 3);
    assert_int_equal(families[0].person, 1);
    assert_int_equal(families[0].garments, 1);
    assert_int_equal(families[0].hat_and_bag, 2);
    free(families);
    laip_binding_free(&b);
    free(annotations);
    free(folder);
}

static void files(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {{"{\"persons\":[{\"id\":1", "binding.json:1:"},
                 {"{}", "\"persons\" is missing"},
                 {"{\"persons\":[{\"id\":1,\"family\":0,\"member\":4,\"unseen\":false}]}", "persons[0]"},
                 {"{\"persons\":[],\"boxes\":{\"x\":{\"upper\":[1,2,3]}}}", "boxes: x: \"upper\""}};
    (void)state;
    char *folder = laip_test_folder("binding");
    char *annotations = laip_path_join(folder, "reid_raw.json");
    laip_binding b;
    laip_error error;
    assert_ok(laip_binding_read(&b, annotations, &error), error);
    assert_int_equal(b.count, 0);
    free(annotations);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        annotations = write_binding(folder, cases[i].text);
        assert_false(laip_binding_read(&b, annotations, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_non_null(strstr(error.text, cases[i].says));
        free(annotations);
    }
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers), cmocka_unit_test(files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
