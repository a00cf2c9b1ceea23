#include "report/family_figure.h"

#include "base/memory.h"
#include "report/drawing.h"
#include "report/heat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In units of SCALE pixels.  A column holds two maps of MAP × TALL side by side. */
enum {
    SCALE = 2,
    MARGIN = 20,
    LABEL = 132, /* what the rows are of */
    MAP = 92,
    TALL = 138, /* the pictures' 2 : 3 */
    BETWEEN = 4,
    COLUMN = 2 * MAP + BETWEEN,
    GAP = 20, /* between columns */
    WIDTH = 2 * MARGIN + LABEL + LAIP_FAMILY * COLUMN + (LAIP_FAMILY - 1) * GAP,
    PICTURE_WIDTH = 124,
    PICTURE_TALL = 186,
    LINE = 20, /* of the caption */
    SCORES = 54,
    ROW = TALL + 30,
    NOTE = 15 /* a line of what is below */
};

enum { INK = 0x1a1a1a, SOFT = 0x666666, BOX = 0x27d3ff, SHADE = 0xeef7f0 };

typedef struct figure {
    const laip_example *x;
    laip_attention_reader *reader;
    cairo_t *c;
    int lines;   /* of the caption */
    float *maps; /* [LAIP_MAPS, P] */
} figure;

/* Columns: the member described, then those who differ from it by bit 0, by bit 1, and by both. */
static double left_of(const figure *f, int member)
{
    return MARGIN + LABEL + (double)(member ^ f->x->own) * (COLUMN + GAP);
}

/* Of the pictures' upper edge, and of that of a row of maps. */
static double top_of_pictures(const figure *f)
{
    return MARGIN + f->lines * LINE + 34;
}

static double top_of_row(const figure *f, size_t row)
{
    return top_of_pictures(f) + PICTURE_TALL + SCORES + 28 + (double)row * ROW;
}

static const char *title(const laip_example *x, int member)
{
    static const char *const swapped[] = {"the person described", "garment colours swapped",
                                          "hat and bag colours swapped", "both pairs swapped"},
                             *const foreign[] = {"the person described", "other colour of upper garment",
                                                 "other colour of hat", "other colour of both"};
    return (x->control ? foreign : swapped)[member ^ x->own];
}

/* "1.25 (2nd)": of the four, which are written beside each other, the best in bold. */
static void draw_scores(const figure *f, double y, const char *name, const float *score)
{
    static const char *const places[LAIP_FAMILY] = {"1st", "2nd", "3rd", "4th"};
    laip_draw_font(f->c, 12, false);
    laip_draw_colour(f->c, SOFT);
    laip_draw_text(f->c, MARGIN, y, name);
    for (int m = 0; m < LAIP_FAMILY; m++) {
        int place = 0;
        char text[48];
        for (int i = 0; i < LAIP_FAMILY; i++)
            place += score[i] > score[m] || (score[i] == score[m] && i < m);
        snprintf(text, sizeof text, "%s%.2f (%s)", score[m] < 0 ? "−" : "", fabs((double)score[m]),
                 places[place]);
        laip_draw_font(f->c, 13, !place);
        laip_draw_colour(f->c, place ? SOFT : INK);
        laip_draw_centred(f->c, left_of(f, m) + COLUMN / 2.0, y, text);
    }
}

/* What the colours of maps mean. */
static void draw_scale(const figure *f)
{
    enum { STEPS = 32, WIDE = 46, HIGH = 8 };
    float map[STEPS];
    uint8_t grey[3 * WIDE * HIGH];
    laip_image heat, plain = {.pixels = grey, .width = WIDE, .height = HIGH};
    double y = top_of_row(f, 0) - 14;
    for (int i = 0; i < STEPS; i++)
        map[i] = (float)i;
    memset(grey, 160, sizeof grey);
    laip_heat_draw(&plain, map, 1, STEPS, &heat);
    laip_draw_image(f->c, MARGIN + 34, y, WIDE, HIGH, &heat);
    laip_image_free(&heat);
    laip_draw_text(f->c, MARGIN, y + HIGH, "none");
    laip_draw_text(f->c, MARGIN + 34 + WIDE + 5, y + HIGH, "most");
}

