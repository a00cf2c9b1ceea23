#include "support/test.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/assemble.h"
#include "data/loader.h"
#include "synth/synth.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEIGHT = 32, WIDTH = 16, PIXELS = 3 * HEIGHT * WIDTH };

/* A small drawn set, its vocabulary and texts. */
static struct {
    char *folder;
    laip_dataset d;
    laip_tokenizer *tokenizer;
    laip_phraser *phraser;
    laip_texts texts;
} set;

static int make_set(void **state)
{
    (void)state;
    laip_error error;
    char **words;
    size_t count;
    set.folder = laip_test_folder("loader");
    laip_synth_options o = {.folder = set.folder, .persons = 7, .val = 1, .test = 1, .images = 2, .seed = 3};
    char *file = laip_path_join(set.folder, "reid_raw.json");
    if (!laip_synth_write(&o, &error) || !laip_dataset_read(&set.d, file, NULL, "train", &error))
        return -1;
    const char **captions = laip_alloc(set.d.caption_count, sizeof *captions);
    for (size_t i = 0; i < set.d.caption_count; i++)
        captions[i] = set.d.captions[i].text;
    if (!laip_vocab_learn(captions, set.d.caption_count, LAIP_RULE_ALBEF, 120, &words, &count, &error))
        return -1;
    set.tokenizer = laip_tokenizer_from_words((const char *const *)words, count, &error);
    set.phraser = laip_phraser_create(NULL, NULL, NULL, &error);
    laip_tokenize_options t = {.rule = LAIP_RULE_ALBEF, .max_tokens = 40};
    laip_texts_make(&set.texts, &set.d, set.tokenizer, &t, set.phraser, 2);
    laip_vocab_free(words, count);
    free(captions);
    free(file);
    return 0;
}

static int drop_set(void **state)
{
    (void)state;
    laip_texts_free(&set.texts);
    laip_tokenizer_free(set.tokenizer);
    laip_phraser_free(set.phraser);
    laip_dataset_free(&set.d);
    free(set.folder);
    return 0;
}

static laip_loader_options options(void)
{
    return (laip_loader_options){.height = HEIGHT,
                                 .width = WIDTH,
                                 .batch = 3,
                                 .micro_batches = 2,
                                 .own_micro = 2,
                                 .seed = 5,
                                 .augment = {.flip = 0.5f, .pad = 2, .resized_crop = 0.5f, .erasing = 0.5f},
                                 .phrases = true,
                                 .mlm = true,
                                 .mask = laip_tokenizer_special(set.tokenizer, LAIP_MASK),
                                 .vocab = (int)laip_tokenizer_size(set.tokenizer),
                                 .threads = 3,
                                 .cache_bytes = 100000};
}

static laip_loader *opened(const laip_loader_options *o, uint64_t step)
{
    laip_error error;
    laip_loader *l = laip_loader_create(&set.d, &set.texts, o, step, &error);
    if (!l)
        fail_msg("%s", error.text);
    return l;
}

static const laip_batch *next(laip_loader *l)
{
    laip_error error;
    const laip_batch *b;
    assert_ok(laip_loader_next(l, &b, &error), error);
    return b;
}

static void assert_ints(const int32_t *a, const int32_t *b, size_t n)
{
    assert_memory_equal(a, b, n * sizeof *a);
}

static void assert_same(const laip_batch *a, const laip_batch *b)
{
    size_t n = (size_t)a->size, p = (size_t)a->phrases;
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->phrases, b->phrases);
    assert_memory_equal(a->images, b->images, n * PIXELS * sizeof *a->images);
    assert_memory_equal(a->sample, b->sample, n * sizeof *a->sample);
    assert_ints(a->person, b->person, n);
    assert_ints(a->caption_begin, b->caption_begin, n + 1);
    size_t rows = (size_t)a->caption_begin[n], phrase_rows = (size_t)a->phrase_begin[p];
    assert_ints(a->caption_ids, b->caption_ids, rows);
    assert_ints(a->caption_masked, b->caption_masked, rows);
    assert_ints(a->caption_target, b->caption_target, rows);
    assert_ints(a->phrase_owner, b->phrase_owner, p);
    assert_ints(a->phrase_begin, b->phrase_begin, p + 1);
    assert_ints(a->phrase_ids, b->phrase_ids, phrase_rows);
    assert_ints(a->phrase_masked, b->phrase_masked, phrase_rows);
    assert_ints(a->phrase_target, b->phrase_target, phrase_rows);
}

