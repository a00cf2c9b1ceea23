/* A map of attention laid over the picture it is of. */
#ifndef LAIP_REPORT_HEAT_H
#define LAIP_REPORT_HEAT_H

#include "image/image.h"

/* out, of in's size, is freed by laip_image_free: in, greyed and darkened, with the map [rows, cols] of
 * numbers that are not negative in colour, its largest the brightest; between patches it is interpolated. */
void laip_heat_draw(const laip_image *in, const float *map, int rows, int cols, laip_image *out);

#endif