static int draw_caption(cairo_t *c, const char *caption)
{
    laip_str quoted = {0};
    laip_str_addf(&quoted, "“%s”", caption);
    laip_draw_font(c, 16, false);
    laip_draw_colour(c, INK);
    int lines = laip_draw_wrapped(c, MARGIN, MARGIN + 14, WIDTH - 2 * MARGIN, LINE, quoted.text);
    free(quoted.text);
    return lines;
}

/* What is seen. */
static int draw_note(cairo_t *c, double y, bool control)
{
    laip_str text = {0};
    laip_str_adds(&text,
                  "Maps: where the phrase looks in that picture, by forward attention and by both, each "
                  "scaled to its own largest value. Solid box: the thing that the phrase names; the "
                  "number below, how much of the attention lies inside it.");
    if (!control)
        laip_str_adds(&text, " Dashed box: what has the phrase's colour in that picture instead.");
    laip_draw_font(c, 11, false);
    laip_draw_colour(c, SOFT);
    int lines = laip_draw_wrapped(c, MARGIN, y, WIDTH - 2 * MARGIN, NOTE, text.text);
    free(text.text);
    return lines;
}

static void draw_head(const figure *f)
{
    double top = top_of_pictures(f), column = left_of(f, f->x->own);
    laip_draw_colour(f->c, SHADE);
    cairo_rectangle(f->c, column - GAP / 2.0, top - 32, COLUMN + GAP,
                    top_of_row(f, f->x->phrases) - top + 32 - 6);
    cairo_fill(f->c);
    draw_caption(f->c, f->reader->dataset->captions[f->x->caption].text);
    for (int m = 0; m < LAIP_FAMILY; m++) {
        laip_draw_font(f->c, 12, m == f->x->own);
        laip_draw_colour(f->c, m == f->x->own ? LAIP_FRAME_RIGHT : SOFT);
        laip_draw_centred(f->c, left_of(f, m) + COLUMN / 2.0, top - 14, title(f->x, m));
    }
    draw_scores(f, top + PICTURE_TALL + 26, "matching, logit", f->x->matching);
    draw_scores(f, top + PICTURE_TALL + 46, "features, cosine", f->x->cosine);
    laip_draw_font(f->c, 11, false);
    laip_draw_colour(f->c, SOFT);
    for (int m = 0; m < LAIP_FAMILY; m++)
        for (int k = 0; k < 2; k++)
            laip_draw_centred(f->c, left_of(f, m) + k * (MAP + BETWEEN) + MAP / 2.0, top_of_row(f, 0) - 6,
                              laip_map_names[k ? LAIP_MAP_BOTH : LAIP_MAP_FORWARD]);
    draw_scale(f);
}

/* Share of the pictures that the boxes of the phrase's thing take: what attention that looks nowhere gives.
 */
static double mean_area(const laip_example *x, size_t row)
{
    double sum = 0;
    for (int m = 0; m < LAIP_FAMILY; m++) {
        const double *b = x->boxes[m] + (ptrdiff_t)4 * x->thing[row];
        sum += 100 * (b[2] - b[0]) * (b[3] - b[1]) / LAIP_FAMILY;
    }
    return sum;
}

static void draw_labels(const figure *f)
{
    for (size_t row = 0; row < f->x->phrases; row++) {
        laip_str words = {0};
        char area[64];
        double y = top_of_row(f, row) + TALL / 2.0 - 8;
        laip_phrase_text(&f->reader->texts->phrases, f->x->phrase[row], f->reader->tokenizer, &words);
        laip_draw_font(f->c, 14, true);
        laip_draw_colour(f->c, INK);
        y += 18 * laip_draw_wrapped(f->c, MARGIN, y, LABEL - 16, 18, laip_str_text(&words));
        snprintf(area, sizeof area, "box: %.0f %% of area", mean_area(f->x, row));
        laip_draw_font(f->c, 11, false);
        laip_draw_colour(f->c, SOFT);
        laip_draw_text(f->c, MARGIN, y, area);
        free(words.text);
    }
}

