/* Writing drawn data: pictures as JPEG and PNG, and reid_raw.json. */
#include "synth/synth.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "synth/binding.h"

#include <jansson.h>
#include <png.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    const laip_synth_options *options;
    const laip_member *members; /* of families; NULL: persons of their own */
    pthread_mutex_t lock;
    laip_error error; /* of the first that failed */
} job;

static bool write_jpeg(FILE *to, const laip_image *image, laip_error *error)
{
    unsigned char *data;
    size_t size;
    if (!laip_image_encode_jpeg(image, 88, &data, &size, error))
        return false;
    bool good =
        fwrite(data, 1, size, to) == size || laip_failure(error, "JPEG of %zu bytes cannot be written", size);
    free(data);
    return good;
}

static bool write_png(FILE *to, const laip_image *image, laip_error *error)
{
    png_image p = {.version = PNG_IMAGE_VERSION,
                   .width = (png_uint_32)image->width,
                   .height = (png_uint_32)image->height,
                   .format = PNG_FORMAT_RGB};
    return png_image_write_to_stdio(&p, to, 0, image->pixels, 0, NULL) ||
           laip_failure(error, "PNG cannot be written: %s", p.message);
}

void laip_synth_file_name(char *name, size_t size, uint64_t person, int image)
{
    if (person % 10 == 0)
        snprintf(name, size, "CUHK01/%07llu_%02d.png", (unsigned long long)person, image);
    else
        snprintf(name, size, "cam_%c/%07llu_%02d.jpg", image % 2 ? 'b' : 'a', (unsigned long long)person,
                 image);
}

static laip_person person_of(const job *j, uint64_t person)
{
    return j->members ? j->members[person].person : laip_person_draw_lot(j->options->seed, person);
}

static laip_view view_of(const job *j, uint64_t person, int image)
{
    return (j->members ? laip_bound_view : laip_view_draw_lot)(j->options->seed, person, (uint64_t)image);
}

static bool write_picture(const job *j, uint64_t person, int image, laip_error *error)
{
    const laip_synth_options *o = j->options;
    char name[64];
    laip_person p = person_of(j, person);
    laip_view v = view_of(j, person, image);
    laip_image picture;
    laip_file file;
    laip_synth_file_name(name, sizeof name, person, image);
    char *folder = laip_path_join(o->folder, "imgs"), *path = laip_path_join(folder, name);
    laip_person_draw(&p, &v, &picture);
    bool good = laip_file_begin(&file, path, error);
    if (good) {
        good = (strstr(name, ".png") ? write_png : write_jpeg)(file.stream, &picture, error);
        if (!good) {
            laip_error_prefix(error, "%s", path);
            laip_file_cancel(&file);
        } else
            good = laip_file_commit(&file, error);
    }
    laip_image_free(&picture);
    free(folder);
    free(path);
    return good;
}

static void one_person(void *context, size_t index)
{
    job *j = context;
    laip_error error;
    for (int i = 0; i < j->options->images; i++)
        if (!write_picture(j, index, i, &error)) {
            pthread_mutex_lock(&j->lock);
            if (j->error.status == LAIP_OK)
                j->error = error;
            pthread_mutex_unlock(&j->lock);
            return;
        }
}

