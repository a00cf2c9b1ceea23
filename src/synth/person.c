/* What persons are like, and what cameras change. */
#include "synth/person.h"

const laip_colour laip_colours[LAIP_COLOURS] = {
    {"black", "black", 0.07, 0.07, 0.08},      {"white", "white", 0.95, 0.95, 0.94},
    {"grey", "gray", 0.52, 0.52, 0.53},        {"red", "bright red", 0.82, 0.09, 0.10},
    {"blue", "bright blue", 0.10, 0.28, 0.85}, {"green", "green", 0.10, 0.58, 0.20},
    {"yellow", "yellow", 0.97, 0.86, 0.12},    {"brown", "brown", 0.42, 0.24, 0.10},
    {"pink", "light pink", 0.98, 0.58, 0.74},  {"purple", "violet", 0.48, 0.15, 0.62},
    {"orange", "orange", 0.98, 0.52, 0.06},    {"light blue", "sky blue", 0.50, 0.78, 0.96},
};

static int pick(laip_rng *r, int n)
{
    return (int)laip_rng_below(r, (uint32_t)n);
}

static bool chance(laip_rng *r, double p)
{
    return laip_rng_uniform(r) < p;
}

static int other_than(laip_rng *r, int n, int taken)
{
    int x = pick(r, n - 1);
    return x + (x >= taken);
}

/* One draw a statement: the order in which a compiler evaluates an initialiser's parts is its own. */
static laip_person lot(laip_rng *r)
{
    laip_person p = {0};
    p.female = pick(r, 2);
    p.build = pick(r, 3);
    p.skin = pick(r, 4);
    p.hair = p.female ? (chance(r, 0.6)   ? LAIP_LONG_HAIR
                         : chance(r, 0.6) ? LAIP_PONYTAIL
                                          : LAIP_SHORT_HAIR)
                      : (chance(r, 0.12)  ? LAIP_BALD
                         : chance(r, 0.1) ? LAIP_LONG_HAIR
                                          : LAIP_SHORT_HAIR);
    p.hair_colour = pick(r, 5);
    p.hat = chance(r, 0.28) ? 1 + pick(r, LAIP_HATS - 1) : LAIP_NO_HAT;
    p.hat_colour = pick(r, LAIP_COLOURS);
    p.glasses = chance(r, 0.2);
    p.upper = pick(r, LAIP_UPPERS);
    p.upper_colour = pick(r, LAIP_COLOURS);
    p.pattern = chance(r, 0.55) ? LAIP_PLAIN : 1 + pick(r, LAIP_PATTERNS - 1);
    p.second_colour = other_than(r, LAIP_COLOURS, p.upper_colour);
    p.long_sleeves = p.upper >= LAIP_SWEATER ? p.upper != LAIP_VEST
                     : p.upper == LAIP_SHIRT ? chance(r, 0.6)
                                             : chance(r, 0.2);
    p.inner_colour = (p.upper == LAIP_JACKET || p.upper == LAIP_COAT) && chance(r, 0.6)
                         ? other_than(r, LAIP_COLOURS, p.upper_colour)
                         : -1;
    p.lower = p.female ? pick(r, LAIP_LOWERS) : pick(r, LAIP_SKIRT);
    if (p.lower == LAIP_DRESS) {
        p.upper = LAIP_TSHIRT;
        p.inner_colour = -1;
        p.long_sleeves = chance(r, 0.3);
    }
    p.lower_colour = p.lower == LAIP_JEANS && chance(r, 0.6) ? 4 : pick(r, LAIP_COLOURS);
    p.shoes = pick(r, LAIP_SHOES);
    p.shoe_colour = pick(r, LAIP_COLOURS);
    p.bag = chance(r, 0.6) ? 1 + pick(r, LAIP_BAGS - 1) : LAIP_NO_BAG;
    p.bag_colour = pick(r, LAIP_COLOURS);
    p.thing = chance(r, 0.3) ? 1 + pick(r, LAIP_THINGS - 1) : LAIP_NOTHING;
    p.thing_colour = pick(r, LAIP_COLOURS);
    p.scarf_colour = chance(r, 0.1) ? pick(r, LAIP_COLOURS) : -1;
    return p;
}

