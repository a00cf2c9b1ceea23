/* What figures are drawn with: a white sheet of cairo's, text, pictures, frames. */
#ifndef LAIP_REPORT_DRAWING_H
#define LAIP_REPORT_DRAWING_H

#include "image/image.h"

#include <cairo.h>

typedef struct laip_sheet {
    cairo_surface_t *surface;
    cairo_t *c;
} laip_sheet;

/* White, width × height units of `scale` pixels each, with a sans-serif face at 14. */
laip_sheet laip_sheet_create(int width, int height, int scale);
bool laip_sheet_write(const laip_sheet *s, const char *path, laip_error *error); /* as a PNG */
void laip_sheet_free(laip_sheet *s);

void laip_draw_colour(cairo_t *c, unsigned rgb);
void laip_draw_font(cairo_t *c, double size, bool bold);
/* From (x, y) on, y the line that letters stand on; around x. */
void laip_draw_text(cairo_t *c, double x, double y, const char *text);
void laip_draw_centred(cairo_t *c, double x, double y, const char *text);
/* Words in lines of at most `width`, `line` apart, the first at y; returns how many lines. */
int laip_draw_wrapped(cairo_t *c, double x, double y, double width, double line, const char *text);

/* Decoded, upright, width × height pixels; freed by laip_image_free. */
bool laip_draw_load(const char *file, int width, int height, laip_image *out, laip_error *error);
/* Fills the rectangle: without smoothing where the picture has a pixel for each of the sheet's. */
void laip_draw_image(cairo_t *c, double x, double y, double width, double height, const laip_image *image);
/* Around a picture: thick and green where it is the right one, thin and grey elsewhere. */
enum { LAIP_FRAME_RIGHT = 0x10a040, LAIP_FRAME_OTHER = 0xbbbbbb };
void laip_draw_frame(cairo_t *c, double x, double y, double width, double height, bool right);

#endif
