/* Where a drawn person stands in the picture: what drawing and boxes share.  Coordinates: x from the body's
 * middle, y from the top of the head (0) to the soles (1), both in body heights. */
#ifndef LAIP_SYNTH_FIGURE_H
#define LAIP_SYNTH_FIGURE_H

#include "synth/person.h"

#include <cairo.h>

#define LAIP_ENLARGED 1.5   /* hat and bag of a person whose are enlarged */
#define LAIP_HAT_EDGE 0.056 /* y of a hat's lower edge */

typedef struct laip_figure {
    double wide; /* half width of the shoulders */
    bool profile, back;
    cairo_matrix_t place; /* from body heights to pixels */
} laip_figure;

laip_figure laip_figure_of(const laip_person *p, const laip_view *v);

#endif