/* The words of a caption, lower case, without punctuation: CUHK-PEDES' processed_tokens. */
static json_t *tokens_of(const char *caption)
{
    json_t *list = json_array();
    char word[64];
    size_t n = 0;
    for (const char *c = caption;; c++) {
        bool part = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '-';
        if (part && n + 1 < sizeof word)
            word[n++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        else if (n) {
            json_array_append_new(list, json_stringn(word, n));
            n = 0;
        }
        if (!*c)
            return list;
    }
}

/* Caption `number` of a picture; what it names, where it is one of a family. */
static laip_said describe(const job *j, uint64_t person, int image, uint64_t number, laip_str *text)
{
    laip_person p = person_of(j, person);
    laip_view v = view_of(j, person, image);
    laip_rng r =
        laip_rng_stream(j->options->seed, 1000 + 2 * (uint64_t)image + number, person, LAIP_SITE_SYNTH);
    laip_said said = {0};
    if (j->members)
        said = laip_bound_describe(&p, &r, text);
    else
        laip_person_describe(&p, &v, &r, text);
    return said;
}

static json_t *entry(const job *j, uint64_t person, int image, const char *split, laip_said *said)
{
    char name[64];
    json_t *captions = json_array(), *tokens = json_array(), *object = json_object();
    laip_synth_file_name(name, sizeof name, person, image);
    for (uint64_t k = 0; k < LAIP_SYNTH_CAPTIONS; k++) {
        laip_str text = {0};
        said[k] = describe(j, person, image, k, &text);
        json_array_append_new(captions, json_string(laip_str_text(&text)));
        json_array_append_new(tokens, tokens_of(laip_str_text(&text)));
        free(text.text);
    }
    json_object_set_new(object, "split", json_string(split));
    json_object_set_new(object, "captions", captions);
    json_object_set_new(object, "file_path", json_string(name));
    json_object_set_new(object, "processed_tokens", tokens);
    json_object_set_new(object, "id", json_integer((json_int_t)person + 1));
    return object;
}

/* The split of a person; test's galleries are split by whole families. */
static const char *split_of(const laip_synth_options *o, int person, char *text, size_t size)
{
    int test = person - o->persons - o->val;
    if (test < 0)
        return person < o->persons ? "train" : "val";
    if (o->kind == LAIP_SYNTH_PERSONS || o->galleries <= 1)
        return "test";
    snprintf(text, size, "test%d", 1 + test / (o->test / o->galleries));
    return text;
}

static bool write_annotations(const job *j, laip_error *error)
{
    const laip_synth_options *o = j->options;
    int persons = o->persons + o->val + o->test;
    json_t *list = json_array();
    laip_said *said = laip_alloc((size_t)persons * (size_t)o->images * LAIP_SYNTH_CAPTIONS, sizeof *said);
    for (int i = 0; i < persons; i++)
        for (int k = 0; k < o->images; k++) {
            char split[32];
            json_array_append_new(
                list, entry(j, (uint64_t)i, k, split_of(o, i, split, sizeof split),
                            said + ((size_t)i * (size_t)o->images + (size_t)k) * LAIP_SYNTH_CAPTIONS));
        }
    char *text = json_dumps(list, JSON_INDENT(1) | JSON_PRESERVE_ORDER),
         *path = laip_path_join(o->folder, "reid_raw.json");
    bool good = laip_file_write(path, text, strlen(text), error) &&
                (!j->members || laip_binding_write(o, j->members, said, error));
    json_decref(list);
    free(said);
    free(text);
    free(path);
    return good;
}

static bool check_families(const laip_synth_options *o, laip_error *error)
{
    int galleries = o->galleries < 1 ? 1 : o->galleries;
    if (o->kind == LAIP_SYNTH_PERSONS)
        return (!o->singles && galleries == 1) ||
               laip_bad_input(error,
                              "singles and galleries are of families: expected bind or control with them");
    if (!o->singles && o->persons % LAIP_FAMILY)
        return laip_bad_input(error, "%d persons to train with, expected whole families of %d", o->persons,
                              LAIP_FAMILY);
    if (o->val % LAIP_FAMILY || o->test % (LAIP_FAMILY * galleries))
        return laip_bad_input(
            error, "%d persons in val, %d in test, expected whole families of %d, %d galleries alike", o->val,
            o->test, LAIP_FAMILY, galleries);
    return true;
}

bool laip_synth_write(const laip_synth_options *o, laip_error *error)
{
    static const char *const folders[] = {"imgs/CUHK01", "imgs/cam_a", "imgs/cam_b"};
    if (!o->folder || !*o->folder)
        return laip_bad_input(error, "no folder is named to write to");
    if (o->persons < 1 || o->images < 1)
        return laip_bad_input(error, "%d persons to train with and %d pictures each, expected at least 1",
                              o->persons, o->images);
    if (o->val < 0 || o->test < 0)
        return laip_bad_input(error, "%d persons in val, %d in test, expected none or more", o->val, o->test);
    if (!check_families(o, error))
        return false;
    for (size_t i = 0; i < 3; i++) {
        char *path = laip_path_join(o->folder, folders[i]);
        bool good = laip_make_folders(path, error);
        free(path);
        if (!good) {
            error->status = LAIP_BAD_INPUT; /* the user named the place */
            return false;
        }
    }
    size_t persons = (size_t)o->persons + (size_t)o->val + (size_t)o->test;
    laip_member *members = o->kind == LAIP_SYNTH_PERSONS ? NULL : laip_alloc(persons, sizeof *members);
    if (members)
        laip_families_draw(&(laip_family_options){.seed = o->seed,
                                                  .control = o->kind == LAIP_SYNTH_CONTROL,
                                                  .singles = o->singles,
                                                  .train = (size_t)o->persons,
                                                  .others = persons - (size_t)o->persons},
                           members);
    job j = {.options = o, .members = members, .error = {.status = LAIP_OK}};
    pthread_mutex_init(&j.lock, NULL);
    laip_parallel_for(persons, o->threads, one_person, &j);
    pthread_mutex_destroy(&j.lock);
    bool good = j.error.status == LAIP_OK;
    if (!good)
        *error = j.error;
    good = good && write_annotations(&j, error);
    free(members);
    return good;
}
