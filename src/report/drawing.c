#include "report/drawing.h"

#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

laip_sheet laip_sheet_create(int width, int height, int scale)
{
    laip_sheet s = {.surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width * scale, height * scale)};
    s.c = cairo_create(s.surface);
    cairo_scale(s.c, scale, scale);
    cairo_set_source_rgb(s.c, 1, 1, 1);
    cairo_paint(s.c);
    laip_draw_font(s.c, 14, false);
    return s;
}

static cairo_status_t put(void *context, const unsigned char *data, unsigned length)
{
    laip_str_add(context, (const char *)data, length);
    return CAIRO_STATUS_SUCCESS;
}

bool laip_sheet_write(const laip_sheet *s, const char *path, laip_error *error)
{
    laip_str png = {0};
    bool good = true;
    if (cairo_status(s->c) || cairo_surface_write_to_png_stream(s->surface, put, &png))
        good = laip_failure(error, "%s: the sheet of %d × %d pixels cannot be drawn: %s", path,
                            cairo_image_surface_get_width(s->surface),
                            cairo_image_surface_get_height(s->surface),
                            cairo_status_to_string(cairo_status(s->c)));
    good = good && laip_file_write(path, laip_str_text(&png), png.length, error);
    free(png.text);
    return good;
}

void laip_sheet_free(laip_sheet *s)
{
    cairo_destroy(s->c);
    cairo_surface_destroy(s->surface);
    *s = (laip_sheet){0};
}

void laip_draw_colour(cairo_t *c, unsigned rgb)
{
    cairo_set_source_rgb(c, (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0);
}

void laip_draw_font(cairo_t *c, double size, bool bold)
{
    cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c, size);
}

void laip_draw_text(cairo_t *c, double x, double y, const char *text)
{
    cairo_move_to(c, x, y);
    cairo_show_text(c, text);
    cairo_new_path(c); /* text leaves a point behind */
}

static double width_of(cairo_t *c, const char *text)
{
    cairo_text_extents_t e;
    cairo_text_extents(c, text, &e);
    return e.width;
}

void laip_draw_centred(cairo_t *c, double x, double y, const char *text)
{
    laip_draw_text(c, x - width_of(c, text) / 2, y, text);
}

int laip_draw_wrapped(cairo_t *c, double x, double y, double width, double line, const char *text)
{
    laip_str now = {0};
    int lines = 0;
    for (const char *at = text; *at;) {
        size_t word = strcspn(at, " "), before = now.length;
        laip_str_addf(&now, "%s%.*s", before ? " " : "", (int)word, at);
        if (before && width_of(c, now.text) > width) {
            now.text[before] = '\0';
            laip_draw_text(c, x, y + lines++ * line, now.text);
            laip_str_clear(&now);
        } else
            at += word + strspn(at + word, " ");
    }
    if (now.length)
        laip_draw_text(c, x, y + lines++ * line, now.text);
    free(now.text);
    return lines;
}

bool laip_draw_load(const char *file, int width, int height, laip_image *out, laip_error *error)
{
    laip_image image;
    if (!laip_image_load(file, true, &image, error))
        return false;
    laip_image_resize(&image, height, width, out);
    laip_image_free(&image);
    return true;
}

void laip_draw_image(cairo_t *c, double x, double y, double width, double height, const laip_image *image)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width, image->height);
    unsigned char *data = cairo_image_surface_get_data(s);
    size_t stride = (size_t)cairo_image_surface_get_stride(s);
    for (size_t r = 0; data && r < (size_t)image->height; r++)
        for (size_t i = 0; i < (size_t)image->width; i++) {
            const uint8_t *p = image->pixels + 3 * (r * (size_t)image->width + i);
            uint32_t value = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
            memcpy(data + r * stride + 4 * i, &value, 4);
        }
    cairo_surface_mark_dirty(s);
    cairo_save(c);
    cairo_translate(c, x, y);
    cairo_scale(c, width / image->width, height / image->height);
    cairo_set_source_surface(c, s, 0, 0);
    cairo_pattern_set_extend(cairo_get_source(c), CAIRO_EXTEND_PAD); /* no white that bleeds in at the edge */
    cairo_rectangle(c, 0, 0, image->width, image->height);
    cairo_fill(c);
    cairo_restore(c);
    cairo_surface_destroy(s);
}

void laip_draw_frame(cairo_t *c, double x, double y, double width, double height, bool right)
{
    laip_draw_colour(c, right ? LAIP_FRAME_RIGHT : LAIP_FRAME_OTHER);
    cairo_set_line_width(c, right ? 5 : 1);
    cairo_rectangle(c, x - 1, y - 1, width + 2, height + 2);
    cairo_stroke(c);
}
