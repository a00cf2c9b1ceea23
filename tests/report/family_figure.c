/* A drawn family as a figure: which family, pictures and caption are chosen, that scores are those of an
 * evaluation, what is refused; and of the drawing its size, the frame, and the boxes. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "eval/evaluate.h"
#include "image/image.h"
#include "report/drawing.h"
#include "report/family_figure.h"
#include "support/device.h"
#include "support/tiny.h"
#include "synth/synth.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRAIN = 4,
    VAL = 4,
    TEST = 32,
    FIRST = (TRAIN + VAL) / LAIP_FAMILY,
    LAST = FIRST + TEST / LAIP_FAMILY - 1,
    WORDS = 150
};

static char *folder;
static laip_dataset dataset;
static laip_binding binding;
static laip_tokenizer *tokenizer;
static laip_texts texts;
static laip_model model;
static laip_attention_reader reader;

static bool make_texts(laip_error *error)
{
    char **words;
    size_t count;
    const char **captions = laip_alloc(dataset.caption_count, sizeof *captions);
    for (size_t i = 0; i < dataset.caption_count; i++)
        captions[i] = dataset.captions[i].text;
    bool good =
        laip_vocab_learn(captions, dataset.caption_count, LAIP_RULE_ALBEF, WORDS, &words, &count, error);
    free(captions);
    laip_phraser *phraser = laip_phraser_create(NULL, NULL, laip_default_generic_heads, error);
    tokenizer = good ? laip_tokenizer_from_words((const char *const *)words, count, error) : NULL;
    if (!tokenizer || !phraser)
        return false;
    laip_tokenize_options t = {.rule = LAIP_RULE_ALBEF, .max_tokens = 60};
    laip_texts_make(&texts, &dataset, tokenizer, &t, phraser, 1);
    laip_phraser_free(phraser);
    laip_vocab_free(words, count);
    return true;
}

static int open_all(void **state)
{
    (void)state;
    laip_error error;
    folder = laip_test_folder("family");
    laip_synth_options o = {.folder = folder,
                            .persons = TRAIN,
                            .val = VAL,
                            .test = TEST,
                            .images = 3,
                            .seed = 5,
                            .kind = LAIP_SYNTH_BIND};
    char *annotations = laip_path_join(folder, "reid_raw.json");
    laip_model_config m = laip_tiny_sizes();
    laip_loss_config loss = laip_loss_config_default();
    m.vocab = WORDS;
    m.positions = 60;
    loss.bidiratt_layer = 1;
    laip_test_fix_products(laip_test_device());
    bool good = laip_synth_write(&o, &error) &&
                laip_dataset_read(&dataset, annotations, NULL, "test", &error) &&
                laip_binding_read(&binding, annotations, &error) && make_texts(&error) &&
                laip_model_create(&model, laip_test_device(), &m, false, &error);
    free(annotations);
    if (!good)
        return -1;
    laip_params_initialise(&model.params, &model.table, 7, 0, 0.1f);
    laip_test_fill_head(&model, 3);
    return laip_attention_reader_open(&reader, &model, &loss, &dataset, &texts, tokenizer, &error) ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    laip_attention_reader_close(&reader);
    laip_model_free(&model);
    laip_texts_free(&texts);
    laip_tokenizer_free(tokenizer);
    laip_binding_free(&binding);
    laip_dataset_free(&dataset);
    free(folder);
    return 0;
}

static laip_example choose(long family)
{
    laip_example x;
    laip_error error;
    assert_ok(laip_example_choose(&x, &binding, &dataset, &texts, tokenizer, family, &error), error);
    return x;
}

static void chosen(void **state)
{
    (void)state;
    assert_int_equal(choose(-1).family, FIRST);
    for (long family = FIRST; family <= LAST; family++) {
        laip_example x = choose(family);
        unsigned things = 0;
        assert_int_equal(x.family, family);
        assert_false(x.control);
        for (int m = 0; m < LAIP_FAMILY; m++) {
            const laip_picture *p = &dataset.pictures[x.picture[m]];
            const laip_binding_person *person = laip_binding_find(&binding, p->person);
            assert_true(person && person->family == family && person->member == m);
            assert_ptr_equal(x.boxes[m], laip_binding_boxes(&binding, p->file));
        }
        assert_int_equal(dataset.captions[x.caption].picture, x.picture[x.own]);
        assert_int_equal(x.phrases, LAIP_BOUNDS); /* one of its 24 captions names all, with their colours */
        for (size_t i = 0; i < x.phrases; i++) {
            assert_in_range(x.phrase[i], texts.first_phrase[x.caption],
                            texts.first_phrase[x.caption + 1] - 1);
            assert_int_equal(x.thing[i], laip_phrase_thing(&texts.phrases, x.phrase[i], tokenizer));
            things |= 1U << x.thing[i];
        }
        assert_int_equal(things, 15);
    }
}

