/* Families: what members share and differ in, what training never sees, and what readers of the captions
 * reach. */
#include "support/test.h"

#include "synth/family.h"
#include <stdlib.h>
#include <string.h>

enum { TRAIN = 40, OTHERS = 200 };

static void draw(laip_member *members, bool control, bool singles)
{
    laip_families_draw(
        &(laip_family_options){
            .seed = 3, .control = control, .singles = singles, .train = TRAIN, .others = OTHERS},
        members);
}

/* The kinds of what is worn, sex, hair and shoes of two persons. */
static bool same_kinds(const laip_person *a, const laip_person *b)
{
    return a->female == b->female && a->hair == b->hair && a->hair_colour == b->hair_colour &&
           a->upper == b->upper && a->lower == b->lower && a->hat == b->hat && a->bag == b->bag &&
           a->shoes == b->shoes && a->shoe_colour == b->shoe_colour;
}

static unsigned colours_of(const laip_person *p)
{
    unsigned set = 0;
    for (int i = 0; i < LAIP_BOUNDS; i++)
        set |= 1u << laip_bound_colour(p, (laip_bound)i);
    return set;
}

static int bits(unsigned set)
{
    int n = 0;
    for (; set; set &= set - 1)
        n++;
    return n;
}

static void members_differ_in_what_has_which_colour(void **state)
{
    (void)state;
    laip_member m[TRAIN + OTHERS];
    draw(m, false, false);
    for (int i = 0; i < TRAIN + OTHERS; i += LAIP_FAMILY) {
        const laip_person *a = &m[i].person;
        assert_int_equal(bits(colours_of(a)), 4);
        for (int k = 0; k < LAIP_FAMILY; k++) {
            const laip_person *b = &m[i + k].person;
            assert_int_equal(m[i + k].family, i / LAIP_FAMILY);
            assert_int_equal(m[i + k].member, k);
            assert_true(same_kinds(a, b) && colours_of(a) == colours_of(b));
            assert_int_equal(b->upper_colour, k & 1 ? a->lower_colour : a->upper_colour);
            assert_int_equal(b->lower_colour, k & 1 ? a->upper_colour : a->lower_colour);
            assert_int_equal(b->hat_colour, k & 2 ? a->bag_colour : a->hat_colour);
            assert_int_equal(b->bag_colour, k & 2 ? a->hat_colour : a->bag_colour);
        }
    }
}

static void control_differs_by_foreign_colours(void **state)
{
    (void)state;
    laip_member m[TRAIN + OTHERS];
    draw(m, true, false);
    for (int i = 0; i < TRAIN + OTHERS; i += LAIP_FAMILY)
        for (int k = 1; k < LAIP_FAMILY; k++) {
            const laip_person *a = &m[i].person, *b = &m[i + k].person;
            assert_true(same_kinds(a, b));
            assert_int_equal(b->lower_colour, a->lower_colour);
            assert_int_equal(b->bag_colour, a->bag_colour);
            assert_true(!(k & 1) == (b->upper_colour == a->upper_colour));
            assert_true(!(k & 2) == (b->hat_colour == a->hat_colour));
            assert_int_equal(bits(colours_of(a) | colours_of(b)), 4 + (k & 1) + (k >> 1));
        }
}

static void training_never_sees_a_fifth_of_the_pairs(void **state)
{
    (void)state;
    laip_member m[TRAIN + OTHERS];
    int pairs = 0, unseen = 0;
    for (int a = 0; a < LAIP_COLOURS; a++)
        for (int b = 0; b < LAIP_COLOURS; b++)
            pairs += laip_pair_unseen(3, a, b);
    assert_int_equal(pairs, 11); /* of 8 · 7 */
    draw(m, false, true);
    for (int i = 0; i < TRAIN + OTHERS; i++) {
        const laip_person *p = &m[i].person;
        bool rare = laip_pair_unseen(3, p->upper_colour, p->lower_colour) ||
                    laip_pair_unseen(3, p->hat_colour, p->bag_colour);
        assert_true(m[i].unseen == rare);
        assert_true(i >= TRAIN || !rare);
        unseen += i >= TRAIN && rare;
        for (int k = 0; i < TRAIN && k < i; k++) /* singles: no two share a bag of words */
            assert_false(same_kinds(&m[k].person, p) && colours_of(&m[k].person) == colours_of(p));
    }
    assert_in_range(unseen, OTHERS / 5, OTHERS / 2); /* 1 − 0.8² on average */
}

static laip_ceiling ceiling_of(bool control, laip_said said, int reader)
{
    laip_member m[TRAIN + OTHERS];
    laip_reading readings[OTHERS];
    laip_ceiling c[LAIP_READERS];
    draw(m, control, false);
    for (size_t i = 0; i < OTHERS; i++)
        readings[i] = (laip_reading){i, said};
    laip_ceilings(m + TRAIN, OTHERS, readings, OTHERS, c);
    return c[reader];
}

