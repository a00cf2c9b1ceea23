/* Families of four persons who wear the same things in the same colours, bound to each other differently:
 * what a bag of words cannot tell apart.
 *
 * Member m of a family differs from member 0 in two bits: bit 0 exchanges the colours of the upper and the
 * lower garment, bit 1 those of hat and bag.  The control differs by colours that are foreign to the family
 * (bit 0 of the upper garment, bit 1 of the hat), so that a bag of words suffices.  Sex, hair, shoes and the
 * kinds of garments are the family's; its four colours are different ones of eight. */
#ifndef LAIP_SYNTH_FAMILY_H
#define LAIP_SYNTH_FAMILY_H

#include "synth/person.h"

enum { LAIP_FAMILY = 4, LAIP_BOUND_COLOURS = 8 };

/* The things whose colours are bound. */
typedef enum laip_bound {
    LAIP_BOUND_UPPER,
    LAIP_BOUND_LOWER,
    LAIP_BOUND_HAT,
    LAIP_BOUND_BAG,
    LAIP_BOUNDS
} laip_bound;
extern const char *const laip_bound_names[LAIP_BOUNDS];

typedef struct laip_member {
    laip_person person;
    int family, member;
    bool unseen; /* of upper and lower or of hat and bag, the pair of colours is in no training caption */
} laip_member;

typedef struct laip_family_options {
    uint64_t seed;
    bool control;
    bool singles;         /* train has one member of each family: no two of its persons share a bag */
    size_t train, others; /* persons; those of val and test come after those of train, in whole families */
} laip_family_options;

/* members [train + others].  A fifth of the ordered pairs of colours is kept from train, and no two families
 * share their attributes. */
void laip_families_draw(const laip_family_options *o, laip_member *members);
/* Whether an ordered pair of colours (indices of laip_colours) is kept from train. */
bool laip_pair_unseen(uint64_t seed, int first, int second);

/* A view in which nothing of the four is hidden. */
laip_view laip_bound_view(uint64_t seed, uint64_t index, uint64_t image);
int laip_bound_colour(const laip_person *p, laip_bound what);
/* What a caption says beside sex, upper and lower garment. */
typedef struct laip_said {
    bool hat, bag, hair, shoes;
} laip_said;
/* A caption that names all four, hat and bag with probability 0.9 each, in any order and wording. */
laip_said laip_bound_describe(const laip_person *p, laip_rng *rng, laip_str *out);

/* The thing that a phrase in lower case names by its noun ("a red baseball cap": LAIP_BOUND_HAT); -1: none of
 * them. */
int laip_bound_of_phrase(const char *phrase);

/* What readers of the captions can reach, in per cent: someone who binds every colour, a bag of words, and
 * bags of words that bind one of the two pairs. */
typedef struct laip_ceiling {
    double r1, family; /* R@1 in the gallery; accuracy among the four of the own family */
} laip_ceiling;
enum { LAIP_READER_PERFECT, LAIP_READER_BAG, LAIP_READER_GARMENTS, LAIP_READER_HAT_AND_BAG, LAIP_READERS };
extern const char *const laip_reader_names[LAIP_READERS];
typedef struct laip_reading {
    size_t person; /* of the gallery */
    laip_said said;
} laip_reading;
/* Over `count` captions of a gallery of persons with equally many pictures each. */
void laip_ceilings(const laip_member *gallery, size_t persons, const laip_reading *captions, size_t count,
                   laip_ceiling *ceilings);

#endif