static void what_is_swapped(void **state)
{
    (void)state;
    laip_example x = choose(-1);
    for (size_t i = 0; i < x.phrases; i++) {
        int thing = x.thing[i], bit = thing == LAIP_BOUND_HAT || thing == LAIP_BOUND_BAG ? 2 : 1;
        int other = thing == LAIP_BOUND_UPPER   ? LAIP_BOUND_LOWER
                    : thing == LAIP_BOUND_LOWER ? LAIP_BOUND_UPPER
                    : thing == LAIP_BOUND_HAT   ? LAIP_BOUND_BAG
                                                : LAIP_BOUND_HAT;
        for (int m = 0; m < LAIP_FAMILY; m++) {
            const double *box = laip_example_swapped(&x, i, m);
            if ((m ^ x.own) & bit)
                assert_ptr_equal(box, x.boxes[m] + (ptrdiff_t)4 * other);
            else
                assert_null(box);
        }
    }
    x.control = true;
    for (int m = 0; m < LAIP_FAMILY; m++)
        assert_null(laip_example_swapped(&x, 0, m));
}

static void scores_are_those_of_an_evaluation(void **state)
{
    (void)state;
    laip_ranks one = {.size = 1};
    laip_reranking how = {.k = 1000, .weight = 1, .keeps = true};
    laip_evaluation e;
    laip_error error;
    laip_example x = choose(FIRST + 1);
    assert_ok(laip_evaluate(&model, &dataset, &texts, how, 1, &one, &e, &error), error);
    assert_ok(laip_example_score(&x, &model, &dataset, &texts, &error), error);
    assert_int_equal(e.k, dataset.picture_count);
    for (int m = 0; m < LAIP_FAMILY; m++) {
        double cosine = 0, logit = NAN;
        for (size_t i = 0; i < e.embed; i++)
            cosine += (double)e.image_features[x.picture[m] * e.embed + i] *
                      (double)e.text_features[x.caption * e.embed + i];
        for (size_t k = 0; k < e.k; k++)
            if ((size_t)e.candidates[x.caption * e.k + k] == x.picture[m])
                logit = (double)e.logits[2 * (x.caption * e.k + k) + 1];
        assert_near(x.cosine[m], cosine, 1e-4);
        assert_near(x.matching[m], logit, 1e-4);
    }
    laip_evaluation_free(&e);
}

static void refuse(const laip_binding *b, long family, const char *says)
{
    laip_example x;
    laip_error error;
    assert_false(laip_example_choose(&x, b, &dataset, &texts, tokenizer, family, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    if (!strstr(error.text, says))
        fail_msg("no \"%s\" in: %s", says, error.text);
}

static void refused(void **state)
{
    (void)state;
    refuse(&(laip_binding){0}, -1, "has no families");
    refuse(&binding, 0, "no family 0: expected one of 2 to 9"); /* of train */
    refuse(&binding, 99, "no family 99: expected one of 2 to 9");
    laip_binding_person *last = &binding.persons[binding.count - 1];
    last->family = 0;
    refuse(&binding, LAST, "no picture of member 3 of family 9");
    last->family = LAST;
}

/* Pixels of a colour in the part of a picture between two of its columns. */
static size_t pixels_of(const laip_image *p, int left, int right, unsigned rgb)
{
    size_t count = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = left; x < right; x++) {
            const uint8_t *at = p->pixels + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
            count += ((unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2]) == rgb;
        }
    return count;
}

/* The green frame is around the picture of the person described and no other; every column has boxes. */
static void drawing(void **state)
{
    (void)state;
    enum {
        SIDE = 984 * 2,
        LABELS = 2 * (20 + 132),
        STEP = 2 * (188 + 20),
        FRAME = 2 * 5 * 2 * 2 * (124 + 186)
    };
    laip_error error;
    laip_image image;
    char *path = laip_path_join(folder, "family.png");
    int tall[2];
    for (int own = 0; own < 2; own++) {
        laip_example x = choose(-1);
        assert_ok(laip_example_score(&x, &model, &dataset, &texts, &error), error);
        x.phrases -= (size_t)own; /* and of a caption that leaves one out */
        assert_ok(laip_family_figure_write(path, &x, &reader, &error), error);
        assert_ok(laip_image_load(path, true, &image, &error), error);
        assert_int_equal(image.width, SIDE);
        tall[own] = image.height;
        for (int m = 0; m < LAIP_FAMILY; m++) {
            int left = LABELS + (m ^ x.own) * STEP, right = left + 2 * 188;
            size_t green = pixels_of(&image, left, right, LAIP_FRAME_RIGHT);
            if (m == x.own)
                assert_in_range(green, FRAME * 9 / 10, FRAME * 5 / 4);
            else
                assert_int_equal(green, 0);
            assert_true(pixels_of(&image, left, right, 0x27d3ff) > 200);
        }
        laip_image_free(&image);
    }
    assert_int_equal(tall[0] - tall[1], 2 * (138 + 30)); /* a row less */
    assert_false(laip_family_figure_write("/no/such/folder/x.png", &(laip_example){0}, &reader, &error));
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(chosen), cmocka_unit_test(what_is_swapped),
                                       cmocka_unit_test(scores_are_those_of_an_evaluation),
                                       cmocka_unit_test(refused), cmocka_unit_test(drawing)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}