/* The same with one thread and no memory for pictures, from the middle on, and by two ranks. */
static void same_for_anyone(void **state)
{
    (void)state;
    enum { STEPS = 12, FROM = 5 };
    laip_loader_options all = options(), alone = all, half[2] = {all, all};
    alone.threads = 1;
    alone.cache_bytes = 0;
    for (size_t r = 0; r < 2; r++) {
        half[r].own_micro = 1;
        half[r].first_micro = r;
    }
    laip_loader *l = opened(&all, 0), *one = opened(&alone, 0), *late = opened(&all, FROM);
    laip_loader *rank[2] = {opened(&half[0], 0), opened(&half[1], 0)};
    for (int step = 0; step < STEPS; step++)
        for (int m = 0; m < 2; m++) {
            const laip_batch *b = next(l);
            assert_same(b, next(one));
            assert_same(b, next(rank[m]));
            if (step >= FROM)
                assert_same(b, next(late));
        }
    laip_loader *const loaders[] = {l, one, late, rank[0], rank[1]};
    for (size_t i = 0; i < 5; i++)
        laip_loader_free(loaders[i]);
}

/* A step holds all of its micro-batches at once, however many they are. */
static void a_step_holds_its_own(void **state)
{
    (void)state;
    enum { OWN = 9 };
    laip_loader_options o = options();
    o.micro_batches = OWN;
    o.own_micro = OWN;
    o.threads = 1;
    laip_loader *l = opened(&o, 0), *other = opened(&o, 0);
    for (int step = 0; step < 3; step++) {
        const laip_batch *own[OWN];
        for (int m = 0; m < OWN; m++)
            own[m] = next(l);
        for (int m = 0; m < OWN; m++)
            assert_same(own[m], next(other));
    }
    laip_loader_free(l);
    laip_loader_free(other);
}

/* Each pair once an epoch but for the few left over, in another order each time. */
static void epochs(void **state)
{
    (void)state;
    laip_loader_options o = options();
    o.phrases = o.mlm = false;
    size_t steps = laip_loader_steps_per_epoch(&set.d, &o), n = set.d.caption_count, differ = 0;
    assert_int_equal(steps, n / 6);
    uint64_t *first = laip_alloc(n, sizeof *first);
    laip_loader *l = opened(&o, 0);
    for (int epoch = 0; epoch < 3; epoch++) {
        char *seen = laip_alloc(n, 1);
        for (size_t i = 0, at = 0; i < 2 * steps; i++) {
            const laip_batch *b = next(l);
            for (int k = 0; k < b->size; k++, at++) {
                assert_true(b->sample[k] < n);
                assert_false(seen[b->sample[k]]);
                seen[b->sample[k]] = 1;
                const laip_picture *p = &set.d.pictures[set.d.captions[b->sample[k]].picture];
                assert_int_equal(b->person[k], p->person);
                if (epoch == 0)
                    first[at] = b->sample[k];
                differ += first[at] != b->sample[k];
            }
        }
        free(seen);
    }
    assert_true(differ > n);
    free(first);
    laip_loader_free(l);
}

/* A picture comes in another form each time: by step, not by sample alone. */
static void augmented_anew(void **state)
{
    (void)state;
    laip_loader_options o = options();
    laip_loader *l = opened(&o, 0);
    float *before = laip_alloc(set.d.caption_count, PIXELS * sizeof *before);
    int *seen = laip_alloc(set.d.caption_count, sizeof *seen), again = 0, same = 0;
    for (int i = 0; i < 100; i++) {
        const laip_batch *b = next(l);
        for (int k = 0; k < b->size; k++) {
            float *kept = before + b->sample[k] * PIXELS;
            const float *now = b->images + (size_t)k * PIXELS;
            again += seen[b->sample[k]];
            same += seen[b->sample[k]] && memcmp(kept, now, PIXELS * sizeof *now) == 0;
            memcpy(kept, now, PIXELS * sizeof *now);
            seen[b->sample[k]] = 1;
        }
    }
    assert_true(again > 200);
    assert_true(same < again / 5);
    laip_loader_free(l);
    free(before);
    free(seen);
}