static void ceilings(void **state)
{
    (void)state;
    const laip_said all = {true, true, true, true}, no_bag = {.hat = true, .hair = true, .shoes = true};
    assert_float_equal(ceiling_of(false, all, LAIP_READER_PERFECT).family, 100, 1e-6);
    assert_float_equal(ceiling_of(false, all, LAIP_READER_PERFECT).r1, 100, 1e-6);
    assert_float_equal(ceiling_of(false, all, LAIP_READER_BAG).family, 25, 1e-6);
    assert_float_equal(ceiling_of(false, all, LAIP_READER_GARMENTS).family, 50, 1e-6);
    assert_float_equal(ceiling_of(false, all, LAIP_READER_HAT_AND_BAG).family, 50, 1e-6);
    assert_float_equal(ceiling_of(false, no_bag, LAIP_READER_PERFECT).family, 100, 1e-6);
    assert_float_equal(ceiling_of(false, (laip_said){0}, LAIP_READER_PERFECT).family, 50, 1e-6);
    assert_float_equal(ceiling_of(true, all, LAIP_READER_BAG).family, 100, 1e-6);
}

/* Captions name the garments always, hat and bag nine times in ten, each with its colour. */
static void captions(void **state)
{
    enum { CAPTIONS = 2000 };
    (void)state;
    laip_member m[TRAIN + OTHERS];
    int hats = 0, bags = 0;
    draw(m, false, false);
    for (int i = 0; i < CAPTIONS; i++) {
        const laip_person *p = &m[i % (TRAIN + OTHERS)].person;
        laip_rng r = laip_rng_stream(1, (uint64_t)i, 0, LAIP_SITE_TEST);
        laip_str text = {0};
        laip_said said = laip_bound_describe(p, &r, &text);
        hats += said.hat;
        bags += said.bag;
        for (int b = 0; b < LAIP_BOUNDS; b++) {
            const laip_colour *c = &laip_colours[laip_bound_colour(p, (laip_bound)b)];
            bool named = (b != LAIP_BOUND_HAT || said.hat) && (b != LAIP_BOUND_BAG || said.bag);
            if (named && !strstr(text.text, c->name) && !strstr(text.text, c->other))
                fail_msg("no %s in: %s", c->name, text.text);
        }
        assert_true(text.text[text.length - 1] == '.');
        free(text.text);
    }
    assert_in_range(hats, CAPTIONS * 87 / 100, CAPTIONS * 93 / 100);
    assert_in_range(bags, CAPTIONS * 87 / 100, CAPTIONS * 93 / 100);
}

static void phrases_name_things(void **state)
{
    static const struct {
        const char *phrase;
        int thing;
    } cases[] = {{"a red baseball cap", LAIP_BOUND_HAT},
                 {"hat", LAIP_BOUND_HAT},
                 {"white purse", LAIP_BOUND_BAG},
                 {"a blue t-shirt", LAIP_BOUND_UPPER},
                 {"a hooded sweatshirt", LAIP_BOUND_UPPER},
                 {"green short pants", LAIP_BOUND_LOWER},
                 {"the woman", -1},
                 {"a handcap", -1},
                 {"", -1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (laip_bound_of_phrase(cases[i].phrase) != cases[i].thing)
            fail_msg("\"%s\" names %d", cases[i].phrase, laip_bound_of_phrase(cases[i].phrase));
}

/* The boxes hold the colours that they are of, in a picture without noise. */
static void boxes(void **state)
{
    (void)state;
    laip_member m[TRAIN + OTHERS];
    draw(m, false, false);
    for (int i = 0; i < 60; i++) {
        const laip_person *p = &m[i].person;
        laip_view v = laip_bound_view(3, (uint64_t)i, 0);
        double box[LAIP_BOUNDS][4];
        laip_image picture;
        v.noise = v.blur = 0;
        v.light = v.cast[0] = v.cast[1] = v.cast[2] = 1;
        laip_person_draw(p, &v, &picture);
        laip_person_boxes(p, &v, box);
        for (int b = 0; b < LAIP_BOUNDS; b++) {
            const laip_colour *c = &laip_colours[laip_bound_colour(p, (laip_bound)b)];
            int inside = 0, outside = 0;
            for (int y = 0; y < v.height; y++)
                for (int x = 0; x < v.width; x++) {
                    const uint8_t *rgb = picture.pixels + 3 * (y * v.width + x);
                    bool in = x >= box[b][0] * v.width && x < box[b][2] * v.width &&
                              y >= box[b][1] * v.height && y < box[b][3] * v.height;
                    bool near = abs(rgb[0] - (int)(255 * c->r)) < 14 &&
                                abs(rgb[1] - (int)(255 * c->g)) < 14 && abs(rgb[2] - (int)(255 * c->b)) < 14;
                    inside += in && near;
                    outside += !in && near;
                }
            if (inside < 20)
                fail_msg("person %d, %s %s: %d of its pixels inside, %d outside", i, c->name,
                         laip_bound_names[b], inside, outside);
        }
        laip_image_free(&picture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(members_differ_in_what_has_which_colour),
                                       cmocka_unit_test(control_differs_by_foreign_colours),
                                       cmocka_unit_test(training_never_sees_a_fifth_of_the_pairs),
                                       cmocka_unit_test(ceilings),
                                       cmocka_unit_test(captions),
                                       cmocka_unit_test(phrases_name_things),
                                       cmocka_unit_test(boxes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
