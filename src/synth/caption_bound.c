/* Captions of families: upper and lower garment, hat and bag with their colours, in any order and wording. */
#include "synth/family.h"

#include <string.h>

typedef struct teller {
    const laip_person *p;
    laip_rng *r;
    laip_str *out;
    int order[LAIP_BOUNDS], count; /* what is named, and in which order */
} teller;

static bool chance(teller *t, double p)
{
    return laip_rng_uniform(t->r) < p;
}

static const char *one_of(teller *t, const char *const *words, uint32_t count)
{
    return words[laip_rng_below(t->r, count)];
}
#define ONE_OF(t, ...)                                                                                       \
    one_of(t, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const char *noun(teller *t, laip_bound what)
{
    static const char *const uppers[LAIP_UPPERS][2] = {
        {"T-shirt", "tee shirt"}, {"shirt", "button up shirt"},
        {"sweater", "pullover"},  {"hoodie", "hooded sweatshirt"},
        {"jacket", "jacket"},     {"coat", "long coat"},
        {"vest", "tank top"}};
    static const char *const lowers[LAIP_LOWERS][2] = {
        {"jeans", "denim jeans"},       {"trousers", "pants"},    {"shorts", "short pants"},
        {"skirt", "knee length skirt"}, {"leggings", "leggings"}, {"dress", "dress"}};
    static const char *const hats[LAIP_HATS][2] = {
        {"", ""}, {"cap", "baseball cap"}, {"beanie", "knit hat"}, {"hat", "brimmed hat"}};
    static const char *const bags[LAIP_BAGS][2] = {{"", ""},
                                                   {"backpack", "rucksack"},
                                                   {"handbag", "purse"},
                                                   {"shoulder bag", "messenger bag"},
                                                   {"suitcase", "rolling suitcase"}};
    const laip_person *p = t->p;
    const char *const *names[LAIP_BOUNDS] = {uppers[p->upper], lowers[p->lower], hats[p->hat], bags[p->bag]};
    return names[what][chance(t, 0.3)];
}

static const char *colour_name(teller *t, int index)
{
    return chance(t, 0.8) ? laip_colours[index].name : laip_colours[index].other;
}

/* "a red hat", or now and then "a hat in red". */
static void say(teller *t, laip_bound what)
{
    const char *name = noun(t, what), *colour = colour_name(t, laip_bound_colour(t->p, what));
    bool plural = what == LAIP_BOUND_LOWER && t->p->lower != LAIP_SKIRT, behind = chance(t, 0.12);
    const char *first = behind ? name : colour;
    const char *article = plural ? "" : strchr("aeiou", first[0]) ? "an " : "a ";
    if (behind)
        laip_str_addf(t->out, "%s%s in %s", article, name, colour);
    else
        laip_str_addf(t->out, "%s%s %s", article, colour, name);
}

/* Things first … last − 1 of the order, which are all worn: "A, B and C". */
static void list(teller *t, int first, int last)
{
    for (int i = first; i < last; i++) {
        laip_str_adds(t->out, i == first ? "" : i + 1 < last ? ", " : " and ");
        say(t, (laip_bound)t->order[i]);
    }
}

static void hair(teller *t)
{
    static const char *const colours[5][2] = {
        {"black", "dark"}, {"brown", "brown"}, {"blonde", "blond"}, {"red", "ginger"}, {"grey", "gray"}};
    const char *colour = colours[t->p->hair_colour][chance(t, 0.4)];
    laip_str_addf(t->out, t->p->hair == LAIP_PONYTAIL ? " with %s hair in a ponytail" : " with %s %s hair",
                  t->p->hair == LAIP_PONYTAIL    ? colour
                  : t->p->hair == LAIP_LONG_HAIR ? "long"
                                                 : "short",
                  colour);
}

static void subject(teller *t, bool begins, bool with_hair)
{
    laip_str_addf(t->out, "%s ", begins ? "The" : "the");
    laip_str_adds(t->out, t->p->female ? ONE_OF(t, "woman", "lady", "girl", "young woman")
                                       : ONE_OF(t, "man", "guy", "young man"));
    if (with_hair)
        hair(t);
}

static const char *wears(teller *t)
{
    return ONE_OF(t, "wears", "is wearing", "has on", "is dressed in");
}

/* Around the place of the bag in the order (count: it is not named): worn things before and after it. */
static void sentences(teller *t, int bag, bool with_hair)
{
    const char *they = t->p->female ? "She" : "He";
    if (bag == 0) {
        laip_str_addf(t->out, "%s ", ONE_OF(t, "Carrying", "Holding", "With"));
        say(t, LAIP_BOUND_BAG);
        laip_str_adds(t->out, ", ");
    }
    subject(t, bag != 0, with_hair);
    laip_str_addf(t->out, " %s ", wears(t));
    list(t, bag == 0 ? 1 : 0, bag == 0 ? t->count : bag);
    if (bag > 0 && bag < t->count) {
        if (chance(t, 0.5))
            laip_str_addf(t->out, "%s", ONE_OF(t, " and carries ", " and holds ", ", carrying "));
        else
            laip_str_addf(t->out, ". %s is %s ", they, ONE_OF(t, "carrying", "holding"));
        say(t, LAIP_BOUND_BAG);
        if (bag + 1 < t->count) {
            laip_str_addf(t->out, ". %s also %s ", they, ONE_OF(t, "wears", "has on"));
            list(t, bag + 1, t->count);
        }
    }
    laip_str_adds(t->out, ".");
}

static void shoes(teller *t)
{
    static const char *const names[LAIP_SHOES][2] = {
        {"sneakers", "shoes"}, {"boots", "boots"}, {"sandals", "sandals"}};
    const char *colour = colour_name(t, t->p->shoe_colour);
    laip_str_addf(t->out, " %s %s %s.", ONE_OF(t, "The shoes are", "On the feet are"), colour,
                  names[t->p->shoes][chance(t, 0.4)]);
}

int laip_bound_of_phrase(const char *phrase)
{
    static const struct {
        const char *noun;
        laip_bound what;
    } nouns[] = {
        {"shirt", LAIP_BOUND_UPPER},    {"sweater", LAIP_BOUND_UPPER},    {"pullover", LAIP_BOUND_UPPER},
        {"hoodie", LAIP_BOUND_UPPER},   {"sweatshirt", LAIP_BOUND_UPPER}, {"jacket", LAIP_BOUND_UPPER},
        {"vest", LAIP_BOUND_UPPER},     {"tank top", LAIP_BOUND_UPPER},   {"jeans", LAIP_BOUND_LOWER},
        {"trousers", LAIP_BOUND_LOWER}, {"pants", LAIP_BOUND_LOWER},      {"shorts", LAIP_BOUND_LOWER},
        {"skirt", LAIP_BOUND_LOWER},    {"leggings", LAIP_BOUND_LOWER},   {"cap", LAIP_BOUND_HAT},
        {"beanie", LAIP_BOUND_HAT},     {"hat", LAIP_BOUND_HAT},          {"handbag", LAIP_BOUND_BAG},
        {"purse", LAIP_BOUND_BAG},      {"bag", LAIP_BOUND_BAG},          {"suitcase", LAIP_BOUND_BAG}};
    size_t length = strlen(phrase);
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++) {
        size_t n = strlen(nouns[i].noun);
        if (length >= n && strcmp(phrase + length - n, nouns[i].noun) == 0 &&
            (length == n || !(phrase[length - n - 1] >= 'a' && phrase[length - n - 1] <= 'z')))
            return (int)nouns[i].what;
    }
    return -1;
}

laip_said laip_bound_describe(const laip_person *p, laip_rng *rng, laip_str *out)
{
    teller t = {.p = p, .r = rng, .out = out};
    laip_said said;
    said.hat = chance(&t, 0.9);
    said.bag = chance(&t, 0.9);
    said.hair = chance(&t, 0.5);
    said.shoes = chance(&t, 0.85);
    for (int i = 0; i < LAIP_BOUNDS; i++)
        if ((i != LAIP_BOUND_HAT || said.hat) && (i != LAIP_BOUND_BAG || said.bag))
            t.order[t.count++] = i;
    for (int i = t.count - 1; i > 0; i--) {
        int j = (int)laip_rng_below(rng, (uint32_t)i + 1), swap = t.order[i];
        t.order[i] = t.order[j];
        t.order[j] = swap;
    }
    int bag = t.count;
    for (int i = 0; i < t.count; i++)
        if (t.order[i] == LAIP_BOUND_BAG)
            bag = i;
    sentences(&t, bag, said.hair);
    if (said.shoes)
        shoes(&t);
    return said;
}
