#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "data/dataset.h"
#include <stdlib.h>
#include <string.h>

static laip_dataset parsed(const char *text, const char *split)
{
    laip_dataset d;
    laip_error error;
    assert_ok(laip_dataset_parse(&d, "a.json", text, strlen(text), split, &error), error);
    return d;
}

static void refused(const char *text, const char *line)
{
    laip_dataset d;
    laip_error error = {0};
    assert_false(laip_dataset_parse(&d, "a.json", text, strlen(text), "train", &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_string_equal(error.text, line);
    assert_null(d.pictures);
}

static void check_caption(const laip_dataset *d, size_t picture, size_t which, const char *text)
{
    const laip_picture *p = &d->pictures[picture];
    assert_true(which < p->captions);
    assert_int_equal(d->captions[p->first + which].picture, picture);
    assert_string_equal(d->captions[p->first + which].text, text);
}

#define CUHK                                                                                                 \
    "[{\"split\": \"train\", \"captions\": [\"A man.\", \"He walks.\"], \"file_path\": "                     \
    "\"CUHK01/0363004.png\","                                                                                \
    "  \"processed_tokens\": [[\"a\", \"man\"], [\"he\", \"walks\"]], \"id\": 1},"                           \
    " {\"split\": \"TEST\", \"captions\": [\"A woman.\"], \"file_path\": \"test_query/p1.jpg\","             \
    "  \"processed_tokens\": [[\"a\", \"woman\"]], \"id\": 13003},"                                          \
    " {\"split\": \"Train\", \"captions\": [], \"file_path\": \"cam_a/1.jpg\", \"processed_tokens\": [], "   \
    "\"id\": 7}]"

static void cuhk_pedes(void **state)
{
    (void)state;
    laip_dataset d = parsed(CUHK, "train");
    assert_int_equal(d.entries, 3);
    assert_int_equal(d.picture_count, 2);
    assert_int_equal(d.caption_count, 2);
    assert_int_equal(d.pictures[0].person, 1);
    assert_string_equal(d.pictures[0].file, "CUHK01/0363004.png");
    assert_string_equal(d.pictures[1].split, "train");
    check_caption(&d, 0, 0, "A man.");
    check_caption(&d, 0, 1, "He walks.");
    assert_int_equal(d.pictures[1].captions, 0);
    assert_int_equal(d.split_count, 2);
    assert_false(d.no_such_split);
    laip_dataset_free(&d);
    d = parsed(CUHK, "Test");
    assert_int_equal(d.picture_count, 1);
    assert_int_equal(d.pictures[0].person, 13003);
    laip_dataset_free(&d);
    d = parsed(CUHK, NULL);
    assert_int_equal(d.picture_count, 3);
    laip_dataset_free(&d);
    d = parsed(CUHK, "val");
    assert_int_equal(d.picture_count, 0);
    assert_true(d.no_such_split);
    laip_dataset_free(&d);
    d = parsed("\xef\xbb\xbf[{\"captions\": [\"a\"], \"file_path\": \"x\", \"id\": 0}]", "val");
    assert_int_equal(d.picture_count, 1); /* caption_all.json: no split, all of it */
    assert_false(d.no_such_split);
    laip_dataset_free(&d);
}

static void rstpreid(void **state)
{
    (void)state;
    laip_dataset d =
        parsed("[{\"id\": 0, \"img_path\": \"0000_c14_0031.jpg\", \"captions\": [\"a jacket.His shirt\", "
               "\"b\"], \"split\": \"val\"}]",
               "val");
    assert_int_equal(d.picture_count, 1);
    assert_int_equal(d.pictures[0].person, 0);
    assert_string_equal(d.pictures[0].file, "0000_c14_0031.jpg");
    laip_dataset_free(&d);
}

/* ALBEF's training list has an entry a caption; pictures come back together, persons may be names. */
static void processed_lists(void **state)
{
    (void)state;
    laip_dataset d = parsed("[{\"image\": \"a.jpg\", \"caption\": \"1\", \"image_id\": \"coco_5\"},"
                            " {\"image\": \"b.jpg\", \"caption\": \"2\", \"image_id\": \"coco_9\"},"
                            " {\"image\": \"a.jpg\", \"caption\": \"3\", \"image_id\": \"coco_5\"}]",
                            "train");
    assert_int_equal(d.picture_count, 2);
    assert_int_equal(d.caption_count, 3);
    assert_int_equal(d.pictures[0].person, 0);
    assert_int_equal(d.pictures[1].person, 1);
    check_caption(&d, 0, 0, "1");
    check_caption(&d, 0, 1, "3");
    check_caption(&d, 1, 0, "2");
    laip_dataset_free(&d);
    d = parsed(
        "[{\"image\": \"a.jpg\", \"caption\": [\"1\", \"2\"]}, {\"image\": \"b.jpg\", \"caption\": [\"3\"]}]",
        "test");
    assert_int_equal(d.picture_count, 2);
    assert_int_not_equal(d.pictures[0].person, d.pictures[1].person);
    laip_dataset_free(&d);
    d = parsed("[{\"file_path\": \"a.jpg\", \"caption\": \"1\", \"image_id\": \"12\"},"
               " {\"file_path\": \"b.jpg\", \"caption\": \"2\", \"image_id\": 12}]",
               NULL);
    assert_int_equal(d.pictures[0].person, 12);
    assert_int_equal(d.pictures[1].person, 12);
    laip_dataset_free(&d);
}

static void coco(void **state)
{
    (void)state;
    laip_dataset d =
        parsed("{\"info\": {}, \"images\": [{\"id\": 285, \"file_name\": \"x.jpg\"}, {\"id\": 9, "
               "\"file_name\": \"y.jpg\"}], \"annotations\": [{\"image_id\": 9, \"caption\": \"1\"}, "
               "{\"image_id\": 285, \"caption\": \"2\"}, {\"image_id\": 9, \"caption\": \"3\"}]}",
               "train");
    assert_int_equal(d.picture_count, 2);
    assert_int_equal(d.pictures[0].person, 285);
    check_caption(&d, 0, 0, "2");
    check_caption(&d, 1, 0, "1");
    check_caption(&d, 1, 1, "3");
    assert_false(d.no_such_split);
    laip_dataset_free(&d);
}

#define GOOD "{\"id\": 1, \"file_path\": \"a\", \"captions\": [\"c\"], \"split\": \"train\"}"

static void broken_lists(void **state)
{
    (void)state;
    refused("3", "a.json:1:1: '[' or '{' expected near '3', expected JSON");
    refused("[]", "a.json: is an empty list, expected pictures");
    refused("[3]", "a.json: entry 0 is a whole number, expected an object");
    refused("[" GOOD ", []]", "a.json: entry 1 is a list, expected an object");
    refused("{\"a\": 1}",
            "a.json: holds an object without images and annotations, expected a list of pictures or "
            "COCO captions");
    refused("[{\"id\": 1, \"captions\": []}]",
            "a.json: entry 0: file_path is missing, expected a string (or img_path, or image)");
    refused("[{\"id\": 1, \"file_path\": \"a\"}]",
            "a.json: entry 0: captions is missing, expected a list of strings (or caption)");
    refused("[{\"file_path\": \"a\", \"captions\": []}]",
            "a.json: entry 0: id is missing, expected a whole number (or image_id)");
    refused("[" GOOD ", {\"id\": 1, \"img_path\": \"a\", \"captions\": [], \"split\": \"train\"}]",
            "a.json: entry 1: file_path is missing, expected the name of a file");
    refused("[" GOOD ", {\"id\": 1, \"file_path\": 5, \"captions\": [], \"split\": \"test\"}]",
            "a.json: entry 1: file_path is a whole number, expected the name of a file");
    refused("[" GOOD ", {\"id\": 1, \"file_path\": \"a\", \"captions\": 5, \"split\": \"test\"}]",
            "a.json: entry 1: captions is a whole number, expected a list of strings");
    refused("[" GOOD
            ", {\"id\": 1, \"file_path\": \"a\", \"captions\": [\"x\", null], \"split\": \"train\"}]",
            "a.json: entry 1: captions[1] is null, expected a string");
    refused("[" GOOD ", {\"id\": 1.5, \"file_path\": \"a\", \"captions\": [], \"split\": \"train\"}]",
            "a.json: entry 1: id is a number, expected a whole number");
    refused("[" GOOD ", {\"id\": \"x1\", \"file_path\": \"a\", \"captions\": [], \"split\": \"train\"}]",
            "a.json: entry 1: id is \"x1\", expected a whole number");
    refused("[" GOOD ", {\"id\": -1, \"file_path\": \"a\", \"captions\": [], \"split\": \"train\"}]",
            "a.json: entry 1: id is -1, expected 0 to 2147483647");
    refused("[" GOOD ", {\"id\": 3000000000, \"file_path\": \"a\", \"captions\": [], \"split\": \"train\"}]",
            "a.json: entry 1: id is 3000000000, expected 0 to 2147483647");
    refused("[" GOOD ", {\"id\": 1, \"file_path\": \"a\", \"captions\": [], \"split\": 0}]",
            "a.json: entry 1: split is a whole number, expected a string such as train, val or test, as in "
            "the other "
            "entries");
    refused("[{\"id\": 1, \"file_path\": \"a\", \"captions\": []}, " GOOD "]",
            "a.json: entry 1: has a split, which the entries before it have not");
    refused(
        "[{\"image\": \"a\", \"caption\": \"x\", \"image_id\": 1}, {\"image\": \"a\", \"caption\": \"x\", "
        "\"image_id\": 2}]",
        "a.json: entry 1: image_id is of another person than in an earlier entry with image \"a\"");
}

static void broken_coco(void **state)
{
    (void)state;
    refused("{\"images\": 1, \"annotations\": []}", "a.json: images is a whole number, expected a list");
    refused("{\"images\": []}", "a.json: annotations is missing, expected a list");
    refused("{\"images\": [{\"id\": \"x\", \"file_name\": \"a\"}], \"annotations\": []}",
            "a.json: images[0]: id is a string, expected a whole number");
    refused("{\"images\": [{\"id\": 1}], \"annotations\": []}",
            "a.json: images[0]: file_name is missing, expected the name of a file");
    refused("{\"images\": [{\"id\": 1, \"file_name\": \"a\"}, {\"id\": 1, \"file_name\": \"b\"}], "
            "\"annotations\": []}",
            "a.json: images[1]: id 1 is that of images[0] too");
    refused("{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": [{\"image_id\": 1, "
            "\"caption\": 4}]}",
            "a.json: annotations[0]: caption is a whole number, expected a string");
    refused(
        "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": [{\"image_id\": 2, \"caption\": "
        "\"x\"}]}",
        "a.json: annotations[0]: image_id is 2, expected the id of one of images");
}

/* A file cut off anywhere is refused, by line and column. */
static void truncated(void **state)
{
    (void)state;
    const char text[] = CUHK;
    for (size_t n = 0; n + 1 < sizeof text - 1; n++) {
        laip_dataset d;
        laip_error error;
        char *cut = laip_strndup(text, n);
        assert_false(laip_dataset_parse(&d, "a.json", cut, n, NULL, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_true(strncmp(error.text, "a.json:1:", 9) == 0 || n == 0);
        assert_null(strchr(error.text, '\n'));
        free(cut);
    }
}

static char *put(const char *folder, const char *name, const char *text)
{
    laip_error error;
    char *path = laip_path_join(folder, name);
    assert_ok(laip_file_write(path, text, strlen(text), &error), error);
    return path;
}

static void make_folder(const char *folder, const char *name)
{
    laip_error error;
    char *path = laip_path_join(folder, name);
    assert_ok(laip_make_folders(path, &error), error);
    free(path);
}

/* The place that has most of the pictures is taken, though one of them is missing there. */
static void pictures_are_found(void **state)
{
    (void)state;
    laip_dataset d;
    laip_error error;
    char *folder = laip_test_folder("dataset");
    char *file = put(folder, "reid_raw.json", CUHK);
    assert_false(laip_dataset_read(&d, file, NULL, "train", &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "CUHK01/0363004.png and 1 others"));
    make_folder(folder, "imgs/cam_a");
    make_folder(folder, "images/CUHK01");
    make_folder(folder, "images/cam_a");
    make_folder(folder, "other/cam_a");
    free(put(folder, "images/cam_a/1.jpg", ""));
    free(put(folder, "other/cam_a/1.jpg", ""));
    assert_ok(laip_dataset_read(&d, file, NULL, "train", &error), error);
    char *root = laip_path_join(folder, "images"), *path = laip_dataset_file(&d, 1);
    assert_string_equal(d.root, root);
    assert_string_equal(path + strlen(root), "/cam_a/1.jpg");
    free(path);
    free(root);
    laip_dataset_free(&d);
    char *other = laip_path_join(folder, "other");
    assert_ok(laip_dataset_read(&d, file, other, "train", &error), error);
    assert_string_equal(d.root, other);
    laip_dataset_free(&d);
    free(other);
    assert_false(laip_dataset_read(&d, file, "no/such/folder", "train", &error));
    assert_non_null(strstr(error.text, "no/such/folder"));
    assert_false(laip_dataset_read(&d, file, file, "train", &error));
    assert_non_null(strstr(error.text, "is no folder"));
    assert_false(laip_dataset_read(&d, "no/such.json", NULL, "train", &error));
    assert_non_null(strstr(error.text, "no/such.json"));
    assert_ok(laip_dataset_read(&d, file, NULL, "val", &error), error); /* no picture to look for */
    assert_true(d.no_such_split);
    laip_dataset_free(&d);
    free(file);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuhk_pedes), cmocka_unit_test(rstpreid),          cmocka_unit_test(processed_lists),
        cmocka_unit_test(coco),       cmocka_unit_test(broken_lists),      cmocka_unit_test(broken_coco),
        cmocka_unit_test(truncated),  cmocka_unit_test(pictures_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
