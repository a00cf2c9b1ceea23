/* What laip.h keeps opaque: engines, networks, photos.  Everything that touches the device is done between
 * laip_engine_enter and laip_engine_leave, one thread at a time. */
#ifndef LAIP_SEARCH_ENGINE_H
#define LAIP_SEARCH_ENGINE_H

#include "config/corpus.h"
#include "image/image.h"
#include "laip/laip.h"
#include "model/explain.h"
#include "model/score.h"
#include <pthread.h>

struct laip_engine {
    laip_device *device;
    pthread_mutex_t lock;
    int threads;
    char name[600];
};

void laip_engine_enter(laip_engine *engine);
void laip_engine_leave(laip_engine *engine);

struct laip_network {
    laip_engine *engine;
    laip_config config;
    laip_corpus corpus;
    laip_model model;
    laip_scorer scorer;
    laip_explainer explainer; /* made when first asked for */
    bool explains;
    size_t batch, longest, planes; /* planes: floats of a picture, 3·H·W */
    float temperature;
    char *checkpoint, fingerprint[33];
};

/* laip_engine_enter and laip_engine_leave for what the network computes, in its precision; all else is fp32.
 */
void laip_network_enter(laip_network *network);
void laip_network_leave(laip_network *network);

enum { LAIP_SENTENCES = 64 }; /* encoded at once */

struct laip_photo {
    laip_image image;
};

/* Copies options of any version over defaults, both of which begin with their size; false (and *error) when
 * the size is none. */
bool laip_take_options(void *to, size_t own, const void *from, laip_error *error);
/* The same for what is filled: as many bytes of `from` as `to` says that it has. */
void laip_give_info(void *to, const void *from, size_t own);

/* What the caller is told. */
laip_status laip_tell(bool good, const laip_error *from, laip_error *to);

/* The sentence as the network takes it; refused as laip_encode_sentences says. */
bool laip_network_tokens(const laip_network *n, const char *sentence, laip_tokens *tokens, laip_error *error);
/* planes [3, H, W] of an upright picture, which compat.exif: ignored turns back. */
void laip_network_planes(const laip_network *n, const laip_image *image, float *planes);
/* For who has the lock: features of pictures already made planes, any number; of one sentence with its states
 * [tokens, D]; and the matching of that with pictures. */
bool laip_network_encode(laip_network *n, const float *planes, size_t count, float *features,
                         laip_error *error);
bool laip_network_match(laip_network *n, const float *states, size_t tokens, const float *text_feature,
                        const float *planes, size_t count, laip_match *matches, laip_error *error);
bool laip_network_states(laip_network *n, const laip_tokens *tokens, float *feature, float *states,
                         laip_error *error);

#endif
