/* What is around a drawn person, and the camera. */
#include "synth/scene.h"

#include <math.h>

void laip_scene_background(cairo_t *c, const laip_view *v)
{
    double width = v->width, height = v->height;
    laip_rng r = laip_rng_stream(v->background, 9, 0, LAIP_SITE_SYNTH);
    double tone = 0.45 + 0.4 * laip_rng_uniform(&r), horizon = height * (0.35 + 0.3 * laip_rng_uniform(&r));
    double tint[3];
    for (int i = 0; i < 3; i++)
        tint[i] = tone + 0.12 * (laip_rng_uniform(&r) - 0.5);
    cairo_set_source_rgb(c, tint[0], tint[1], tint[2]);
    cairo_paint(c);
    for (int i = 0; i < 5; i++) { /* windows, doors, parked things */
        double x = width * (laip_rng_uniform(&r) * 1.2 - 0.1), w = width * (0.1 + 0.3 * laip_rng_uniform(&r));
        double y = horizon * laip_rng_uniform(&r), h = horizon * (0.2 + 0.5 * laip_rng_uniform(&r));
        double shade = 0.6 + 0.6 * laip_rng_uniform(&r);
        cairo_set_source_rgb(c, fmin(1, tint[0] * shade), fmin(1, tint[1] * shade),
                             fmin(1, tint[2] * shade * 1.05));
        cairo_rectangle(c, x, y, w, h);
        cairo_fill(c);
    }
    double ground = 0.35 + 0.35 * laip_rng_uniform(&r);
    bool grass = laip_rng_uniform(&r) < 0.2;
    cairo_set_source_rgb(c, grass ? ground * 0.75 : ground, grass ? ground * 1.1 : ground * 0.99,
                         grass ? ground * 0.6 : ground * 0.96);
    cairo_rectangle(c, 0, horizon, width, height - horizon);
    cairo_fill(c);
    cairo_set_line_width(c, 1);
    for (int i = 0; i < 4; i++) { /* paving */
        double y = horizon + (height - horizon) * (i + laip_rng_uniform(&r)) / 4;
        cairo_set_source_rgba(c, 0, 0, 0, 0.12);
        cairo_move_to(c, 0, y);
        cairo_line_to(c, width, y + 3);
        cairo_stroke(c);
    }
}

void laip_scene_occluder(cairo_t *c, const laip_view *v)
{
    double width = v->width, height = v->height;
    laip_rng r = laip_rng_stream(v->background, 10, 0, LAIP_SITE_SYNTH);
    double tone = 0.2 + 0.5 * laip_rng_uniform(&r);
    cairo_set_source_rgb(c, tone, tone * 0.97, tone * 0.9);
    if (v->occluded == 1)
        cairo_rectangle(c, width * (0.15 + 0.7 * laip_rng_uniform(&r)), 0, width * 0.08, height);
    else if (v->occluded == 2)
        cairo_rectangle(c, 0, height * 0.86, width * (0.3 + 0.4 * laip_rng_uniform(&r)), height * 0.14);
    cairo_fill(c);
}

void laip_scene_expose(const laip_view *v, const uint8_t *argb, int stride, laip_image *out, laip_rng *rng)
{
    for (int y = 0; y < v->height; y++)
        for (int x = 0; x < v->width; x++)
            for (int c = 0; c < 3; c++) {
                int left = x ? x - 1 : 0, up = y ? y - 1 : 0, byte = 2 - c; /* cairo keeps B, G, R, A */
                double here = argb[y * stride + 4 * x + byte];
                double near = (argb[y * stride + 4 * left + byte] + argb[up * stride + 4 * x + byte]) / 2.0;
                double value = (here * (1 - v->blur / 2) + near * v->blur / 2) * v->light * v->cast[c];
                value += v->noise * 1.7 * (laip_rng_uniform(rng) + laip_rng_uniform(rng) - 1);
                out->pixels[3 * (y * v->width + x) + c] = (uint8_t)(value < 0     ? 0
                                                                    : value > 255 ? 255
                                                                                  : value + 0.5);
            }
}
