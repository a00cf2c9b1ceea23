/* Whether a ranking binds colours to things: metrics inside the drawn families of `laip-data synth --bind`,
 * whose members share a bag of words (synth/family.h).
 *
 * For a caption, the best ranked picture of its own family is looked at: is it the right person (chance 25
 * %), and is each of the two bits right (chance 50 %): which garment has which colour, and which of hat and
 * bag.  The same of the captions of persons whose pairs of colours are not in training. */
#ifndef LAIP_EVAL_BINDING_H
#define LAIP_EVAL_BINDING_H

#include "base/error.h"
#include "base/map.h"
#include <stddef.h>
#include <stdint.h>

typedef struct laip_binding_person {
    int32_t id, family, member;
    bool unseen;
} laip_binding_person;

typedef struct laip_binding {
    laip_binding_person *persons; /* by id */
    size_t count;
    bool control;   /* members differ by colours that are foreign to their family */
    laip_map files; /* numbers of pictures by their file */
    double *boxes;  /* [pictures, LAIP_BOUNDS of synth/family.h, 4]: left, top, right, bottom, as shares */
} laip_binding;

typedef struct laip_binding_metrics {
    size_t queries;
    double family, garments, hat_and_bag; /* per cent */
} laip_binding_metrics;

/* binding.json beside an annotation file; none there: no persons, and true. */
bool laip_binding_read(laip_binding *b, const char *annotations, laip_error *error);
void laip_binding_free(laip_binding *b);
int32_t laip_binding_family_of(const laip_binding *b, int32_t person);               /* -1: of none */
const laip_binding_person *laip_binding_find(const laip_binding *b, int32_t person); /* NULL: of none */
/* The boxes of a picture, [LAIP_BOUNDS, 4]; NULL: it has none. */
const double *laip_binding_boxes(const laip_binding *b, const char *file);

/* ranking [queries, gallery]: for each caption the pictures from best to worst.  Captions of persons of no
 * family are left out.  unseen (NULL: not wanted): of the captions whose persons are unseen. */
laip_binding_metrics laip_binding_measure(const laip_binding *b, const int32_t *ranking, size_t queries,
                                          size_t gallery, const int32_t *query_person,
                                          const int32_t *gallery_person, laip_binding_metrics *unseen);

/* Counts of one family's captions, for intervals over families. */
typedef struct laip_binding_family {
    int32_t family;
    size_t queries, person, garments, hat_and_bag; /* captions; of these the right ones */
} laip_binding_family;

/* The same of each family, in the order of their numbers; *families is freed by the caller. Returns how many.
 */
size_t laip_binding_families(const laip_binding *b, const int32_t *ranking, size_t queries, size_t gallery,
                             const int32_t *query_person, const int32_t *gallery_person,
                             laip_binding_family **families);

#endif
