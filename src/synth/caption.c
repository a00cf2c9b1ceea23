/* Describing a drawn person in words, as people describe pedestrians: several orders, synonyms, omissions,
 * and now and then a remark about something else. */
#include "synth/person.h"

#include <ctype.h>
#include <string.h>

typedef struct writer {
    const laip_person *p;
    const laip_view *v;
    laip_rng *r;
    laip_str *out;
    bool back, profile;
} writer;

static int pick(writer *w, int n)
{
    return (int)laip_rng_below(w->r, (uint32_t)n);
}

static bool chance(writer *w, double p)
{
    return laip_rng_uniform(w->r) < p;
}

#define ONE_OF(w, ...)                                                                                       \
    ((const char *const[]){                                                                                  \
        __VA_ARGS__})[pick(w, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))]

static const char *colour(writer *w, int index)
{
    return chance(w, 0.8) ? laip_colours[index].name : laip_colours[index].other;
}

static const char *article(const char *word)
{
    return strchr("aeiou", word[0]) ? "an" : "a";
}

/* " with white stripes", " with a yellow logo on the back" */
static void say_second_colour(writer *w)
{
    const laip_person *p = w->p;
    if (p->pattern >= LAIP_STRIPED && p->pattern <= LAIP_DOTTED && chance(w, 0.4)) {
        laip_str_addf(w->out, " with %s %s", colour(w, p->second_colour),
                      p->pattern == LAIP_STRIPED ? "stripes"
                      : p->pattern == LAIP_PLAID ? "lines"
                                                 : "dots");
    } else if (p->pattern == LAIP_PRINT && !w->profile && chance(w, 0.6)) {
        const char *c = colour(w, p->second_colour), *what = ONE_OF(w, "logo", "print", "picture");
        laip_str_addf(w->out, " with %s %s %s on the %s", article(c), c, what, w->back ? "back" : "front");
    }
}

/* "a red striped T-shirt with white stripes" */
static void say_upper(writer *w)
{
    static const char *const names[LAIP_UPPERS][3] = {
        {"T-shirt", "tee shirt", "t-shirt"},   {"shirt", "button up shirt", "shirt"},
        {"sweater", "pullover", "jumper"},     {"hoodie", "hooded sweatshirt", "hoodie"},
        {"jacket", "jacket", "zip up jacket"}, {"coat", "long coat", "overcoat"},
        {"vest", "sleeveless top", "tank top"}};
    static const char *const patterns[LAIP_PATTERNS] = {"", "striped ", "plaid ", "dotted ", ""};
    const laip_person *p = w->p;
    const char *c = colour(w, p->upper_colour);
    bool sleeves = p->upper <= LAIP_SHIRT && chance(w, 0.3);
    const char *pattern = p->pattern && chance(w, 0.8) ? patterns[p->pattern] : "";
    const char *name = names[p->upper][pick(w, 3)];
    if (sleeves)
        laip_str_addf(w->out, "a %s sleeve %s %s%s", p->long_sleeves ? "long" : "short", c, pattern, name);
    else
        laip_str_addf(w->out, "%s %s %s%s", article(c), c, pattern, name);
    say_second_colour(w);
    if (p->inner_colour >= 0 && !w->back && chance(w, 0.7)) {
        c = colour(w, p->inner_colour);
        name = ONE_OF(w, "shirt", "top", "T-shirt");
        laip_str_addf(w->out, " over %s %s %s", article(c), c, name);
    }
}

static void say_dress(writer *w)
{
    const laip_person *p = w->p;
    const char *c = colour(w, p->lower_colour);
    laip_str_addf(w->out, "%s %s %s%s", article(c), c,
                  p->pattern == LAIP_STRIPED  ? "striped "
                  : p->pattern == LAIP_PLAID  ? "plaid "
                  : p->pattern == LAIP_DOTTED ? "dotted "
                                              : "",
                  ONE_OF(w, "dress", "knee length dress", "dress"));
}

