/* binding.json, what is known of drawn families beside their annotations (synth.h). */
#ifndef LAIP_SYNTH_BINDING_H
#define LAIP_SYNTH_BINDING_H

#include "synth/family.h"
#include "synth/synth.h"

enum { LAIP_SYNTH_CAPTIONS = 2 }; /* a picture */

/* CUHK01/0000012_01.png for a tenth of the persons, cam_a/0000012_01.jpg for the others. */
void laip_synth_file_name(char *name, size_t size, uint64_t person, int image);
/* said [persons, images, LAIP_SYNTH_CAPTIONS]: what each caption names. */
bool laip_binding_write(const laip_synth_options *o, const laip_member *members, const laip_said *said,
                        laip_error *error);

#endif