/* Bright on a dark rim, so that it is seen over any map. */
static void draw_box(cairo_t *c, double x, double y, const double *box, bool dashed)
{
    static const double dashes[] = {4, 3};
    cairo_save(c);
    cairo_rectangle(c, x, y, MAP, TALL);
    cairo_clip(c);
    cairo_set_dash(c, dashes, dashed ? 2 : 0, 0);
    for (int pass = 0; pass < 2; pass++) {
        laip_draw_colour(c, pass ? BOX : 0);
        cairo_set_line_width(c, pass ? 1.4 : 2.6);
        cairo_rectangle(c, x + MAP * box[0], y + TALL * box[1], MAP * (box[2] - box[0]),
                        TALL * (box[3] - box[1]));
        cairo_stroke(c);
    }
    cairo_restore(c);
}

static void draw_map(const figure *f, size_t row, int member, bool both, const laip_image *picture)
{
    const laip_model_config *m = &f->reader->explainer.model->sizes;
    const float *map = f->maps + (both ? LAIP_MAP_BOTH : LAIP_MAP_FORWARD) * f->reader->patches;
    const double *box = f->x->boxes[member] + (ptrdiff_t)4 * f->x->thing[row],
                 *swapped = laip_example_swapped(f->x, row, member);
    double x = left_of(f, member) + (both ? MAP + BETWEEN : 0), y = top_of_row(f, row);
    laip_image heat;
    char share[32];
    laip_heat_draw(picture, map, m->image_height / m->patch, m->image_width / m->patch, &heat);
    laip_draw_image(f->c, x, y, MAP, TALL, &heat);
    laip_image_free(&heat);
    if (swapped)
        draw_box(f->c, x, y, swapped, true);
    draw_box(f->c, x, y, box, false);
    snprintf(share, sizeof share, "%.0f %%", laip_attention_inside(f->reader, map, box));
    laip_draw_font(f->c, 12, false);
    laip_draw_colour(f->c, INK);
    laip_draw_centred(f->c, x + MAP / 2.0, y + TALL + 14, share);
}

/* The picture of a member, and below it the maps of every phrase. */
static bool draw_column(const figure *f, int member, laip_error *error)
{
    double x = left_of(f, member) + (COLUMN - PICTURE_WIDTH) / 2.0, y = top_of_pictures(f);
    char *file = laip_dataset_file(f->reader->dataset, f->x->picture[member]);
    laip_image large = {0}, small = {0};
    bool good = laip_draw_load(file, SCALE * PICTURE_WIDTH, SCALE * PICTURE_TALL, &large, error) &&
                laip_draw_load(file, SCALE * MAP, SCALE * TALL, &small, error) &&
                laip_attention_picture(f->reader, f->x->picture[member], error);
    if (good) {
        laip_draw_image(f->c, x, y, PICTURE_WIDTH, PICTURE_TALL, &large);
        laip_draw_frame(f->c, x, y, PICTURE_WIDTH, PICTURE_TALL, member == f->x->own);
    }
    for (size_t row = 0; good && row < f->x->phrases; row++) {
        good = laip_attention_phrase(f->reader, f->x->phrase[row], f->maps, error) || !error->text[0];
        for (int both = 0; good && both < 2; both++)
            draw_map(f, row, member, both, &small);
    }
    laip_image_free(&large);
    laip_image_free(&small);
    free(file);
    return good;
}

bool laip_family_figure_write(const char *path, const laip_example *x, laip_attention_reader *reader,
                              laip_error *error)
{
    figure f = {.x = x, .reader = reader, .maps = laip_alloc(LAIP_MAPS * reader->patches, sizeof(float))};
    laip_sheet s = laip_sheet_create(1, 1, SCALE); /* to count lines on */
    bool good = true;
    f.lines = draw_caption(s.c, reader->dataset->captions[x->caption].text);
    int note = draw_note(s.c, 0, x->control);
    laip_sheet_free(&s);
    double below = top_of_row(&f, x->phrases) + 10;
    s = laip_sheet_create(WIDTH, (int)below + note * NOTE + MARGIN - 6, SCALE);
    f.c = s.c;
    draw_head(&f);
    draw_labels(&f);
    for (int m = 0; good && m < LAIP_FAMILY; m++)
        good = draw_column(&f, m, error);
    draw_note(s.c, below, x->control);
    good = good && laip_sheet_write(&s, path, error);
    laip_sheet_free(&s);
    free(f.maps);
    return good;
}