/* One whole word of each phrase is masked, and every word has its turn; bounds hold. */
static void phrases(void **state)
{
    (void)state;
    laip_loader_options o = options();
    laip_loader_sizes most = laip_loader_most(&set.texts, &o);
    laip_loader *l = opened(&o, 0);
    size_t first = 0, later = 0;
    for (int i = 0; i < 200; i++) {
        const laip_batch *b = next(l);
        assert_true((size_t)b->caption_begin[b->size] <= most.caption_rows);
        assert_true((size_t)b->phrases <= most.phrases);
        assert_true((size_t)b->phrase_begin[b->phrases] <= most.phrase_rows);
        int counts[3] = {0};
        for (int p = 0; p < b->phrases; p++) {
            int32_t from = b->phrase_begin[p], to = b->phrase_begin[p + 1], masked = 0, word = 0, at = -1;
            assert_in_range(b->phrase_owner[p], p ? b->phrase_owner[p - 1] : 0, b->size - 1);
            counts[b->phrase_owner[p]]++;
            assert_true(to - from >= 2 && (size_t)(to - from) <= most.longest_phrase);
            assert_int_equal(b->phrase_ids[from], laip_tokenizer_special(set.tokenizer, LAIP_CLS));
            assert_int_equal(b->phrase_target[from], -1);
            for (int32_t k = from + 1; k < to; k++) {
                bool inside = strncmp(laip_tokenizer_token(set.tokenizer, b->phrase_ids[k]), "##", 2) == 0;
                word += !inside;
                if (b->phrase_target[k] < 0) {
                    assert_int_equal(b->phrase_masked[k], b->phrase_ids[k]);
                    continue;
                }
                assert_int_equal(b->phrase_masked[k], o.mask);
                assert_int_equal(b->phrase_target[k], b->phrase_ids[k]);
                assert_true(at < 0 || at == word); /* one word */
                at = word;
                masked++;
            }
            assert_true(masked > 0);
            word = 0;
            for (int32_t k = from + 1; k < to; k++) { /* and all of it */
                word += strncmp(laip_tokenizer_token(set.tokenizer, b->phrase_ids[k]), "##", 2) != 0;
                assert_int_equal(b->phrase_target[k] >= 0, word == at);
            }
            first += at == 1;
            later += at > 1;
        }
        for (int k = 0; k < b->size; k++)
            assert_int_equal(counts[k],
                             set.texts.first_phrase[b->sample[k] + 1] - set.texts.first_phrase[b->sample[k]]);
    }
    assert_true(first > 100 && later > 100);
    laip_loader_free(l);
}

static void few_phrases(void **state)
{
    (void)state;
    laip_loader_options o = options();
    o.phrases_per_caption = 2;
    laip_loader_sizes most = laip_loader_most(&set.texts, &o);
    assert_true(most.phrases <= 6);
    laip_loader *l = opened(&o, 0);
    for (int i = 0; i < 50; i++) {
        const laip_batch *b = next(l);
        int counts[3] = {0};
        for (int p = 0; p < b->phrases; p++)
            counts[b->phrase_owner[p]]++;
        for (int k = 0; k < b->size; k++) {
            size_t all = set.texts.first_phrase[b->sample[k] + 1] - set.texts.first_phrase[b->sample[k]];
            assert_int_equal(counts[k], all < 2 ? all : 2);
        }
        assert_true((size_t)b->phrases <= most.phrases);
        assert_true((size_t)b->phrase_begin[b->phrases] <= most.phrase_rows);
    }
    laip_loader_free(l);
}

/* 15 % of the tokens, of which 80 % are masked and 10 % others; never [CLS]. */
static void masked_captions(void **state)
{
    (void)state;
    laip_loader_options o = options();
    o.augment = (laip_augment){0};
    laip_loader *l = opened(&o, 0);
    double tokens = 0, chosen = 0, masked = 0, same = 0;
    for (int i = 0; i < 600; i++) {
        const laip_batch *b = next(l);
        for (int s = 0; s < b->size; s++)
            for (int32_t k = b->caption_begin[s]; k < b->caption_begin[s + 1]; k++) {
                bool begin = k == b->caption_begin[s];
                tokens += !begin;
                if (b->caption_target[k] < 0) {
                    assert_int_equal(b->caption_masked[k], b->caption_ids[k]);
                    continue;
                }
                assert_false(begin);
                assert_int_equal(b->caption_target[k], b->caption_ids[k]);
                chosen++;
                masked += b->caption_masked[k] == o.mask;
                same += b->caption_masked[k] == b->caption_ids[k];
            }
    }
    assert_near(chosen / tokens, 0.15, 0.01);
    assert_near(masked / chosen, 0.8, 0.03);
    assert_near(same / chosen, 0.1, 0.03);
    laip_loader_free(l);
}

