/* Drawing a person with cairo.  Coordinates: x from the body's middle, y from the top of the head (0) to the
 * soles (1), both in body heights. */
#include "base/memory.h"
#include "synth/figure.h"
#include "synth/scene.h"

#include <math.h>
#include <string.h>

static const double skins[4][3] = {
    {0.96, 0.80, 0.69}, {0.87, 0.67, 0.51}, {0.66, 0.45, 0.31}, {0.42, 0.28, 0.20}};
static const double hairs[5][3] = {
    {0.06, 0.05, 0.05}, {0.34, 0.20, 0.10}, {0.90, 0.77, 0.42}, {0.66, 0.25, 0.10}, {0.66, 0.66, 0.67}};

typedef struct pen {
    cairo_t *c;
    const laip_person *p;
    const laip_view *v;
    laip_rng rng;
    double wide; /* half width of the shoulders */
    bool profile, back;
} pen;

static void colour(pen *n, int index, double shade)
{
    const laip_colour *k = &laip_colours[index];
    cairo_set_source_rgb(n->c, k->r * shade, k->g * shade, k->b * shade);
}

static void rgb(pen *n, const double *k, double shade)
{
    cairo_set_source_rgb(n->c, k[0] * shade, k[1] * shade, k[2] * shade);
}

static void ellipse(cairo_t *c, double x, double y, double rx, double ry)
{
    cairo_save(c);
    cairo_translate(c, x, y);
    cairo_scale(c, rx, ry);
    cairo_new_sub_path(c);
    cairo_arc(c, 0, 0, 1, 0, 2 * M_PI);
    cairo_restore(c);
}

/* A limb from a to b with widths wa and wb, round at the ends. */
static void limb(cairo_t *c, double ax, double ay, double wa, double bx, double by, double wb)
{
    double dx = bx - ax, dy = by - ay, length = hypot(dx, dy), nx = -dy / length, ny = dx / length;
    cairo_move_to(c, ax + nx * wa, ay + ny * wa);
    cairo_line_to(c, bx + nx * wb, by + ny * wb);
    cairo_line_to(c, bx - nx * wb, by - ny * wb);
    cairo_line_to(c, ax - nx * wa, ay - ny * wa);
    cairo_close_path(c);
    cairo_fill(c);
    ellipse(c, ax, ay, wa, wa);
    cairo_fill(c);
    ellipse(c, bx, by, wb, wb);
    cairo_fill(c);
}

static void torso_path(pen *n, double bottom, double flare)
{
    cairo_t *c = n->c;
    double w = n->wide * (n->profile ? 0.66 : 1), waist = w * 0.84;
    cairo_move_to(c, -w * 0.35, 0.142);
    cairo_curve_to(c, -w * 0.8, 0.15, -w, 0.16, -w, 0.20);
    cairo_curve_to(c, -w * 0.98, 0.30, -waist, 0.36, -waist * 0.98, 0.42);
    cairo_line_to(c, -waist * flare, bottom);
    cairo_line_to(c, waist * flare, bottom);
    cairo_line_to(c, waist * 0.98, 0.42);
    cairo_curve_to(c, waist, 0.36, w * 0.98, 0.30, w, 0.20);
    cairo_curve_to(c, w, 0.16, w * 0.8, 0.15, w * 0.35, 0.142);
    cairo_close_path(c);
}

static void pattern(pen *n)
{
    cairo_t *c = n->c;
    const laip_person *p = n->p;
    colour(n, p->second_colour, 1);
    switch (p->pattern) {
    case LAIP_STRIPED:
        for (int i = 0; i < 11; i++) {
            cairo_rectangle(c, -0.3, 0.16 + 0.062 * i, 0.6, 0.028);
            cairo_fill(c);
        }
        break;
    case LAIP_PLAID:
        cairo_set_line_width(c, 0.016);
        for (int i = 0; i < 20; i++) {
            double t = -0.3 + 0.055 * i;
            cairo_move_to(c, -0.3, t + 0.1);
            cairo_line_to(c, 0.3, t + 0.1);
            cairo_move_to(c, t, 0.1);
            cairo_line_to(c, t, 0.8);
        }
        cairo_stroke(c);
        break;
    case LAIP_DOTTED:
        for (int i = 0; i < 12; i++)
            for (int j = 0; j < 9; j++) {
                ellipse(c, -0.2 + 0.05 * j + 0.025 * (i % 2), 0.17 + 0.05 * i, 0.0125, 0.0125);
                cairo_fill(c);
            }
        break;
    case LAIP_PRINT:
        if (!n->profile) {
            cairo_rectangle(c, -0.055, 0.22, 0.11, 0.10);
            cairo_fill(c);
        }
        break;
    default:
        break;
    }
}

