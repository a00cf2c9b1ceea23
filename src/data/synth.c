/* Writing drawn data: pictures as JPEG and PNG, and reid_raw.json. */
#include "data/synth.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "data/synth_person.h"

#include <jansson.h>
#include <jpeglib.h>
#include <png.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    const laip_synth_options *options;
    pthread_mutex_t lock;
    laip_error error; /* of the first that failed */
} job;

static void write_jpeg(FILE *to, const laip_image *image)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr manager;
    c.err = jpeg_std_error(&manager);
    jpeg_create_compress(&c);
    jpeg_stdio_dest(&c, to);
    c.image_width = (JDIMENSION)image->width;
    c.image_height = (JDIMENSION)image->height;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 88, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = image->pixels + 3 * (size_t)c.next_scanline * (size_t)image->width;
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
}

static bool write_png(FILE *to, const laip_image *image)
{
    png_image p = {.version = PNG_IMAGE_VERSION,
                   .width = (png_uint_32)image->width,
                   .height = (png_uint_32)image->height,
                   .format = PNG_FORMAT_RGB};
    return png_image_write_to_stdio(&p, to, 0, image->pixels, 0, NULL) != 0;
}

/* imgs/CUHK01/0000012_01.png for a tenth of the persons, imgs/cam_a/0000012_01.jpg for the others. */
static void file_name(char *name, size_t size, uint64_t person, int image)
{
    if (person % 10 == 0)
        snprintf(name, size, "CUHK01/%07llu_%02d.png", (unsigned long long)person, image);
    else
        snprintf(name, size, "cam_%c/%07llu_%02d.jpg", image % 2 ? 'b' : 'a', (unsigned long long)person,
                 image);
}

static bool write_picture(const laip_synth_options *o, uint64_t person, int image, laip_error *error)
{
    char name[64];
    laip_person p = laip_person_draw_lot(o->seed, person);
    laip_view v = laip_view_draw_lot(o->seed, person, (uint64_t)image);
    laip_image picture;
    laip_file file;
    file_name(name, sizeof name, person, image);
    char *folder = laip_path_join(o->folder, "imgs"), *path = laip_path_join(folder, name);
    laip_person_draw(&p, &v, &picture);
    bool good = laip_file_begin(&file, path, error);
    if (good) {
        if (strstr(name, ".png"))
            write_png(file.stream, &picture);
        else
            write_jpeg(file.stream, &picture);
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
        if (!write_picture(j->options, index, i, &error)) {
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

static json_t *entry(const laip_synth_options *o, uint64_t person, int image, const char *split)
{
    char name[64];
    json_t *captions = json_array(), *tokens = json_array(), *object = json_object();
    laip_person p = laip_person_draw_lot(o->seed, person);
    laip_view v = laip_view_draw_lot(o->seed, person, (uint64_t)image);
    file_name(name, sizeof name, person, image);
    for (uint64_t k = 0; k < 2; k++) {
        laip_str text = {0};
        laip_rng r = laip_rng_stream(o->seed, 1000 + 2 * (uint64_t)image + k, person, LAIP_SITE_SYNTH);
        laip_person_describe(&p, &v, &r, &text);
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

static bool write_annotations(const laip_synth_options *o, laip_error *error)
{
    int persons = o->persons + o->val + o->test;
    json_t *list = json_array();
    for (int i = 0; i < persons; i++)
        for (int k = 0; k < o->images; k++)
            json_array_append_new(list, entry(o, (uint64_t)i, k,
                                              i < o->persons            ? "train"
                                              : i < o->persons + o->val ? "val"
                                                                        : "test"));
    char *text = json_dumps(list, JSON_INDENT(1) | JSON_PRESERVE_ORDER),
         *path = laip_path_join(o->folder, "reid_raw.json");
    bool good = laip_file_write(path, text, strlen(text), error);
    json_decref(list);
    free(text);
    free(path);
    return good;
}

bool laip_synth_write(const laip_synth_options *o, laip_error *error)
{
    static const char *const folders[] = {"imgs/CUHK01", "imgs/cam_a", "imgs/cam_b"};
    if (o->persons < 0 || o->val < 0 || o->test < 0 || o->persons + o->val + o->test < 1 || o->images < 1)
        return laip_bad_input(error,
                              "%d + %d + %d persons with %d pictures each, expected at least one of both",
                              o->persons, o->val, o->test, o->images);
    for (size_t i = 0; i < 3; i++) {
        char *path = laip_path_join(o->folder, folders[i]);
        bool good = laip_make_folders(path, error);
        free(path);
        if (!good)
            return false;
    }
    job j = {.options = o, .error = {.status = LAIP_OK}};
    pthread_mutex_init(&j.lock, NULL);
    laip_parallel_for((size_t)(o->persons + o->val + o->test), o->threads, one_person, &j);
    pthread_mutex_destroy(&j.lock);
    if (j.error.status != LAIP_OK) {
        *error = j.error;
        return false;
    }
    return write_annotations(o, error);
}
