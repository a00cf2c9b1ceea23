/* Drawing families: who shares what, and which pairs of colours training never sees. */
#include "synth/family.h"

#include "base/map.h"
#include <stdio.h>
#include <string.h>

const char *const laip_bound_names[LAIP_BOUNDS] = {"upper", "lower", "hat", "bag"};

/* Of laip_colours: those that names and light keep apart. */
static const int palette[LAIP_BOUND_COLOURS] = {0, 1, 3, 4, 5, 6, 9, 10};
enum { PAIRS = LAIP_BOUND_COLOURS * (LAIP_BOUND_COLOURS - 1), UNSEEN = PAIRS / 5 };

/* Streams of LAIP_SITE_SYNTH beside those of persons and captions. */
enum { STREAM_FAMILY = 500000, STREAM_PAIRS, STREAM_SINGLE };

static int pick(laip_rng *r, int n)
{
    return (int)laip_rng_below(r, (uint32_t)n);
}

bool laip_pair_unseen(uint64_t seed, int first, int second)
{
    uint32_t pairs[PAIRS];
    uint32_t n = 0;
    for (int a = 0; a < LAIP_BOUND_COLOURS; a++)
        for (int b = 0; b < LAIP_BOUND_COLOURS; b++)
            if (a != b)
                pairs[n++] = (uint32_t)(palette[a] * LAIP_COLOURS + palette[b]);
    laip_rng r = laip_rng_stream(seed, STREAM_PAIRS, 0, LAIP_SITE_SYNTH);
    laip_rng_shuffle(&r, pairs, n);
    for (uint32_t i = 0; i < UNSEEN; i++)
        if (pairs[i] == (uint32_t)(first * LAIP_COLOURS + second))
            return true;
    return false;
}

static bool unseen(uint64_t seed, const laip_person *p)
{
    return laip_pair_unseen(seed, p->upper_colour, p->lower_colour) ||
           laip_pair_unseen(seed, p->hat_colour, p->bag_colour);
}

/* Coats would hide what is below, dresses have no lower garment, backpacks are seen from behind only. */
static laip_person common(laip_rng *r)
{
    static const int uppers[] = {LAIP_TSHIRT, LAIP_SHIRT, LAIP_SWEATER, LAIP_HOODIE, LAIP_JACKET, LAIP_VEST};
    static const int bags[] = {LAIP_HANDBAG, LAIP_SHOULDER_BAG, LAIP_SUITCASE};
    laip_person p = {.pattern = LAIP_PLAIN, .inner_colour = -1, .scarf_colour = -1, .enlarged = true};
    p.female = pick(r, 2);
    p.build = pick(r, 3);
    p.skin = pick(r, 4);
    p.hair = p.female ? 1 + pick(r, 2) : LAIP_SHORT_HAIR;
    p.hair_colour = pick(r, 5);
    p.glasses = laip_rng_uniform(r) < 0.2;
    p.upper = uppers[pick(r, 6)];
    p.long_sleeves = p.upper >= LAIP_SWEATER ? p.upper != LAIP_VEST : pick(r, 2);
    p.lower = pick(r, p.female ? LAIP_DRESS : LAIP_SKIRT);
    p.hat = 1 + pick(r, LAIP_HATS - 1);
    p.bag = bags[pick(r, 3)];
    p.shoes = pick(r, LAIP_SHOES);
    p.shoe_colour = pick(r, LAIP_COLOURS);
    return p;
}

static void colours_of_member(laip_person *p, int member, const uint32_t *colours, bool control)
{
    int c[LAIP_BOUND_COLOURS];
    for (int i = 0; i < LAIP_BOUND_COLOURS; i++)
        c[i] = palette[colours[i]];
    bool garments = member & 1, things = member & 2;
    p->upper_colour = garments ? c[control ? 4 : 1] : c[0];
    p->lower_colour = garments && !control ? c[0] : c[1];
    p->hat_colour = things ? c[control ? 5 : 3] : c[2];
    p->bag_colour = things && !control ? c[2] : c[3];
}

/* All that a bag of words knows of member 0, and so of the family. */
static void describe_key(const laip_person *p, char *key, size_t size)
{
    unsigned colours =
        1u << p->upper_colour | 1u << p->lower_colour | 1u << p->hat_colour | 1u << p->bag_colour;
    snprintf(key, size, "%d %d %d %d %d %d %d %d %d %x", p->female, p->hair, p->hair_colour, p->upper,
             p->lower, p->hat, p->bag, p->shoes, p->shoe_colour, colours);
}

/* Family `number`, redrawn until its attributes are its own and, in train, every member may be seen. */
static void draw_family(const laip_family_options *o, size_t number, bool train, laip_map *taken,
                        laip_person *four)
{
    laip_rng r = laip_rng_stream(o->seed, STREAM_FAMILY, number, LAIP_SITE_SYNTH);
    for (;;) {
        uint32_t colours[LAIP_BOUND_COLOURS];
        char key[96];
        int32_t before;
        bool excluded = false;
        laip_person p = common(&r);
        for (uint32_t i = 0; i < LAIP_BOUND_COLOURS; i++)
            colours[i] = i;
        laip_rng_shuffle(&r, colours, LAIP_BOUND_COLOURS);
        for (int m = 0; m < LAIP_FAMILY; m++) {
            four[m] = p;
            colours_of_member(&four[m], m, colours, o->control);
            excluded = excluded || unseen(o->seed, &four[m]);
        }
        describe_key(&four[0], key, sizeof key);
        if ((train && excluded) || laip_map_get(taken, key, strlen(key), &before))
            continue;
        laip_map_set(taken, key, strlen(key), (int32_t)number);
        return;
    }
}

void laip_families_draw(const laip_family_options *o, laip_member *members)
{
    laip_map taken = {0};
    laip_person four[LAIP_FAMILY];
    size_t person = 0;
    for (int family = 0; person < o->train + o->others; family++) {
        bool train = person < o->train;
        laip_rng r = laip_rng_stream(o->seed, STREAM_SINGLE, (uint64_t)family, LAIP_SITE_SYNTH);
        int only = train && o->singles ? pick(&r, LAIP_FAMILY) : -1;
        draw_family(o, (size_t)family, train, &taken, four);
        for (int m = 0; m < LAIP_FAMILY && person < o->train + o->others; m++)
            if (only < 0 || m == only)
                members[person++] = (laip_member){four[m], family, m, unseen(o->seed, &four[m])};
    }
    laip_map_free(&taken);
}

laip_view laip_bound_view(uint64_t seed, uint64_t index, uint64_t image)
{
    laip_view v = laip_view_draw_lot(seed, index, image);
    v.occluded = 0;
    v.width = (int)(v.height * 0.66); /* room for what is carried */
    v.shift_x *= 0.5;
    v.shift_y = 0.5 + 0.5 * v.shift_y;
    v.scale *= 0.96;
    return v;
}

int laip_bound_colour(const laip_person *p, laip_bound what)
{
    const int colours[LAIP_BOUNDS] = {p->upper_colour, p->lower_colour, p->hat_colour, p->bag_colour};
    return colours[what];
}