static void shade(pen *n)
{
    cairo_pattern_t *g = cairo_pattern_create_linear(-0.15, 0, 0.15, 0);
    cairo_pattern_add_color_stop_rgba(g, 0, 0, 0, 0, 0.22);
    cairo_pattern_add_color_stop_rgba(g, 0.5, 0, 0, 0, 0);
    cairo_pattern_add_color_stop_rgba(g, 1, 0, 0, 0, 0.15);
    cairo_set_source(n->c, g);
    cairo_paint(n->c);
    cairo_pattern_destroy(g);
}

static void leg(pen *n, double hip, double foot, double dark)
{
    cairo_t *c = n->c;
    const laip_person *p = n->p;
    double knee = (hip + foot) / 2 + 0.01 * n->v->stride, thick = 0.050 + 0.006 * p->build;
    bool covers = p->lower == LAIP_JEANS || p->lower == LAIP_TROUSERS || p->lower == LAIP_LEGGINGS;
    double slim = p->lower == LAIP_LEGGINGS ? 0.8 : 1;
    rgb(n, skins[p->skin], dark);
    limb(c, knee, 0.70, 0.030, foot, 0.94, 0.021);
    if (covers || p->lower == LAIP_SHORTS) {
        double end = covers ? 0.935 : 0.69, x = covers ? foot : knee;
        colour(n, p->lower_colour, dark);
        limb(c, hip, 0.50, thick * slim, knee, fmin(0.70, end), 0.041 * slim);
        if (covers)
            limb(c, knee, 0.70, 0.041 * slim, x, end, (p->lower == LAIP_TROUSERS ? 0.036 : 0.030) * slim);
    } else
        limb(c, hip, 0.52, thick * 0.9, knee, 0.70, 0.032);
    double toe = n->profile ? 0.028 : 0.004;
    colour(n, p->shoe_colour, dark);
    ellipse(c, foot + toe, 0.965, n->profile ? 0.058 : 0.042, 0.028);
    cairo_fill(c);
    if (p->shoes == LAIP_BOOTS) {
        limb(c, foot, 0.88, 0.034, foot, 0.95, 0.034);
    } else if (p->shoes == LAIP_SANDALS) {
        rgb(n, skins[p->skin], dark);
        cairo_rectangle(c, foot - 0.02 + toe, 0.945, 0.04, 0.012);
        cairo_fill(c);
    } else {
        cairo_set_source_rgb(c, 0.93 * dark, 0.93 * dark, 0.93 * dark);
        cairo_rectangle(c, foot - 0.04 + toe, 0.982, 0.085, 0.010);
        cairo_fill(c);
    }
}

static void arm(pen *n, double x, double sign, double swing, double dark)
{
    cairo_t *c = n->c;
    const laip_person *p = n->p;
    double elbow = x + sign * 0.022 + swing * 0.03, hand = x + sign * 0.018 + swing * 0.07;
    rgb(n, skins[p->skin], dark);
    limb(c, x, 0.19, 0.030, elbow, 0.33, 0.024);
    limb(c, elbow, 0.33, 0.024, hand, 0.46, 0.017);
    ellipse(c, hand, 0.475, 0.020, 0.024);
    cairo_fill(c);
    if (p->upper == LAIP_VEST)
        return;
    colour(n, p->upper_colour, dark * 0.93);
    if (p->long_sleeves) {
        limb(c, x, 0.19, 0.037, elbow, 0.33, 0.031);
        limb(c, elbow, 0.33, 0.031, hand, 0.445, 0.025);
    } else
        limb(c, x, 0.19, 0.038, (x + elbow) / 2 + 0.003, 0.265, 0.036);
}

