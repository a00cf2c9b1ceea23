/* laip-data pixels: the pixels that training sees of a picture, as a PPM file. */
#include "base/file.h"
#include "base/memory.h"
#include "image/image.h"
#include "programs/data.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *file, *ppm;
    int height, width; /* 0: as the picture is */
    bool keep_turned;
    laip_pillow pillow;
} arguments;

enum { OPTION_RESIZE = 1, OPTION_NO_EXIF, OPTION_PPM, OPTION_PILLOW, LONGEST_SIDE = 65535 };

static const struct argp_option options[] = {
    {"resize", OPTION_RESIZE, "HxW", 0,
     "Resize to H rows of W pixels by antialiased bicubic interpolation, as for training (such as 384x128)",
     0},
    {"pillow", OPTION_PILLOW, "N", 0,
     "Whose resizing it is: 13 (the default), or 12 for that version and those before", 0},
    {"no-exif", OPTION_NO_EXIF, NULL, 0, "Leave the pixels as they are stored, not turned upright by EXIF",
     0},
    {"ppm", OPTION_PPM, "OUT", 0, "Where to write them; - is standard output", 0},
    {0}};

static const char documentation[] =
    "Decodes FILE, a JPEG or PNG picture whatever its name says, to 8-bit RGB exactly as training does, and "
    "writes it as a binary PPM file.\vExamples:\n"
    "  laip-data pixels cam_a/000_45.bmp.png --ppm out.ppm\n"
    "  laip-data pixels photo.jpg --resize 384x128 --ppm - | display -";

/* "384x128": 384 rows of 128. */
static bool parse_size(const char *text, arguments *a)
{
    char *end;
    errno = 0;
    long height = strtol(text, &end, 10), width = 0;
    if (end == text || *end != 'x' || end[1] < '0' || end[1] > '9')
        return false;
    width = strtol(end + 1, &end, 10);
    if (*end || errno || height < 1 || width < 1 || height > LONGEST_SIDE || width > LONGEST_SIDE ||
        height * width > LAIP_IMAGE_PIXELS)
        return false;
    a->height = (int)height;
    a->width = (int)width;
    return true;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case OPTION_RESIZE:
        if (!parse_size(text, a))
            argp_error(state,
                       "--resize: found '%s', expected HEIGHTxWIDTH, each from 1 to %d, %d pixels at most",
                       text, LONGEST_SIDE, LAIP_IMAGE_PIXELS);
        return 0;
    case OPTION_NO_EXIF:
        a->keep_turned = true;
        return 0;
    case OPTION_PILLOW:
        if (strcmp(text, "12") != 0 && strcmp(text, "13") != 0)
            argp_error(state, "--pillow %s: 12 or 13 is expected", text);
        a->pillow = text[1] == '2' ? LAIP_PILLOW_12 : LAIP_PILLOW_13;
        return 0;
    case OPTION_PPM:
        a->ppm = text;
        return 0;
    case ARGP_KEY_ARG:
        if (a->file)
            argp_error(state, "found a second file, '%s', expected one", text);
        a->file = text;
        return 0;
    case ARGP_KEY_END:
        if (!a->file)
            argp_error(state, "no FILE was given");
        if (!a->ppm)
            argp_error(state, "--ppm is missing: where to write the pixels (- for standard output)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool put(FILE *to, const laip_image *image)
{
    size_t bytes = 3 * (size_t)image->width * (size_t)image->height;
    return fprintf(to, "P6\n%d %d\n255\n", image->width, image->height) > 0 &&
           fwrite(image->pixels, 1, bytes, to) == bytes;
}

static bool write_ppm(const char *path, const laip_image *image, laip_error *error)
{
    laip_file file;
    if (strcmp(path, "-") == 0)
        return (put(stdout, image) && fflush(stdout) == 0) ||
               laip_failure(error, "standard output: %s", strerror(errno));
    if (!laip_file_begin(&file, path, error))
        return false;
    if (put(file.stream, image))
        return laip_file_commit(&file, error);
    laip_failure(error, "%s: cannot be written: %s", path, strerror(errno));
    laip_file_cancel(&file);
    return false;
}

int laip_data_pixels(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "FILE", documentation, NULL, NULL, NULL};
    arguments a = {0};
    laip_error error;
    laip_image image = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    bool good = laip_image_load(a.file, !a.keep_turned, &image, &error);
    if (good && a.height) {
        laip_image small;
        laip_image_resize_as(a.pillow, &image, 0, 0, image.width, image.height, a.height, a.width, &small);
        laip_image_free(&image);
        image = small;
    }
    good = good && write_ppm(a.ppm, &image, &error);
    laip_image_free(&image);
    if (!good)
        fprintf(stderr, "laip-data pixels: %s\n", error.text);
    return good ? 0 : (int)error.status;
}