static void change_bag(laip_person *p, laip_rng *r)
{
    if (p->bag != LAIP_NO_BAG && chance(r, 0.5))
        p->bag_colour = other_than(r, LAIP_COLOURS, p->bag_colour);
    else
        p->bag = other_than(r, LAIP_BAGS, p->bag);
}

/* The things that a twin may differ in; each can be told apart from behind too. */
enum { UPPER_COLOUR, LOWER_COLOUR, SHOE_COLOUR, BAG, HAT, HAIR, CHANGES };

/* Changes a thing that can be seen on this person, and not the one already changed: a second change of the
 * same would undo the first, and hair that is not there or a dress's upper part has no colour. */
static int change_one(laip_person *p, laip_rng *r, int changed)
{
    int what = pick(r, CHANGES);
    while (what == changed || (what == HAIR && p->hair == LAIP_BALD) ||
           (what == UPPER_COLOUR && p->lower == LAIP_DRESS))
        what = pick(r, CHANGES);
    switch (what) {
    case UPPER_COLOUR:
        p->upper_colour = other_than(r, LAIP_COLOURS, p->upper_colour);
        break;
    case LOWER_COLOUR:
        p->lower_colour = other_than(r, LAIP_COLOURS, p->lower_colour);
        break;
    case SHOE_COLOUR:
        p->shoe_colour = other_than(r, LAIP_COLOURS, p->shoe_colour);
        break;
    case BAG:
        change_bag(p, r);
        break;
    case HAT:
        p->hat = other_than(r, LAIP_HATS, p->hat);
        break;
    default:
        p->hair_colour = other_than(r, 5, p->hair_colour);
        break;
    }
    return what;
}

laip_person laip_person_draw_lot(uint64_t seed, uint64_t index)
{
    bool twin = index % 3 == 2;
    laip_rng r = laip_rng_stream(seed, 0, twin ? index - 1 : index, LAIP_SITE_SYNTH);
    laip_person p = lot(&r);
    if (twin) {
        laip_rng change = laip_rng_stream(seed, 1, index, LAIP_SITE_SYNTH);
        int changed = change_one(&p, &change, CHANGES);
        if (chance(&change, 0.5))
            change_one(&p, &change, changed);
    }
    if (p.lower == LAIP_DRESS)
        p.upper_colour = p.lower_colour; /* the sleeves are the dress's own */
    return p;
}

static double between(laip_rng *r, double low, double high)
{
    return low + (high - low) * laip_rng_uniform(r);
}

laip_view laip_view_draw_lot(uint64_t seed, uint64_t index, uint64_t image)
{
    laip_rng r = laip_rng_stream(seed, 2 + image, index, LAIP_SITE_SYNTH);
    laip_view v = {0};
    v.side = pick(&r, 4);
    v.background = laip_rng_u32(&r);
    v.height = 150 + pick(&r, 60);
    v.width = (int)(v.height * between(&r, 0.42, 0.55));
    v.stride = between(&r, -1, 1);
    v.swing = between(&r, -1, 1);
    v.scale = between(&r, 0.86, 0.97);
    v.shift_x = between(&r, -0.05, 0.05);
    v.shift_y = between(&r, 0.0, 1.0);
    v.light = between(&r, 0.78, 1.12);
    for (int c = 0; c < 3; c++)
        v.cast[c] = between(&r, 0.95, 1.05);
    v.noise = between(&r, 2, 8);
    v.blur = chance(&r, 0.3) ? between(&r, 0.3, 0.8) : 0;
    v.occluded = chance(&r, 0.12) ? 1 + pick(&r, 2) : 0;
    return v;
}