static void say_lower(writer *w)
{
    static const char *const names[LAIP_LOWERS][3] = {
        {"jeans", "denim jeans", "jeans"},          {"trousers", "pants", "pants"},
        {"shorts", "short pants", "shorts"},        {"skirt", "skirt", "knee length skirt"},
        {"leggings", "tight leggings", "leggings"}, {"dress", "dress", "dress"}};
    const laip_person *p = w->p;
    const char *c = colour(w, p->lower_colour);
    const char *name = names[p->lower][pick(w, 3)];
    if (p->lower == LAIP_SKIRT)
        laip_str_addf(w->out, "%s %s %s", article(c), c, name);
    else
        laip_str_addf(w->out, "%s%s %s", chance(w, 0.25) ? "a pair of " : "", c, name);
}

static void say_shoes(writer *w)
{
    static const char *const names[LAIP_SHOES][3] = {{"sneakers", "shoes", "tennis shoes"},
                                                     {"boots", "boots", "ankle boots"},
                                                     {"sandals", "sandals", "open sandals"}};
    const char *c = colour(w, w->p->shoe_colour), *name = names[w->p->shoes][pick(w, 3)];
    laip_str_addf(w->out, "%s %s", c, name);
}

static bool say_hair(writer *w)
{
    static const char *const colours[5][2] = {
        {"black", "dark"}, {"brown", "brown"}, {"blonde", "blond"}, {"red", "ginger"}, {"grey", "gray"}};
    const laip_person *p = w->p;
    if (p->hair == LAIP_BALD) {
        if (p->hat == LAIP_NO_HAT)
            laip_str_adds(w->out, "a bald head");
        return p->hat == LAIP_NO_HAT;
    }
    const char *c = colours[p->hair_colour][pick(w, 2)];
    if (p->hair == LAIP_PONYTAIL)
        laip_str_addf(w->out, chance(w, 0.5) ? "%s hair in a ponytail" : "a %s ponytail", c);
    else
        laip_str_addf(w->out, "%s%s hair",
                      p->hair == LAIP_LONG_HAIR ? "long "
                      : chance(w, 0.7)          ? "short "
                                                : "",
                      c);
    return true;
}

static bool say_hat(writer *w)
{
    static const char *const names[LAIP_HATS][2] = {
        {"", ""}, {"cap", "baseball cap"}, {"beanie", "knit hat"}, {"hat", "brimmed hat"}};
    if (w->p->hat == LAIP_NO_HAT)
        return false;
    const char *c = colour(w, w->p->hat_colour);
    laip_str_addf(w->out, "%s %s %s", article(c), c, names[w->p->hat][pick(w, 2)]);
    return true;
}

static bool say_bag(writer *w)
{
    static const char *const names[LAIP_BAGS][2] = {{"", ""},
                                                    {"backpack", "rucksack"},
                                                    {"handbag", "purse"},
                                                    {"shoulder bag", "messenger bag"},
                                                    {"suitcase", "rolling suitcase"}};
    if (w->p->bag == LAIP_NO_BAG)
        return false;
    const char *c = colour(w, w->p->bag_colour);
    laip_str_addf(w->out, "%s %s %s", article(c), c, names[w->p->bag][pick(w, 2)]);
    return true;
}

static bool say_thing(writer *w)
{
    static const char *const names[LAIP_THINGS] = {"", "umbrella", "phone", "bottle", "book", "shopping bag"};
    if (w->p->thing == LAIP_NOTHING)
        return false;
    const char *c = colour(w, w->p->thing_colour);
    laip_str_addf(w->out, "%s %s %s", article(c), c, names[w->p->thing]);
    return true;
}

static const char *who(writer *w)
{
    return w->p->female ? ONE_OF(w, "woman", "lady", "girl", "young woman")
                        : ONE_OF(w, "man", "guy", "man", "young man");
}

static const char *they(writer *w, bool first)
{
    if (w->p->female)
        return first ? "She" : "she";
    return first ? "He" : "he";
}