static void upper(pen *n)
{
    cairo_t *c = n->c;
    const laip_person *p = n->p;
    double bottom = p->lower == LAIP_DRESS    ? 0.74
                    : p->upper == LAIP_COAT   ? 0.70
                    : p->upper == LAIP_JACKET ? 0.53
                                              : 0.52;
    double flare = p->lower == LAIP_DRESS ? 1.45 : p->upper == LAIP_COAT ? 1.2 : 1.06;
    cairo_save(c);
    torso_path(n, bottom, flare);
    cairo_clip(c);
    colour(n, p->lower == LAIP_DRESS ? p->lower_colour : p->upper_colour, 1);
    cairo_paint(c);
    pattern(n);
    if (p->inner_colour >= 0 && !n->back) {
        colour(n, p->inner_colour, 1);
        cairo_rectangle(c, n->profile ? 0.02 : -0.038, 0.13, 0.076, 0.6);
        cairo_fill(c);
    }
    shade(n);
    cairo_restore(c);
    if (p->upper == LAIP_HOODIE && p->lower != LAIP_DRESS) {
        colour(n, p->upper_colour, 0.8);
        ellipse(c, 0, 0.148, 0.062, n->back ? 0.045 : 0.022);
        cairo_fill(c);
    }
    if (p->upper == LAIP_SHIRT && !n->back && !n->profile && p->lower != LAIP_DRESS) {
        cairo_set_source_rgba(c, 0, 0, 0, 0.4);
        cairo_set_line_width(c, 0.006);
        cairo_move_to(c, 0, 0.16);
        cairo_line_to(c, 0, 0.5);
        cairo_stroke(c);
    }
}

/* The point that stays where it is when a hat or a bag is enlarged: the head's, the near edge of what is
 * carried. */
static void enlarge(pen *n, double x, double y)
{
    if (!n->p->enlarged)
        return;
    cairo_translate(n->c, x, y);
    cairo_scale(n->c, LAIP_ENLARGED, LAIP_ENLARGED);
    cairo_translate(n->c, -x, -y);
}

static void hat(pen *n)
{
    cairo_t *c = n->c;
    const laip_person *p = n->p;
    if (p->hat == LAIP_NO_HAT)
        return;
    cairo_save(c);
    enlarge(n, 0, LAIP_HAT_EDGE);
    colour(n, p->hat_colour, 1);
    ellipse(c, 0, 0.034, 0.058, 0.040);
    cairo_fill(c);
    if (p->hat == LAIP_BRIMMED_HAT) {
        ellipse(c, 0, 0.047, 0.095, 0.016);
        cairo_fill(c);
    } else if (p->hat == LAIP_CAP && !n->back) {
        ellipse(c, n->profile ? 0.06 : 0, 0.054, n->profile ? 0.04 : 0.055, 0.011);
        cairo_fill(c);
    } else if (p->hat == LAIP_BEANIE) {
        cairo_rectangle(c, -0.058, 0.03, 0.116, 0.026);
        cairo_fill(c);
    }
    cairo_restore(c);
}

static void head(pen *n)
{
    cairo_t *c = n->c;
    const laip_person *p = n->p;
    bool hair = p->hair != LAIP_BALD;
    if (hair && p->hair == LAIP_LONG_HAIR) {
        rgb(n, hairs[p->hair_colour], 0.9);
        ellipse(c, n->profile ? -0.02 : 0, 0.115, 0.064, 0.105);
        cairo_fill(c);
    }
    rgb(n, skins[p->skin], 0.9);
    limb(c, 0, 0.11, 0.026, 0, 0.155, 0.03);
    rgb(n, skins[p->skin], 1);
    ellipse(c, 0, 0.075, 0.047, 0.062);
    cairo_fill(c);
    if (hair) {
        rgb(n, hairs[p->hair_colour], 1);
        if (n->back) {
            ellipse(c, 0, 0.068, 0.052, p->hair == LAIP_LONG_HAIR ? 0.066 : 0.058);
            cairo_fill(c);
            if (p->hair == LAIP_LONG_HAIR) {
                cairo_rectangle(c, -0.056, 0.07, 0.112, 0.13);
                cairo_fill(c);
            }
        } else {
            cairo_save(c);
            ellipse(c, 0, 0.066, 0.054, 0.063);
            cairo_clip(c);
            cairo_rectangle(c, -0.06, 0, 0.12, 0.056);
            if (n->profile)
                cairo_rectangle(c, -0.06, 0, 0.055, 0.12);
            cairo_fill(c);
            cairo_restore(c);
        }
        if (p->hair == LAIP_PONYTAIL) {
            limb(c,
                 n->profile ? -0.05
                 : n->back  ? 0
                            : 0.05,
                 0.05, 0.018,
                 n->profile ? -0.075
                 : n->back  ? 0
                            : 0.06,
                 0.15, 0.012);
        }
    }
    if (!n->back) {
        cairo_set_source_rgb(c, 0.1, 0.08, 0.08);
        for (int i = n->profile ? 1 : 0; i < 2; i++) {
            ellipse(c, (i ? 0.018 : -0.018) + (n->profile ? 0.012 : 0), 0.076, 0.006, 0.005);
            cairo_fill(c);
        }
        if (p->glasses) {
            cairo_set_line_width(c, 0.008);
            for (int i = n->profile ? 1 : 0; i < 2; i++) {
                ellipse(c, (i ? 0.020 : -0.020) + (n->profile ? 0.012 : 0), 0.076, 0.015, 0.012);
                cairo_stroke(c);
            }
        }
    }
    hat(n);
    if (p->scarf_colour >= 0) {
        colour(n, p->scarf_colour, 1);
        ellipse(c, 0, 0.150, 0.060, 0.026);
        cairo_fill(c);
    }
}

