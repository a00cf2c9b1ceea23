/* The order of an epoch: every pair once, whatever is asked; with `group`, captions that are alike share
 * micro-batches, and those of one person hardly do. */
#include "support/test.h"

#include "base/memory.h"
#include "data/order.h"
#include <stdlib.h>
#include <string.h>

/* PERSONS persons with two captions each, which have two tokens of a kind of their own and two of
 * everybody's; persons of one kind (modulo KINDS) are alike. */
enum { PERSONS = 210, KINDS = 21, EACH = 2, N = PERSONS * EACH, TOKENS = 4, BATCH = 8 };

static laip_picture pictures[N];
static laip_caption captions[N];
static size_t begin[N + 1];
static int32_t ids[N * TOKENS];
static laip_dataset dataset = {
    .pictures = pictures, .picture_count = N, .captions = captions, .caption_count = N};
static laip_texts texts = {.captions = {.count = N, .begin = begin, .ids = ids}};

static int make(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++) {
        int32_t who = (int32_t)(i / EACH), kind = who % KINDS;
        pictures[i] = (laip_picture){.person = who, .first = i, .captions = 1};
        captions[i] = (laip_caption){.picture = i};
        begin[i + 1] = begin[i] + TOKENS;
        int32_t tokens[TOKENS] = {1, 100 + kind, 2, 200 + kind};
        memcpy(ids + begin[i], tokens, sizeof tokens);
    }
    return 0;
}

static void each_once(const uint32_t *order)
{
    bool seen[N] = {false};
    for (size_t i = 0; i < N; i++) {
        assert_true(order[i] < N);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
    }
}

static void permutations(void **state)
{
    (void)state;
    static const size_t groups[] = {0, 1, 5, 64, 1000};
    for (size_t g = 0; g < 5; g++) {
        uint32_t a[N], b[N], c[N], e[N];
        laip_order_make(a, &dataset, &texts, 3, 0, BATCH, groups[g]);
        laip_order_make(b, &dataset, &texts, 3, 0, BATCH, groups[g]);
        laip_order_make(c, &dataset, &texts, 3, 1, BATCH, groups[g]);
        laip_order_make(e, &dataset, &texts, 4, 0, BATCH, groups[g]);
        each_once(a);
        each_once(c);
        each_once(e);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_not_equal(a, c, sizeof a);
        assert_memory_not_equal(a, e, sizeof a);
    }
}

/* Pairs of one kind, and of one person, among neighbours within the micro-batches. */
static void count(const uint32_t *order, size_t *alike, size_t *same)
{
    *alike = *same = 0;
    for (size_t i = 1; i < N / BATCH * BATCH; i++)
        if (i % BATCH) {
            int32_t x = pictures[order[i]].person, y = pictures[order[i - 1]].person;
            *alike += x % KINDS == y % KINDS;
            *same += x == y;
        }
}

static void grouped(void **state)
{
    (void)state;
    uint32_t order[N];
    size_t alike, same, neighbours = N / BATCH * (BATCH - 1);
    laip_order_make(order, &dataset, &texts, 3, 0, BATCH, 0);
    count(order, &alike, &same);
    assert_true(alike < neighbours / 8);
    laip_order_make(order, &dataset, &texts, 3, 0, BATCH, N);
    count(order, &alike, &same);
    assert_true(alike > neighbours * 3 / 4);
    assert_int_equal(same, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(permutations), cmocka_unit_test(grouped)};
    return cmocka_run_group_tests(tests, make, NULL);
}