static void pictures_as_they_are(void **state)
{
    (void)state;
    laip_loader_options o = options();
    laip_error error;
    float planes[PIXELS];
    o.augment = (laip_augment){0};
    laip_loader *l = opened(&o, 0);
    for (int i = 0; i < 30; i++) {
        const laip_batch *b = next(l);
        for (int k = 0; k < b->size; k++) {
            size_t picture = set.d.captions[b->sample[k]].picture;
            assert_ok(laip_picture_planes(&set.d, picture, HEIGHT, WIDTH, planes, &error), error);
            assert_memory_equal(planes, b->images + (size_t)k * PIXELS, sizeof planes);
        }
    }
    laip_loader_free(l);
}

/* A damaged picture ends the run, or another pair takes its place, the same for everyone. */
static void damaged(void **state)
{
    (void)state;
    laip_error error = {0};
    laip_loader_options o = options();
    const laip_batch *b;
    char *path = laip_dataset_file(&set.d, 2), *data;
    size_t size;
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    assert_ok(laip_file_write(path, data, size / 3, &error), error);
    laip_loader *l = opened(&o, 0);
    bool good = true;
    for (size_t i = 0; good && i < 2 * laip_loader_steps_per_epoch(&set.d, &o) + 2; i++)
        good = laip_loader_next(l, &b, &error);
    assert_false(good);
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, path));
    laip_loader_free(l);
    o.own_micro = 0; /* who has no share of the step has no trouble */
    laip_loader_free(opened(&o, 0));
    o = options();
    o.skip_bad = true;
    laip_loader_options alone = o;
    alone.threads = 1;
    l = opened(&o, 0);
    laip_loader *one = opened(&alone, 0);
    for (int i = 0; i < 30; i++) {
        b = next(l);
        assert_same(b, next(one));
        for (int k = 0; k < b->size; k++)
            assert_int_not_equal(set.d.captions[b->sample[k]].picture, 2);
    }
    assert_int_equal(laip_loader_skipped(l), 1);
    laip_loader_free(l);
    laip_loader_free(one);
    assert_ok(laip_file_write(path, data, size, &error), error);
    free(data);
    free(path);
}

typedef struct told {
    const char *path;
    int times;
} told;

static void hear(void *user, const char *line)
{
    told *t = user;
    t->times += strstr(line, t->path) && strstr(line, "the JPEG is damaged within");
}

/* Damage that a decoder can bridge is told once, whoever comes upon the picture how often. */
static void damaged_within(void **state)
{
    (void)state;
    laip_error error;
    laip_loader_options o = options();
    char *path = laip_dataset_file(&set.d, 2), *data, *spoiled;
    float planes[PIXELS];
    size_t size;
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    assert_ok(laip_file_read(path, &spoiled, &size, &error), error);
    for (size_t i = 0; i < 40; i++)
        spoiled[3 * size / 4 + i] = (char)(i % 2 ? 0 : 0xff); /* no code */
    assert_ok(laip_file_write(path, spoiled, size, &error), error);
    told t = {.path = path};
    laip_log_to(hear, &t);
    for (int round = 0; round < 2; round++) {
        laip_loader *l = opened(&o, 0);
        for (size_t i = 0; i < 2 * laip_loader_steps_per_epoch(&set.d, &o); i++)
            next(l);
        laip_loader_free(l);
        assert_ok(laip_picture_planes(&set.d, 2, HEIGHT, WIDTH, planes, &error), error);
    }
    laip_log_to(NULL, NULL);
    assert_int_equal(t.times, 1);
    assert_ok(laip_file_write(path, data, size, &error), error);
    free(spoiled);
    free(data);
    free(path);
}

static void too_few(void **state)
{
    (void)state;
    laip_error error;
    laip_loader_options o = options();
    o.batch = (int)set.d.caption_count;
    assert_null(laip_loader_create(&set.d, &set.texts, &o, 0, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "expected at least a global batch of 56"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_for_anyone), cmocka_unit_test(a_step_holds_its_own),
        cmocka_unit_test(epochs),          cmocka_unit_test(augmented_anew),
        cmocka_unit_test(phrases),         cmocka_unit_test(few_phrases),
        cmocka_unit_test(masked_captions), cmocka_unit_test(pictures_as_they_are),
        cmocka_unit_test(damaged),         cmocka_unit_test(damaged_within),
        cmocka_unit_test(too_few)};
    return cmocka_run_group_tests(tests, make_set, drop_set);
}