static void bag(pen *n)
{
    cairo_t *c = n->c;
    const laip_person *p = n->p;
    double w = n->wide * (n->profile ? 0.66 : 1);
    colour(n, p->bag_colour, 0.96);
    cairo_set_line_width(c, 0.020);
    switch (p->bag) {
    case LAIP_BACKPACK:
        if (n->back) {
            cairo_rectangle(c, -w * 0.72, 0.18, w * 1.44, 0.21);
            cairo_fill(c);
            cairo_set_source_rgba(c, 0, 0, 0, 0.35);
            cairo_rectangle(c, -w * 0.5, 0.29, w, 0.012);
            cairo_fill(c);
        } else if (n->profile) {
            ellipse(c, -w - 0.03, 0.27, 0.065, 0.11);
            cairo_fill(c);
        } else
            for (int i = -1; i <= 1; i += 2) {
                cairo_move_to(c, i * w * 0.55, 0.15);
                cairo_line_to(c, i * w * 0.6, 0.38);
                cairo_stroke(c);
            }
        break;
    case LAIP_HANDBAG:
        cairo_rectangle(c, w + 0.005, 0.49, 0.10, 0.085);
        cairo_fill(c);
        cairo_set_line_width(c, 0.01);
        cairo_arc(c, w + 0.05, 0.49, 0.03, M_PI, 2 * M_PI);
        cairo_stroke(c);
        break;
    case LAIP_SHOULDER_BAG:
        cairo_rectangle(c, w * 0.7, 0.42, 0.11, 0.10);
        cairo_fill(c);
        break;
    case LAIP_SUITCASE:
        cairo_rectangle(c, w + 0.02, 0.66, 0.14, 0.26);
        cairo_fill(c);
        cairo_set_line_width(c, 0.01);
        cairo_move_to(c, w + 0.04, 0.48);
        cairo_line_to(c, w + 0.07, 0.66);
        cairo_stroke(c);
        break;
    default:
        break;
    }
}

static void carried_bag(pen *n)
{
    double w = n->wide * (n->profile ? 0.66 : 1);
    if (n->p->bag == LAIP_SHOULDER_BAG) { /* its strap stays on the shoulder */
        colour(n, n->p->bag_colour, 0.96);
        cairo_set_line_width(n->c, 0.020);
        cairo_move_to(n->c, -w * 0.7, 0.15);
        cairo_line_to(n->c, w * 0.95, 0.44);
        cairo_stroke(n->c);
    }
    cairo_save(n->c);
    enlarge(n, w, n->p->bag == LAIP_SUITCASE ? 0.92 : 0.49);
    bag(n);
    cairo_restore(n->c);
}

