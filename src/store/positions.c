/* Position tables of another grid. */
#include "store/weights.h"

#include <math.h>
#include <string.h>

/* Weights of the four pixels around t past the second of them, for Keys' kernel with a = −0.75. */
static void cubic(double t, double *weight)
{
    const double a = -0.75;
    for (int i = 0; i < 4; i++) {
        double x = fabs(t + 1 - i);
        weight[i] = x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    }
}

typedef struct taps {
    size_t at[4];
    double weight[4];
} taps;

static taps taps_for(size_t i, size_t to, size_t from)
{
    double place = ((double)i + 0.5) * (double)from / (double)to - 0.5, low = floor(place);
    taps t;
    cubic(place - low, t.weight);
    for (int k = 0; k < 4; k++) {
        double at = low + k - 1;
        t.at[k] = at < 0 ? 0 : at > (double)(from - 1) ? from - 1 : (size_t)at;
    }
    return t;
}

void laip_resize_positions(const float *from, size_t rows, size_t cols, float *to, size_t to_rows,
                           size_t to_cols, size_t width)
{
    memcpy(to, from, width * sizeof *to);
    from += width;
    to += width;
    for (size_t r = 0; r < to_rows; r++)
        for (size_t c = 0; c < to_cols; c++) {
            taps y = taps_for(r, to_rows, rows), x = taps_for(c, to_cols, cols);
            for (size_t k = 0; k < width; k++) {
                double sum = 0;
                for (int i = 0; i < 4; i++)
                    for (int j = 0; j < 4; j++)
                        sum +=
                            y.weight[i] * x.weight[j] * (double)from[(y.at[i] * cols + x.at[j]) * width + k];
                to[(r * to_cols + c) * width + k] = (float)sum;
            }
        }
}
