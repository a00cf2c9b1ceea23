/* The scene of a view: what is behind the person and before, and what the camera makes of it all. Coordinates
 * are pixels. */
#ifndef LAIP_SYNTH_SCENE_H
#define LAIP_SYNTH_SCENE_H

#include "synth/person.h"

#include <cairo.h>

void laip_scene_background(cairo_t *c, const laip_view *v);
void laip_scene_occluder(cairo_t *c, const laip_view *v);
/* Light, cast, a little blur across neighbours, noise: from cairo's bytes to out's, already allocated. */
void laip_scene_expose(const laip_view *v, const uint8_t *argb, int stride, laip_image *out, laip_rng *rng);

#endif
