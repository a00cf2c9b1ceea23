#include "report/heat.h"

#include "base/memory.h"

#include <math.h>

/* The map's value at a place in patches, between the middles of four. */
static double at(const float *map, int rows, int cols, double y, double x)
{
    y = fmin(fmax(y - 0.5, 0), rows - 1);
    x = fmin(fmax(x - 0.5, 0), cols - 1);
    int top = (int)y, left = (int)x, below = top + (top + 1 < rows), right = left + (left + 1 < cols);
    double v = y - top, u = x - left;
    double upper = (1 - u) * (double)map[top * cols + left] + u * (double)map[top * cols + right];
    double lower = (1 - u) * (double)map[below * cols + left] + u * (double)map[below * cols + right];
    return (1 - v) * upper + v * lower;
}

/* From black through violet, red and yellow to white as t goes from 0 to 1: also brighter, for who sees no
 * colours. */
static void colour(double t, double *rgb)
{
    static const double stops[5][3] = {
        {0, 0, 0}, {0.42, 0.10, 0.43}, {0.85, 0.25, 0.20}, {0.98, 0.70, 0.15}, {1, 1, 0.85}};
    double place = fmin(fmax(t, 0), 1) * 4;
    int i = place >= 4 ? 3 : (int)place;
    for (int c = 0; c < 3; c++)
        rgb[c] = stops[i][c] + (place - i) * (stops[i + 1][c] - stops[i][c]);
}

void laip_heat_draw(const laip_image *in, const float *map, int rows, int cols, laip_image *out)
{
    double most = 0;
    for (int i = 0; i < rows * cols; i++)
        most = fmax(most, (double)map[i]);
    *out = (laip_image){.width = in->width, .height = in->height};
    out->pixels = laip_alloc((size_t)in->width * (size_t)in->height, 3);
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < in->width; x++) {
            const uint8_t *p = in->pixels + 3 * ((size_t)y * (size_t)in->width + (size_t)x);
            uint8_t *q = out->pixels + 3 * ((size_t)y * (size_t)in->width + (size_t)x);
            double grey = (0.30 * p[0] + 0.59 * p[1] + 0.11 * p[2]) / 255, rgb[3];
            double t =
                most > 0
                    ? at(map, rows, cols, (y + 0.5) * rows / in->height, (x + 0.5) * cols / in->width) / most
                    : 0;
            colour(t, rgb);
            for (int c = 0; c < 3; c++) {
                double value =
                    0.55 * grey * (1 - t) + rgb[c] * (0.35 + 0.65 * grey) * (0.15 + 0.85 * t) + 0.1 * grey;
                q[c] = (uint8_t)(255 * fmin(value, 1) + 0.5);
            }
        }
}
