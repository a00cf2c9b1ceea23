/* A drawn person: what is worn and carried, the same in all pictures; and a view: what a camera changes. */
#ifndef LAIP_SYNTH_PERSON_H
#define LAIP_SYNTH_PERSON_H

#include "base/rng.h"
#include "base/str.h"
#include "image/image.h"

enum { LAIP_COLOURS = 12 };
typedef struct laip_colour {
    const char *name, *other; /* another word for it, or NULL */
    double r, g, b;
} laip_colour;
extern const laip_colour laip_colours[LAIP_COLOURS];

enum laip_upper {
    LAIP_TSHIRT,
    LAIP_SHIRT,
    LAIP_SWEATER,
    LAIP_HOODIE,
    LAIP_JACKET,
    LAIP_COAT,
    LAIP_VEST,
    LAIP_UPPERS
};
enum laip_lower {
    LAIP_JEANS,
    LAIP_TROUSERS,
    LAIP_SHORTS,
    LAIP_SKIRT,
    LAIP_LEGGINGS,
    LAIP_DRESS,
    LAIP_LOWERS
};
enum laip_pattern { LAIP_PLAIN, LAIP_STRIPED, LAIP_PLAID, LAIP_DOTTED, LAIP_PRINT, LAIP_PATTERNS };
enum laip_hair { LAIP_SHORT_HAIR, LAIP_LONG_HAIR, LAIP_PONYTAIL, LAIP_BALD, LAIP_HAIRS };
enum laip_hat { LAIP_NO_HAT, LAIP_CAP, LAIP_BEANIE, LAIP_BRIMMED_HAT, LAIP_HATS };
enum laip_shoe { LAIP_SNEAKERS, LAIP_BOOTS, LAIP_SANDALS, LAIP_SHOES };
enum laip_bag { LAIP_NO_BAG, LAIP_BACKPACK, LAIP_HANDBAG, LAIP_SHOULDER_BAG, LAIP_SUITCASE, LAIP_BAGS };
enum laip_thing {
    LAIP_NOTHING,
    LAIP_UMBRELLA,
    LAIP_PHONE,
    LAIP_BOTTLE,
    LAIP_BOOK,
    LAIP_SHOPPING,
    LAIP_THINGS
};

typedef struct laip_person {
    int female, build, skin; /* 0 or 1; 0 slim, 1 medium, 2 heavy; 0 to 3 */
    int hair, hair_colour;   /* of five: black, brown, blonde, red, grey */
    int hat, hat_colour, glasses;
    int upper, upper_colour, pattern, second_colour, long_sleeves,
        inner_colour; /* inner: −1 unless worn open */
    int lower, lower_colour;
    int shoes, shoe_colour;
    int bag, bag_colour, thing, thing_colour, scarf_colour; /* scarf −1: none */
    bool enlarged;                                          /* hat and bag are drawn half as large again */
} laip_person;

enum laip_side { LAIP_FRONT, LAIP_BACK, LAIP_LEFT, LAIP_RIGHT };

typedef struct laip_view {
    int side, width, height;
    double stride, swing, scale, shift_x, shift_y; /* pose and place */
    double light, cast[3], noise, blur;
    int occluded; /* 0 none, 1 a post, 2 something low in front */
    uint64_t background;
} laip_view;

/* Person `index`; a third of them are near-duplicates of the one before, in all but one or two things. */
laip_person laip_person_draw_lot(uint64_t seed, uint64_t index);
laip_view laip_view_draw_lot(uint64_t seed, uint64_t index, uint64_t image);
/* Draws the person; the picture is freed by laip_image_free. */
void laip_person_draw(const laip_person *p, const laip_view *v, laip_image *out);
/* Where on the picture upper and lower garment, hat and bag are: left, top, right, bottom of each as shares
 * of its sides; an empty box where there is none. */
void laip_person_boxes(const laip_person *p, const laip_view *v, double box[4][4]);
/* A caption of what can be seen from the view's side; `number` tells the captions of a picture apart. */
void laip_person_describe(const laip_person *p, const laip_view *v, laip_rng *rng, laip_str *out);

#endif
