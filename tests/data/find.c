/* Data sets as they lie on people's disks: folders, lists without splits, names in other spellings, pictures
 * that are missing. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *folder;

static int make(void **state)
{
    (void)state;
    folder = laip_test_folder("find");
    return 0;
}

static int drop(void **state)
{
    (void)state;
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    free(folder);
    return system(command);
}

/* A file under the folder, and the folders that it is in. */
static void put(const char *name, const char *text)
{
    laip_error error;
    char *path = laip_path_join(folder, name),
         *above = laip_strndup(path, (size_t)(strrchr(path, '/') - path));
    assert_ok(laip_make_folders(above, &error), error);
    assert_ok(laip_file_write(path, text, strlen(text), &error), error);
    free(path);
    free(above);
}

#define ENTRY(id, file) "{\"id\": " #id ", \"file_path\": \"" file "\", \"captions\": [\"a man\"]}"
#define SPLIT(id, file, split)                                                                               \
    "{\"id\": " #id ", \"file_path\": \"" file "\", \"captions\": [\"a man\", \"b\"], \"split\": \"" split   \
    "\"}"

static laip_dataset opened(const char *name, const char *split, const laip_division *by)
{
    laip_dataset d;
    laip_error error;
    char *path = laip_path_join(folder, name);
    assert_ok(laip_dataset_read_divided(&d, path, NULL, split, by, &error), error);
    free(path);
    return d;
}