static void thing(pen *n)
{
    cairo_t *c = n->c;
    const laip_person *p = n->p;
    double x = -n->wide * (n->profile ? 0.66 : 1) - 0.02;
    colour(n, p->thing_colour, 1);
    switch (p->thing) {
    case LAIP_UMBRELLA:
        cairo_arc(c, x, 0.06, 0.17, M_PI, 2 * M_PI);
        cairo_fill(c);
        cairo_set_source_rgb(c, 0.2, 0.2, 0.2);
        cairo_set_line_width(c, 0.01);
        cairo_move_to(c, x, 0.05);
        cairo_line_to(c, x, 0.48);
        cairo_stroke(c);
        break;
    case LAIP_PHONE:
        cairo_rectangle(c, x - 0.02, 0.44, 0.035, 0.06);
        cairo_fill(c);
        break;
    case LAIP_BOTTLE:
        cairo_rectangle(c, x - 0.018, 0.44, 0.036, 0.10);
        cairo_fill(c);
        break;
    case LAIP_BOOK:
        cairo_rectangle(c, x - 0.04, 0.42, 0.08, 0.10);
        cairo_fill(c);
        break;
    case LAIP_SHOPPING:
        cairo_rectangle(c, x - 0.06, 0.50, 0.11, 0.15);
        cairo_fill(c);
        break;
    default:
        break;
    }
}

static void skirt(pen *n)
{
    cairo_t *c = n->c;
    if (n->p->lower != LAIP_SKIRT)
        return;
    double w = n->wide * (n->profile ? 0.6 : 0.86);
    colour(n, n->p->lower_colour, 1);
    cairo_move_to(c, -w, 0.48);
    cairo_line_to(c, w, 0.48);
    cairo_line_to(c, w * 1.45, 0.70);
    cairo_line_to(c, -w * 1.45, 0.70);
    cairo_close_path(c);
    cairo_fill(c);
}

static void person(pen *n)
{
    const laip_view *v = n->v;
    double spread = 0.032 + 0.030 * fabs(v->stride) * (n->profile ? 2.2 : 0.6);
    double shoulder = n->wide * (n->profile ? 0.1 : 0.94);
    cairo_set_source_rgba(n->c, 0, 0, 0, 0.28);
    ellipse(n->c, 0, 0.985, 0.17, 0.022);
    cairo_fill(n->c);
    if (n->p->bag == LAIP_BACKPACK && n->profile)
        bag(n);
    arm(n, -shoulder, -1, -v->swing * (n->profile ? 1.4 : 0.3), 0.86);
    leg(n, -0.042, -spread, 0.88);
    leg(n, 0.042, spread, 1);
    skirt(n);
    upper(n);
    if (n->p->bag == LAIP_BACKPACK && !n->profile && !n->back) /* its straps lie over the garment */
        bag(n);
    arm(n, shoulder, 1, v->swing * (n->profile ? 1.4 : 0.3), 1);
    head(n);
    if (n->p->bag != LAIP_BACKPACK || n->back)
        carried_bag(n);
    thing(n);
}

laip_figure laip_figure_of(const laip_person *p, const laip_view *v)
{
    laip_figure f = {.wide = 0.098 + 0.012 * p->build - 0.008 * p->female,
                     .profile = v->side == LAIP_LEFT || v->side == LAIP_RIGHT,
                     .back = v->side == LAIP_BACK};
    double body = v->height * v->scale, free_height = v->height - body;
    bool mirrored = v->side == LAIP_LEFT || (v->background & 1 && !f.profile);
    cairo_matrix_init(&f.place, mirrored ? -body : body, 0, 0, body, v->width * (0.5 + v->shift_x),
                      free_height * v->shift_y);
    return f;
}

void laip_person_draw(const laip_person *p, const laip_view *v, laip_image *out)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, v->width, v->height);
    laip_figure f = laip_figure_of(p, v);
    pen n = {
        .c = cairo_create(surface), .p = p, .v = v, .wide = f.wide, .profile = f.profile, .back = f.back};
    n.rng = laip_rng_stream(v->background, 11, 0, LAIP_SITE_SYNTH);
    laip_scene_background(n.c, v);
    cairo_save(n.c);
    cairo_transform(n.c, &f.place);
    person(&n);
    cairo_restore(n.c);
    laip_scene_occluder(n.c, v);
    cairo_surface_flush(surface);
    *out = (laip_image){.width = v->width, .height = v->height};
    out->pixels = laip_alloc((size_t)v->width * (size_t)v->height, 3);
    laip_scene_expose(v, cairo_image_surface_get_data(surface), cairo_image_surface_get_stride(surface), out,
                      &n.rng);
    cairo_destroy(n.c);
    cairo_surface_destroy(surface);
}
