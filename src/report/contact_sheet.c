#include "report/contact_sheet.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "image/image.h"
#include "report/history.h"

#include <cairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels. */
enum {
    WIDTH = 1220,
    TEXT = 320,
    TILE = 96,
    TALL = 192,
    GAP = 10,
    PLOT = 260,
    BEST = 8,
    ROW = TALL + 3 * GAP
};

laip_curve laip_curve_read(const char *path)
{
    laip_curve c = {0};
    laip_history h;
    double *same[2];
    laip_history_read(&h, path);
    c.count = laip_history_column(&h, "val", "val.retrieval.0", &c.step, &c.retrieval);
    laip_history_column(&h, "val", "val.rerank.0", &same[0], &c.rerank);
    laip_history_column(&h, "val", "val.fused.0", &same[1], &c.fused);
    free(same[0]);
    free(same[1]);
    laip_history_free(&h);
    return c;
}

void laip_curve_free(laip_curve *c)
{
    free(c->step);
    free(c->retrieval);
    free(c->rerank);
    free(c->fused);
    *c = (laip_curve){0};
}

static void colour(cairo_t *c, unsigned rgb)
{
    cairo_set_source_rgb(c, (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0);
}

static void say(cairo_t *c, double x, double y, const char *text)
{
    cairo_move_to(c, x, y);
    cairo_show_text(c, text);
}

static void draw_line(cairo_t *c, const laip_curve *curve, const double *value, unsigned rgb,
                      const char *name, double label)
{
    double wide = WIDTH - 200, left = 60, last = curve->step[curve->count - 1];
    colour(c, rgb);
    cairo_set_line_width(c, 2.5);
    cairo_new_path(c); /* text leaves a point behind */
    for (size_t i = 0; i < curve->count; i++)
        cairo_line_to(c, left + wide * curve->step[i] / last, PLOT - 40 - (PLOT - 80) * value[i] / 100);
    cairo_stroke(c);
    say(c, left + wide + 10, label, name);
}

static void draw_curve(cairo_t *c, const laip_curve *curve)
{
    double wide = WIDTH - 200, left = 60;
    char text[64];
    colour(c, 0x222222);
    say(c, left, 26, "R@1 on the validation split, percent, by training step");
    cairo_set_line_width(c, 1);
    for (int tick = 0; tick <= 100; tick += 25) {
        double y = PLOT - 40 - (PLOT - 80) * tick / 100.0;
        colour(c, 0xdddddd);
        cairo_move_to(c, left, y);
        cairo_line_to(c, left + wide, y);
        cairo_stroke(c);
        colour(c, 0x555555);
        snprintf(text, sizeof text, "%3d", tick);
        say(c, left - 34, y + 5, text);
    }
    double last = curve->step[curve->count - 1];
    for (int i = 0; i <= 4; i++) {
        snprintf(text, sizeof text, "%.0f", last * i / 4);
        say(c, left + wide * i / 4 - 10, PLOT - 18, text);
    }
    const struct {
        const double *value;
        unsigned rgb;
        const char *name;
    } lines[] = {{curve->retrieval, 0x2060c0, "by features"},
                 {curve->rerank, 0xc04020, "by matching"},
                 {curve->fused, 0x208040, "by both"}};
    for (int i = 0; i < 3; i++) { /* names in the order of the ends */
        int above = 0;
        for (int j = 0; j < 3; j++) {
            double mine = lines[i].value[curve->count - 1], other = lines[j].value[curve->count - 1];
            above += other > mine || (other == mine && j < i);
        }
        draw_line(c, curve, lines[i].value, lines[i].rgb, lines[i].name, 72 + 24 * above);
    }
}

/* Words into lines of at most TEXT pixels. */
static void draw_caption(cairo_t *c, double x, double y, const char *caption)
{
    char line[512] = "";
    colour(c, 0x222222);
    for (const char *at = caption; *at;) {
        char longer[512];
        size_t word = strcspn(at, " ");
        snprintf(longer, sizeof longer, "%s%s%.*s", line, *line ? " " : "", (int)(word < 200 ? word : 200),
                 at);
        cairo_text_extents_t e;
        cairo_text_extents(c, longer, &e);
        if (e.width > TEXT && *line) {
            say(c, x, y, line);
            y += 18;
            line[0] = '\0';
        } else {
            memcpy(line, longer, sizeof line);
            at += word + strspn(at + word, " ");
        }
    }
    say(c, x, y, line);
}

static bool draw_picture(cairo_t *c, double x, double y, const char *file, bool right, laip_error *error)
{
    laip_image image, small;
    if (!laip_image_load(file, true, &image, error))
        return false;
    laip_image_resize(&image, TALL, TILE, &small);
    laip_image_free(&image);
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, TILE, TALL);
    unsigned char *data = cairo_image_surface_get_data(s);
    for (int r = 0; r < TALL; r++)
        for (int i = 0; i < TILE; i++) {
            const uint8_t *p = small.pixels + (size_t)3 * ((size_t)r * TILE + (size_t)i);
            uint32_t value = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
            memcpy(data + (size_t)r * (size_t)cairo_image_surface_get_stride(s) + (size_t)4 * (size_t)i,
                   &value, 4);
        }
    cairo_surface_mark_dirty(s);
    laip_image_free(&small);
    cairo_set_source_surface(c, s, x, y);
    cairo_paint(c);
    cairo_surface_destroy(s);
    colour(c, right ? 0x10a040 : 0xbbbbbb);
    cairo_set_line_width(c, right ? 5 : 1);
    cairo_rectangle(c, x - 1, y - 1, TILE + 2, TALL + 2);
    cairo_stroke(c);
    return true;
}

static bool draw_query(cairo_t *c, double y, size_t q, const laip_evaluation *e, const laip_dataset *d,
                       laip_error *error)
{
    bool good = true;
    draw_caption(c, 20, y + 16, d->captions[q].text);
    for (size_t k = 0; good && k < BEST && k < e->depth; k++) {
        int32_t picture = e->ranking[q * e->depth + k];
        char *file = laip_dataset_file(d, (size_t)picture);
        good = draw_picture(c, 20 + TEXT + 20 + (double)k * (TILE + GAP), y, file,
                            e->gallery_person[picture] == e->query_person[q], error);
        free(file);
    }
    return good;
}

static cairo_status_t put(void *context, const unsigned char *data, unsigned length)
{
    laip_str_add(context, (const char *)data, length);
    return CAIRO_STATUS_SUCCESS;
}

bool laip_contact_sheet_write(const char *path, const laip_evaluation *e, const laip_dataset *d, size_t count,
                              const laip_curve *curve, laip_error *error)
{
    count = count < e->queries ? count : e->queries;
    int top = curve && curve->count > 1 ? PLOT : 0, height = top + (int)count * ROW + 2 * GAP;
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, height);
    cairo_t *c = cairo_create(s);
    laip_str png = {0};
    cairo_set_source_rgb(c, 1, 1, 1);
    cairo_paint(c);
    cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c, 14);
    if (top)
        draw_curve(c, curve);
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        good = draw_query(c, top + (double)i * ROW + 2 * GAP, i * e->queries / count, e, d, error);
    if (good && (cairo_status(c) || cairo_surface_write_to_png_stream(s, put, &png)))
        good = laip_failure(error, "%s: the sheet of %d × %d pixels cannot be drawn: %s", path, WIDTH, height,
                            cairo_status_to_string(cairo_status(c)));
    good = good && laip_file_write(path, laip_str_text(&png), png.length, error);
    cairo_destroy(c);
    cairo_surface_destroy(s);
    free(png.text);
    return good;
}
