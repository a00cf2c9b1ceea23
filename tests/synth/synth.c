/* Drawn data: the same seed gives the same bytes, other seeds other ones; the annotations are CUHK-PEDES' and
 * name pictures that decode; captions speak of what the person wears; some persons are hard to tell apart. */
#include "support/test.h"

#include "base/file.h"
#include "base/str.h"
#include "synth/person.h"
#include "synth/synth.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAIN = 11, VAL = 3, TEST = 4, IMAGES = 2, PERSONS = TRAIN + VAL + TEST };

typedef struct written {
    char *folder;
    json_t *list;
} written;

static written write_people(uint64_t seed, int threads)
{
    written w = {.folder = laip_test_folder("synth")};
    laip_synth_options o = {.folder = w.folder,
                            .persons = TRAIN,
                            .val = VAL,
                            .test = TEST,
                            .images = IMAGES,
                            .seed = seed,
                            .threads = threads};
    laip_error error;
    json_error_t where;
    assert_ok(laip_synth_write(&o, &error), error);
    char *path = laip_path_join(w.folder, "reid_raw.json");
    w.list = json_load_file(path, 0, &where);
    if (!w.list)
        fail_msg("%s:%d: %s", path, where.line, where.text);
    free(path);
    return w;
}

static void release(written *w)
{
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
    assert_int_equal(system(command), 0);
    json_decref(w->list);
    free(w->folder);
}

static const char *string_of(json_t *entry, const char *field)
{
    json_t *value = json_object_get(entry, field);
    assert_true(json_is_string(value));
    return json_string_value(value);
}

static char *picture_path(const written *w, json_t *entry)
{
    char *imgs = laip_path_join(w->folder, "imgs"),
         *path = laip_path_join(imgs, string_of(entry, "file_path"));
    free(imgs);
    return path;
}

static bool same_bytes(const char *a, const char *b)
{
    char *data[2];
    size_t size[2];
    laip_error error;
    assert_ok(laip_file_read(a, &data[0], &size[0], &error), error);
    assert_ok(laip_file_read(b, &data[1], &size[1], &error), error);
    bool same = size[0] == size[1] && memcmp(data[0], data[1], size[0]) == 0;
    free(data[0]);
    free(data[1]);
    return same;
}

static size_t same_pictures(const written *a, const written *b)
{
    size_t same = 0;
    for (size_t i = 0; i < json_array_size(a->list); i++) {
        char *pa = picture_path(a, json_array_get(a->list, i)),
             *pb = picture_path(b, json_array_get(b->list, i));
        same += same_bytes(pa, pb);
        free(pa);
        free(pb);
    }
    return same;
}

/* Also for another number of threads. */
static void bytes_follow_from_the_seed(void **state)
{
    (void)state;
    written a = write_people(5, 1), b = write_people(5, 2), c = write_people(6, 2);
    char *ja = laip_path_join(a.folder, "reid_raw.json"), *jb = laip_path_join(b.folder, "reid_raw.json");
    assert_true(same_bytes(ja, jb));
    assert_int_equal(same_pictures(&a, &b), PERSONS * IMAGES);
    assert_int_equal(same_pictures(&a, &c), 0);
    assert_false(json_equal(a.list, c.list));
    free(ja);
    free(jb);
    release(&a);
    release(&b);
    release(&c);
}

static void check_entry(json_t *entry)
{
    json_t *captions = json_object_get(entry, "captions"),
           *tokens = json_object_get(entry, "processed_tokens");
    assert_int_equal(json_object_size(entry), 5);
    assert_true(json_is_integer(json_object_get(entry, "id")));
    assert_int_equal(json_array_size(captions), 2);
    assert_int_equal(json_array_size(tokens), 2);
    for (size_t k = 0; k < 2; k++) {
        assert_true(strlen(json_string_value(json_array_get(captions, k))) > 20);
        assert_true(json_array_size(json_array_get(tokens, k)) >= 5);
        size_t i;
        json_t *word;
        json_array_foreach(json_array_get(tokens, k), i, word) assert_true(json_is_string(word));
    }
    assert_string_not_equal(json_string_value(json_array_get(captions, 0)),
                            json_string_value(json_array_get(captions, 1)));
}

/* Five fields of CUHK-PEDES' types, persons in one split each, as many as were asked for. */
static void annotations(void **state)
{
    (void)state;
    written w = write_people(7, 0);
    const char *split_of[PERSONS + 1] = {NULL};
    size_t pictures[3] = {0}, i;
    json_t *entry;
    assert_int_equal(json_array_size(w.list), PERSONS * IMAGES);
    json_array_foreach(w.list, i, entry)
    {
        check_entry(entry);
        const char *split = string_of(entry, "split");
        json_int_t id = json_integer_value(json_object_get(entry, "id"));
        assert_in_range(id, 1, PERSONS);
        if (split_of[id])
            assert_string_equal(split_of[id], split);
        split_of[id] = split;
        pictures[strcmp(split, "train") == 0 ? 0 : strcmp(split, "val") == 0 ? 1 : 2]++;
    }
    assert_int_equal(pictures[0], TRAIN * IMAGES);
    assert_int_equal(pictures[1], VAL * IMAGES);
    assert_int_equal(pictures[2], TEST * IMAGES);
    release(&w);
}

