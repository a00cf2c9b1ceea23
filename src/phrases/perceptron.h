/* Decoder of NLTK's averaged perceptron tagger. */
#ifndef LAIP_PHRASES_PERCEPTRON_H
#define LAIP_PHRASES_PERCEPTRON_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct laip_perceptron laip_perceptron;

enum { LAIP_MOST_CLASSES = 255 };

typedef struct laip_json_text {
    const char *name, *text; /* name stands for the file in errors */
    size_t length;
} laip_json_text;

laip_perceptron *laip_perceptron_load(const char *folder, laip_error *error);
laip_perceptron *laip_perceptron_parse(const laip_json_text *weights, const laip_json_text *tagdict,
                                       const laip_json_text *classes, laip_error *error);
size_t laip_perceptron_classes(const laip_perceptron *p, const char *const **names);
/* tags[i] is an index into the names of the classes. */
void laip_perceptron_tag(const laip_perceptron *p, const char *const *tokens, const uint32_t *lengths,
                         size_t count, uint8_t *tags);
void laip_perceptron_free(laip_perceptron *p);

#endif
