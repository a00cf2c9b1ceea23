#include "support/pictures.h"

#include "base/memory.h"
#include "base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

laip_image laip_test_smooth(int width, int height)
{
    laip_image image = {.width = width, .height = height, .pixels = laip_alloc((size_t)(width * height), 3)};
    uint8_t *p = image.pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            *p++ = (uint8_t)(128 + 80 * sin(0.05 * x + 0.02 * y));
            *p++ = (uint8_t)(120 + 60 * cos(0.03 * x - 0.04 * y));
            *p++ = (uint8_t)(100 + 70 * sin(0.02 * x + 0.03 * y + 1));
        }
    return image;
}

laip_image laip_test_noise(int width, int height)
{
    laip_image image = {.width = width, .height = height, .pixels = laip_alloc((size_t)(width * height), 3)};
    laip_rng r = laip_rng_stream(17, 0, (uint64_t)width, LAIP_SITE_TEST);
    for (int i = 0; i < 3 * width * height; i++)
        image.pixels[i] = (uint8_t)laip_rng_below(&r, 256);
    return image;
}

/* The scan line y in the colours that the compressor is given. */
static void fill_line(const laip_image *image, int y, int components, uint8_t *line)
{
    const uint8_t *p = image->pixels + 3 * (size_t)y * (size_t)image->width;
    for (int x = 0; x < image->width; x++, p += 3, line += components) {
        if (components == 1)
            line[0] = p[1];
        else
            memcpy(line, p, 3); /* for CMYK: paper without black ink shows through cyan, magenta, yellow */
        if (components == 4)
            line[3] = 255;
    }
}

laip_str laip_test_write_jpeg(const laip_image *image, const laip_test_jpeg *kind)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    J_COLOR_SPACE space = kind->space ? kind->space : JCS_YCbCr;
    bool four = space == JCS_CMYK || space == JCS_YCCK;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &bytes, &size);
    c.image_width = (JDIMENSION)image->width;
    c.image_height = (JDIMENSION)image->height;
    c.input_components = four ? 4 : space == JCS_GRAYSCALE ? 1 : 3;
    c.in_color_space = four ? JCS_CMYK : space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_colorspace(&c, space);
    jpeg_set_quality(&c, 100, TRUE);
    c.comp_info[0].h_samp_factor = kind->across ? kind->across : 1;
    c.comp_info[0].v_samp_factor = kind->down ? kind->down : 1;
    if (space == JCS_YCCK) {
        c.comp_info[3].h_samp_factor = c.comp_info[0].h_samp_factor;
        c.comp_info[3].v_samp_factor = c.comp_info[0].v_samp_factor;
    }
    c.arith_code = kind->arithmetic;
    c.restart_interval = kind->restart;
    if (kind->no_adobe)
        c.write_Adobe_marker = FALSE;
    if (kind->progressive)
        jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    if (kind->app1)
        jpeg_write_marker(&c, JPEG_APP0 + 1, kind->app1, kind->app1_size);
    uint8_t *line = laip_alloc((size_t)image->width, 4);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = line;
        fill_line(image, (int)c.next_scanline, c.input_components, line);
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    laip_str s = {0};
    laip_str_add(&s, (const char *)bytes, size);
    free(bytes);
    free(line);
    return s;
}

static void write_bytes(png_structp p, png_bytep bytes, size_t size)
{
    laip_str_add(png_get_io_ptr(p), (const char *)bytes, size);
}

static void flush_nothing(png_structp p)
{
    (void)p;
}

laip_str laip_test_write_png(int width, int height, int depth, int type, bool interlaced, png_bytep *rows,
                             void (*chunks)(png_structp png, png_infop info))
{
    laip_str s = {0};
    png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(p);
    png_set_write_fn(p, &s, write_bytes, flush_nothing);
    png_set_IHDR(p, info, (png_uint_32)width, (png_uint_32)height, depth, type,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (chunks)
        chunks(p, info);
    png_set_rows(p, info, rows);
    png_write_png(p, info, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&p, &info);
    return s;
}

static void put32(char *p, uint32_t x)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(x >> (24 - 8 * i));
}

void laip_test_add_chunk(laip_str *png, const char *before, const char *type, const void *data, size_t size)
{
    size_t at = 8;
    while (memcmp(png->text + at + 4, before, 4) != 0) {
        const uint8_t *p = (const uint8_t *)png->text + at;
        at += 12 + ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
    }
    laip_str s = {0};
    char head[8], sum[4];
    put32(head, (uint32_t)size);
    memcpy(head + 4, type, 4);
    uLong crc = crc32(0, (const Bytef *)type, 4);
    put32(sum, (uint32_t)(size ? crc32(crc, data, (uInt)size) : crc));
    laip_str_add(&s, png->text, at);
    laip_str_add(&s, head, sizeof head);
    laip_str_add(&s, data, size);
    laip_str_add(&s, sum, sizeof sum);
    laip_str_add(&s, png->text + at, png->length - at);
    free(png->text);
    *png = s;
}

void laip_test_exif(uint8_t exif[26], int orientation, bool big_endian)
{
    /* One entry: tag 0x112, a SHORT, once. */
    static const uint8_t big[26] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1};
    static const uint8_t little[26] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1};
    memcpy(exif, big_endian ? big : little, 26);
    exif[big_endian ? 19 : 18] = (uint8_t)orientation;
}