/* Both kinds of files are there, hold what their names say, and are no single colour. */
static void pictures_decode(void **state)
{
    (void)state;
    written w = write_people(8, 0);
    size_t png = 0, i;
    json_t *entry;
    json_array_foreach(w.list, i, entry)
    {
        char *path = picture_path(&w, entry), *data;
        size_t size;
        laip_image image;
        laip_error error;
        assert_ok(laip_image_load(path, true, &image, &error), error);
        assert_in_range(image.height, 128, 256);
        assert_in_range(image.width, 48, image.height);
        int low = 255, high = 0;
        for (int k = 0; k < 3 * image.width * image.height; k++) {
            low = image.pixels[k] < low ? image.pixels[k] : low;
            high = image.pixels[k] > high ? image.pixels[k] : high;
        }
        assert_true(high - low > 60);
        assert_ok(laip_file_read(path, &data, &size, &error), error);
        bool is_png = size > 8 && memcmp(data, "\x89PNG", 4) == 0;
        assert_int_equal(is_png, strstr(path, ".png") != NULL);
        png += is_png;
        laip_image_free(&image);
        free(data);
        free(path);
    }
    assert_in_range(png, 1, PERSONS * IMAGES - 1);
    release(&w);
}

static size_t differences(const laip_person *a, const laip_person *b)
{
    const int *x = (const int *)a, *y = (const int *)b;
    size_t n = 0;
    for (size_t i = 0; i < sizeof *a / sizeof(int); i++)
        n += x[i] != y[i];
    return n;
}

/* About a third of the persons differ from another in one or two things. */
static void near_duplicates(void **state)
{
    (void)state;
    enum { N = 300 };
    static laip_person p[N];
    size_t near = 0;
    for (size_t i = 0; i < N; i++)
        p[i] = laip_person_draw_lot(3, i);
    for (size_t i = 0; i < N; i++) {
        size_t least = SIZE_MAX;
        for (size_t k = 0; k < i; k++) {
            size_t d = differences(&p[i], &p[k]);
            least = d < least ? d : least;
        }
        near += i > 0 && least <= 4; /* a thing may be a kind, a colour, or both */
    }
    assert_in_range(near, N / 4, N / 2);
}

/* What a camera could see of a person, as numbers: no two persons may be the same to it. */
static void seen(const laip_person *p, int *out)
{
    laip_person q = *p;
    if (q.hair == LAIP_BALD)
        q.hair_colour = -1;
    if (q.hat == LAIP_NO_HAT)
        q.hat_colour = -1;
    if (q.bag == LAIP_NO_BAG)
        q.bag_colour = -1;
    if (q.thing == LAIP_NOTHING)
        q.thing_colour = -1;
    if (q.pattern == LAIP_PLAIN)
        q.second_colour = -1;
    if (q.lower == LAIP_DRESS)
        q.upper_colour = -1;
    memcpy(out, &q, sizeof q);
}

/* A near-duplicate differs from its twin in something that can be seen. */
static void twins_differ(void **state)
{
    (void)state;
    for (uint64_t i = 2; i < 6000; i += 3) {
        laip_person a = laip_person_draw_lot(5, i - 1), b = laip_person_draw_lot(5, i);
        int x[sizeof a / sizeof(int)], y[sizeof b / sizeof(int)];
        seen(&a, x);
        seen(&b, y);
        assert_memory_not_equal(x, y, sizeof x);
    }
}

static bool names_colour(const char *caption, int colour)
{
    const laip_colour *c = &laip_colours[colour];
    return strstr(caption, c->name) || (c->other && strstr(caption, c->other));
}

/* Most captions name the colour of the upper garment; hardly any glasses are seen from behind. */
static void captions_tell(void **state)
{
    (void)state;
    enum { N = 500 };
    size_t named = 0, words = 0;
    for (uint64_t i = 0; i < N; i++) {
        laip_person p = laip_person_draw_lot(4, i);
        laip_view v = laip_view_draw_lot(4, i, 0);
        laip_rng r = laip_rng_stream(4, 77, i, LAIP_SITE_TEST);
        laip_str text = {0};
        laip_person_describe(&p, &v, &r, &text);
        named += names_colour(text.text, p.upper_colour);
        for (const char *c = text.text; *c; c++)
            words += *c == ' ';
        words++;
        if (v.side == LAIP_BACK)
            assert_null(strstr(text.text, "glasses"));
        free(text.text);
    }
    assert_true(named > N * 9 / 10);
    assert_in_range(words / N, 20, 32);
}

static void refused(laip_synth_options o, const char *part)
{
    laip_error error = {0};
    assert_false(laip_synth_write(&o, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    if (!strstr(error.text, part))
        fail_msg("'%s' is not in: %s", part, error.text);
}

static void bad_input(void **state)
{
    (void)state;
    char *folder = laip_test_folder("synth"), *file = laip_path_join(folder, "file");
    laip_error error;
    assert_ok(laip_file_write(file, "", 0, &error), error);
    refused((laip_synth_options){.folder = folder, .images = 1}, "0 persons");
    refused((laip_synth_options){.folder = folder, .persons = 1}, "0 pictures");
    refused((laip_synth_options){.folder = folder, .persons = 1, .images = 1, .val = -1},
            "-1 persons in val");
    refused((laip_synth_options){.folder = "", .persons = 1, .images = 1}, "no folder");
    refused((laip_synth_options){.folder = file, .persons = 1, .images = 1}, "file/imgs");
    written w = {.folder = folder};
    release(&w);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_follow_from_the_seed),
        cmocka_unit_test(annotations),
        cmocka_unit_test(pictures_decode),
        cmocka_unit_test(near_duplicates),
        cmocka_unit_test(twins_differ),
        cmocka_unit_test(captions_tell),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