static void refused(const char *name, const laip_division *by, const char *says)
{
    laip_dataset d;
    laip_error error;
    char *path = laip_path_join(folder, name);
    assert_false(laip_dataset_read_divided(&d, path, NULL, NULL, by, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    if (!strstr(error.text, says))
        fail_msg("'%s' is not in: %s", says, error.text);
    free(path);
}

/* Every published name is found in its folder, in any case; names of this list come before others. */
static void published(void **state)
{
    (void)state;
    const char *const names[] = {"reid_raw.json",   "caption_all.json", "CUHK-PEDES.json",
                                 "ICFG-PEDES.json", "ICFG_PEDES.json",  "data_captions.json",
                                 "icfg-pedes.JSON"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char in[20], name[80];
        snprintf(in, sizeof in, "p%zu", i);
        snprintf(name, sizeof name, "%s/%s", in, names[i]);
        put(name, "[" ENTRY(1, "a.jpg") "," ENTRY(2, "b.jpg") "]");
        snprintf(name, sizeof name, "%s/notes.json", in);
        put(name, "{\"images\": [], \"annotations\": []}");
        snprintf(name, sizeof name, "%s/imgs/a.jpg", in);
        put(name, "");
        laip_dataset d = opened(in, NULL, NULL);
        assert_int_equal(d.picture_count, 2);
        assert_non_null(strstr(d.file, names[i]));
        assert_int_equal(d.missing, 1);
        laip_dataset_free(&d);
    }
}

static void processed(void **state)
{
    (void)state;
    put("rasa/processed_data/train.json", "[" ENTRY(1, "cam_a/a.jpg") "," ENTRY(2, "cam_a/b.jpg") "]");
    put("rasa/processed_data/val.json", "[" ENTRY(3, "c.jpg") "]");
    put("rasa/processed_data/test.json", "[" ENTRY(4, "d.jpg") "]");
    put("rasa/imgs/cam_a/a.jpg", "");
    put("rasa/imgs/cam_a/b.jpg", "");
    put("rasa/imgs/c.jpg", "");
    put("rasa/imgs/d.jpg", "");
    const char *const ways[] = {"rasa", "rasa/processed_data"};
    for (int i = 0; i < 2; i++) {
        laip_dataset d = opened(ways[i], NULL, NULL);
        assert_int_equal(d.picture_count, 4);
        assert_int_equal(d.missing, 0);
        assert_int_equal(d.split_count, 3);
        assert_string_equal(d.pictures[2].split, "val");
        laip_dataset_free(&d);
        d = opened(ways[i], "Test", NULL);
        assert_int_equal(d.picture_count, 1);
        assert_int_equal(d.pictures[0].person, 4);
        assert_int_equal(d.split_count, 3);
        laip_dataset_free(&d);
        d = opened(ways[i], "gallery", NULL);
        assert_true(d.no_such_split && !d.picture_count);
        laip_dataset_free(&d);
    }
    laip_dataset d =
        opened("rasa/processed_data/train.json", "train", NULL); /* a list, its pictures beside its folder */
    assert_int_equal(d.picture_count, 2);
    assert_int_equal(d.split_count, 0);
    laip_dataset_free(&d);
}

static void the_only_one(void **state)
{
    (void)state;
    put("mine/people.json", "[" SPLIT(1, "a.jpg", "train") "]");
    put("mine/a.jpg", "");
    put("mine/settings.json", "{\"lr\": 1}");
    put("mine/broken.json", "[");
    laip_dataset d = opened("mine", "train", NULL);
    assert_int_equal(d.picture_count, 1);
    laip_dataset_free(&d);
    put("mine/more.json", "[" ENTRY(1, "a.jpg") "]");
    refused("mine", NULL, "several of its files read as a data set");
    put("none/settings.json", "{\"lr\": 1}");
    refused("none", NULL, "has no annotations, expected reid_raw.json");
}

/* Windows' slashes, and folders and files in other cases; one that is spelt right comes first. */
static void spellings(void **state)
{
    (void)state;
    put("case/data_captions.json",
        "[" ENTRY(1, "CAM_A\\\\One.JPG") "," ENTRY(2, "cam_b/two.jpg") "," ENTRY(3, "cam_b/TWO.jpg") "," ENTRY(
            4, "cam_b/../cam_b/two.jpg") "," ENTRY(5, "cam_c/two.jpg") "," ENTRY(6, "cam_b") "]");
    put("case/Imgs/cam_a/one.jpg", "");
    put("case/Imgs/Cam_B/two.jpg", "");
    put("case/Imgs/Cam_B/TWO.jpg", "");
    laip_dataset d = opened("case", NULL, NULL);
    const char *const files[] = {"cam_a/one.jpg", "Cam_B/two.jpg", "Cam_B/TWO.jpg"};
    for (int i = 0; i < 3; i++) {
        assert_string_equal(d.pictures[i].file, files[i]);
        char *path = laip_dataset_file(&d, (size_t)i);
        assert_int_equal(access(path, R_OK), 0);
        free(path);
    }
    assert_true(d.pictures[3].missing && d.pictures[4].missing);
    laip_dataset_free(&d);
}

static void missing(void **state)
{
    (void)state;
    put("part/reid_raw.json",
        "[" SPLIT(1, "1.jpg", "train") "," SPLIT(1, "x.jpg", "train") "," SPLIT(2, "2.jpg", "train") "," SPLIT(
            2, "a.jpg",
            "train") "," SPLIT(2, "b.jpg",
                               "train") "," SPLIT(2, "c.jpg",
                                                  "train") "," SPLIT(2, "d.jpg",
                                                                     "train") "," SPLIT(2, "e.jpg",
                                                                                        "train") "]");
    put("part/1.jpg", "");
    put("part/2.jpg", "");
    laip_dataset d = opened("part", "train", NULL);
    assert_int_equal(d.missing, 6);
    char *names = laip_dataset_missing(&d);
    assert_string_equal(names, "x.jpg, a.jpg, b.jpg, c.jpg, d.jpg, …");
    free(names);
    laip_dataset_drop_missing(&d);
    assert_int_equal(d.missing, 0);
    assert_int_equal(d.picture_count, 2);
    assert_int_equal(d.caption_count, 4);
    assert_string_equal(d.pictures[1].file, "2.jpg");
    assert_int_equal(d.pictures[1].first, 2);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(d.captions[i].picture, i / 2);
    laip_dataset_free(&d);
}

static size_t of_split(const laip_dataset *d, const char *split)
{
    size_t count = 0;
    for (size_t i = 0; i < d->picture_count; i++)
        count += strcmp(d->pictures[i].split, split) == 0;
    return count;
}

/* Two pictures each of ten persons; a person is in one split, the draw is the seed's. */
static void divided(void **state)
{
    (void)state;
    char text[3000] = "[";
    for (int i = 0; i < 20; i++)
        sprintf(text + strlen(text), "%s{\"id\": %d, \"file_path\": \"%d.jpg\", \"captions\": [\"c%d\"]}",
                i ? "," : "", 30 + i % 10, i, i);
    put("all/caption_all.json", strcat(text, "]"));
    put("all/0.jpg", "");
    laip_division by = {.val = 2, .test = 3, .seed = 1, .file = ""};
    laip_dataset d = opened("all", NULL, &by), other;
    assert_true(d.divided && d.split_count == 3);
    assert_int_equal(of_split(&d, "train"), 10);
    assert_int_equal(of_split(&d, "val"), 4);
    assert_int_equal(of_split(&d, "test"), 6);
    for (size_t i = 0; i < 10; i++)
        assert_ptr_equal(d.pictures[i].split, d.pictures[i + 10].split);
    other = opened("all", "test", &by);
    assert_int_equal(other.picture_count, 6);
    assert_int_equal(other.caption_count, 6);
    for (size_t i = 0; i < 6; i++) {
        size_t k = (size_t)(other.pictures[i].person - 30);
        assert_string_equal(d.pictures[k].split, "test");
        assert_int_equal(other.captions[other.pictures[i].first].picture, i);
        assert_int_equal(atoi(other.captions[other.pictures[i].first].text + 1),
                         atoi(other.pictures[i].file));
    }
    laip_dataset_free(&other);
    by.seed = 2;
    other = opened("all", NULL, &by);
    size_t differ = 0;
    for (size_t i = 0; i < 10; i++)
        differ += strcmp(d.pictures[i].split, other.pictures[i].split) != 0;
    assert_true(differ > 0);
    laip_dataset_free(&other);
    laip_dataset_free(&d);
    by.val = 7;
    refused("all", &by, "has 10 persons, expected more than data.split's 7 for val and 3 for test");
    put("own/reid_raw.json", "[" SPLIT(1, "0.jpg", "train") "," SPLIT(2, "1.jpg", "test") "]");
    put("own/0.jpg", ""); /* a list with splits of its own keeps them */
    d = opened("own", "train", &by);
    assert_true(!d.divided && d.picture_count == 1);
    laip_dataset_free(&d);
}

static void ids(void **state)
{
    (void)state;
    put("ids/caption_all.json", "[" ENTRY(1, "0.jpg") "," ENTRY(2, "1.jpg") "," ENTRY(3, "1.jpg") "]");
    put("ids/0.jpg", "");
    put("ids/lists/split.json", "{\"val\": [3], \"test\": [1, 77]}");
    char *path = laip_path_join(folder, "ids/lists/split.json");
    laip_division by = {.file = path};
    laip_dataset d = opened("ids", NULL, &by);
    assert_string_equal(d.pictures[0].split, "test");
    assert_string_equal(d.pictures[1].split, "train");
    assert_string_equal(d.pictures[2].split, "val");
    laip_dataset_free(&d);
    put("ids/lists/split.json", "{\"val\": [3], \"test\": [3]}");
    refused("ids", &by, "person 3 is in val and in test");
    put("ids/lists/split.json", "{\"val\": [\"bob\"]}");
    refused("ids", &by, "val: holds bob, who is in no entry");
    put("ids/lists/split.json", "{\"val\": 3}");
    refused("ids", &by, "val is a whole number, expected a list of ids");
    put("ids/lists/split.json", "[1]");
    refused("ids", &by, "is a list, expected an object of lists");
    put("named/caption_all.json",
        "[{\"id\": \"ann\", \"file_path\": \"0.jpg\", \"captions\": []}, {\"id\": \"bob\", "
        "\"file_path\": \"0.jpg\", \"captions\": []}]");
    put("named/0.jpg", "");
    put("ids/lists/split.json", "{\"val\": [\"bob\"]}");
    d = opened("named", NULL, &by);
    assert_string_equal(d.pictures[1].split, "val");
    laip_dataset_free(&d);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(published),    cmocka_unit_test(processed),
                                       cmocka_unit_test(the_only_one), cmocka_unit_test(spellings),
                                       cmocka_unit_test(missing),      cmocka_unit_test(divided),
                                       cmocka_unit_test(ids)};
    return cmocka_run_group_tests(tests, make, drop);
}