static void dressed(writer *w)
{
    if (w->p->lower == LAIP_DRESS) {
        say_dress(w);
        laip_str_adds(w->out, " and ");
        say_shoes(w);
        return;
    }
    if (chance(w, 0.85)) {
        say_upper(w);
        laip_str_adds(w->out, chance(w, 0.8) ? ", " : " with ");
        say_lower(w);
        laip_str_adds(w->out, chance(w, 0.7) ? " and " : ", and ");
        say_shoes(w);
    } else {
        say_lower(w);
        laip_str_adds(w->out, " and ");
        say_upper(w);
    }
}

static void opening(writer *w)
{
    const char *name = who(w);
    laip_str_addf(w->out, chance(w, 0.6) ? "The %s" : strchr("aeiou", name[0]) ? "An %s" : "A %s", name);
    if (chance(w, 0.65)) {
        size_t mark = w->out->length;
        laip_str_adds(w->out, chance(w, 0.7) ? " with " : " has ");
        bool has = strcmp(w->out->text + mark, " has ") == 0;
        if (!say_hair(w)) {
            w->out->length = mark;
            w->out->text[mark] = '\0';
            has = false;
        }
        laip_str_adds(w->out, has ? " and" : "");
    }
    laip_str_addf(w->out, " %s ", ONE_OF(w, "is wearing", "wears", "is dressed in", "has on", "wears"));
    dressed(w);
    laip_str_adds(w->out, ".");
}

static void headwear(writer *w)
{
    const laip_person *p = w->p;
    bool glasses = p->glasses && !w->back;
    if (p->hat == LAIP_NO_HAT && !glasses && p->scarf_colour < 0)
        return;
    laip_str_addf(w->out, " %s %s ", they(w, true), ONE_OF(w, "has on", "wears", "is also wearing"));
    bool said = say_hat(w);
    if (glasses) {
        laip_str_addf(w->out, "%s%s", said ? " and " : "",
                      ONE_OF(w, "glasses", "dark glasses", "eyeglasses"));
        said = true;
    }
    if (p->scarf_colour >= 0)
        laip_str_addf(w->out, "%sa %s scarf", said ? " and " : "", colour(w, p->scarf_colour));
    laip_str_adds(w->out, ".");
}

static void carried(writer *w)
{
    if (w->p->bag == LAIP_NO_BAG && w->p->thing == LAIP_NOTHING)
        return;
    laip_str_addf(w->out, " %s is %s ", they(w, true),
                  w->p->bag == LAIP_BACKPACK ? ONE_OF(w, "carrying", "wearing")
                                             : ONE_OF(w, "carrying", "holding", "carrying"));
    bool said = say_bag(w);
    if (w->p->thing != LAIP_NOTHING && (!said || chance(w, 0.75))) {
        if (said)
            laip_str_adds(w->out, chance(w, 0.5) ? " and " : " and holding ");
        say_thing(w);
    }
    laip_str_adds(w->out, ".");
}

static void remark(writer *w)
{
    if (w->v->side == LAIP_BACK && chance(w, 0.5))
        laip_str_addf(w->out, " %s %s.", they(w, true),
                      ONE_OF(w, "is walking away from the camera", "is seen from behind"));
    else if (chance(w, 0.25))
        laip_str_addf(w->out, " %s is %s.", they(w, true),
                      ONE_OF(w, "walking down the street", "walking past a building", "looking ahead",
                             "crossing the road", "walking on the pavement", "standing near a wall"));
}

void laip_person_describe(const laip_person *p, const laip_view *v, laip_rng *rng, laip_str *out)
{
    writer w = {.p = p,
                .v = v,
                .r = rng,
                .out = out,
                .back = v->side == LAIP_BACK,
                .profile = v->side == LAIP_LEFT || v->side == LAIP_RIGHT};
    opening(&w);
    bool bag_first = chance(&w, 0.4);
    if (bag_first && chance(&w, 0.92))
        carried(&w);
    if (chance(&w, 0.85))
        headwear(&w);
    if (!bag_first && chance(&w, 0.92))
        carried(&w);
    remark(&w);
}
