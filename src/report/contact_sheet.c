#include "report/contact_sheet.h"

#include "report/drawing.h"
#include "report/history.h"

#include <stdio.h>
#include <stdlib.h>

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

static void draw_line(cairo_t *c, const laip_curve *curve, const double *value, unsigned rgb,
                      const char *name, double label)
{
    double wide = WIDTH - 200, left = 60, last = curve->step[curve->count - 1];
    laip_draw_colour(c, rgb);
    cairo_set_line_width(c, 2.5);
    for (size_t i = 0; i < curve->count; i++)
        cairo_line_to(c, left + wide * curve->step[i] / last, PLOT - 40 - (PLOT - 80) * value[i] / 100);
    cairo_stroke(c);
    laip_draw_text(c, left + wide + 10, label, name);
}

static void draw_curve(cairo_t *c, const laip_curve *curve)
{
    double wide = WIDTH - 200, left = 60;
    char text[64];
    laip_draw_colour(c, 0x222222);
    laip_draw_text(c, left, 26, "R@1 on the validation split, percent, by training step");
    cairo_set_line_width(c, 1);
    for (int tick = 0; tick <= 100; tick += 25) {
        double y = PLOT - 40 - (PLOT - 80) * tick / 100.0;
        laip_draw_colour(c, 0xdddddd);
        cairo_move_to(c, left, y);
        cairo_line_to(c, left + wide, y);
        cairo_stroke(c);
        laip_draw_colour(c, 0x555555);
        snprintf(text, sizeof text, "%3d", tick);
        laip_draw_text(c, left - 34, y + 5, text);
    }
    double last = curve->step[curve->count - 1];
    for (int i = 0; i <= 4; i++) {
        snprintf(text, sizeof text, "%.0f", last * i / 4);
        laip_draw_text(c, left + wide * i / 4 - 10, PLOT - 18, text);
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

static bool draw_picture(cairo_t *c, double x, double y, const char *file, bool right, laip_error *error)
{
    laip_image small;
    if (!laip_draw_load(file, TILE, TALL, &small, error))
        return false;
    laip_draw_image(c, x, y, TILE, TALL, &small);
    laip_image_free(&small);
    laip_draw_frame(c, x, y, TILE, TALL, right);
    return true;
}

static bool draw_query(cairo_t *c, double y, size_t q, const laip_evaluation *e, const laip_dataset *d,
                       laip_error *error)
{
    bool good = true;
    laip_draw_colour(c, 0x222222);
    laip_draw_wrapped(c, 20, y + 16, TEXT, 18, d->captions[q].text);
    for (size_t k = 0; good && k < BEST && k < e->depth; k++) {
        int32_t picture = e->ranking[q * e->depth + k];
        char *file = laip_dataset_file(d, (size_t)picture);
        good = draw_picture(c, 20 + TEXT + 20 + (double)k * (TILE + GAP), y, file,
                            e->gallery_person[picture] == e->query_person[q], error);
        free(file);
    }
    return good;
}

bool laip_contact_sheet_write(const char *path, const laip_evaluation *e, const laip_dataset *d, size_t count,
                              const laip_curve *curve, laip_error *error)
{
    count = count < e->queries ? count : e->queries;
    int top = curve && curve->count > 1 ? PLOT : 0, height = top + (int)count * ROW + 2 * GAP;
    laip_sheet s = laip_sheet_create(WIDTH, height, 1);
    if (top)
        draw_curve(s.c, curve);
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        good = draw_query(s.c, top + (double)i * ROW + 2 * GAP, i * e->queries / count, e, d, error);
    good = good && laip_sheet_write(&s, path, error);
    laip_sheet_free(&s);
    return good;
}
