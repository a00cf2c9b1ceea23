/* What readers of family captions can reach: the share of the persons that a caption leaves possible. */
#include "synth/family.h"

const char *const laip_reader_names[LAIP_READERS] = {"perfect reader", "bag of words", "bag, garments bound",
                                                     "bag, hat and bag bound"};

/* Whether the caption's words, wherever they belong, are all said of x: kinds, and every colour as often. */
static bool bag_fits(const laip_person *c, laip_said said, const laip_person *x)
{
    int have[LAIP_COLOURS] = {0};
    for (int i = 0; i < LAIP_BOUNDS; i++)
        have[laip_bound_colour(x, (laip_bound)i)]++;
    have[x->shoe_colour]++;
    for (int i = 0; i < LAIP_BOUNDS; i++)
        if ((i != LAIP_BOUND_HAT || said.hat) && (i != LAIP_BOUND_BAG || said.bag) &&
            have[laip_bound_colour(c, (laip_bound)i)]-- == 0)
            return false;
    if (said.shoes && have[c->shoe_colour]-- == 0)
        return false;
    return c->female == x->female && c->upper == x->upper && c->lower == x->lower &&
           (!said.hat || c->hat == x->hat) && (!said.bag || c->bag == x->bag) &&
           (!said.shoes || c->shoes == x->shoes) &&
           (!said.hair || (c->hair == x->hair && c->hair_colour == x->hair_colour));
}

static bool garments_fit(const laip_person *c, const laip_person *x)
{
    return c->upper_colour == x->upper_colour && c->lower_colour == x->lower_colour;
}

static bool things_fit(const laip_person *c, laip_said said, const laip_person *x)
{
    return (!said.hat || c->hat_colour == x->hat_colour) && (!said.bag || c->bag_colour == x->bag_colour);
}

void laip_ceilings(const laip_member *gallery, size_t persons, const laip_reading *captions, size_t count,
                   laip_ceiling *ceilings)
{
    for (int r = 0; r < LAIP_READERS; r++)
        ceilings[r] = (laip_ceiling){0};
    for (size_t i = 0; i < count; i++) {
        const laip_member *own = &gallery[captions[i].person];
        laip_said said = captions[i].said;
        size_t all[LAIP_READERS] = {0}, family[LAIP_READERS] = {0};
        for (size_t k = 0; k < persons; k++) {
            const laip_person *c = &own->person, *x = &gallery[k].person;
            bool bag = bag_fits(c, said, x), garments = garments_fit(c, x), things = things_fit(c, said, x);
            const bool fits[LAIP_READERS] = {bag && garments && things &&
                                                 (!said.shoes || c->shoe_colour == x->shoe_colour),
                                             bag, bag && garments, bag && things};
            for (int r = 0; r < LAIP_READERS; r++) {
                all[r] += fits[r];
                family[r] += fits[r] && gallery[k].family == own->family;
            }
        }
        for (int r = 0; r < LAIP_READERS; r++) { /* the own person is always among them */
            ceilings[r].r1 += 100.0 / (double)count / (double)all[r];
            ceilings[r].family += 100.0 / (double)count / (double)family[r];
        }
    }
}
