/* R@k, AP and mAP by hand, by their definitions over random rankings, and by chance. */
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "eval/metrics.h"
#include <stdlib.h>

static void assert_metrics(laip_metrics m, double r1, double r5, double r10, double map)
{
    assert_near(m.r1, r1, 1e-12);
    assert_near(m.r5, r5, 1e-12);
    assert_near(m.r10, r10, 1e-12);
    assert_near(m.map, map, 1e-12);
}

/* Three captions, six pictures of three persons. */
static void by_hand(void **state)
{
    (void)state;
    const int32_t gallery[6] = {1, 1, 2, 2, 2, 9}, query[3] = {1, 2, 9};
    const int32_t ranking[3 * 6] = {
        1, 2, 0, 3, 4, 5, /* hits at 1 and 3: AP (1 + 2/3) / 2 */
        0, 2, 1, 5, 4, 3, /* hits at 2, 5 and 6: AP (1/2 + 2/5 + 3/6) / 3 */
        0, 1, 2, 3, 4, 5, /* the one hit comes last: AP 1/6 */
    };
    double ap[3] = {(1 + 2.0 / 3) / 2, (0.5 + 0.4 + 0.5) / 3, 1.0 / 6};
    assert_metrics(laip_metrics_of(ranking, 3, 6, query, gallery), 100.0 / 3, 200.0 / 3, 100,
                   100 * (ap[0] + ap[1] + ap[2]) / 3);
    for (int q = 0; q < 3; q++) /* one caption alone */
        assert_metrics(laip_metrics_of(ranking + 6 * q, 1, 6, query + q, gallery), q == 0 ? 100 : 0,
                       q < 2 ? 100 : 0, 100, 100 * ap[q]);
}

/* The first hit at places 1, 5, 6, 10 and 11 of twelve: each border of R@k from both sides. */
static void borders(void **state)
{
    (void)state;
    const int places[5] = {1, 5, 6, 10, 11};
    const double want[5][3] = {{100, 100, 100}, {0, 100, 100}, {0, 0, 100}, {0, 0, 100}, {0, 0, 0}};
    for (int c = 0; c < 5; c++) {
        int32_t gallery[12] = {0}, ranking[12], query = 7;
        for (int i = 0; i < 12; i++)
            ranking[i] = 11 - i;
        gallery[ranking[places[c] - 1]] = 7;
        assert_metrics(laip_metrics_of(ranking, 1, 12, &query, gallery), want[c][0], want[c][1], want[c][2],
                       100.0 / places[c]);
    }
}

static void few(void **state)
{
    (void)state;
    const int32_t ranking[3] = {2, 0, 1}, gallery[3] = {5, 5, 6}, query[2] = {5, -3};
    assert_metrics(laip_metrics_of(ranking, 1, 3, query, gallery), 0, 100, 100, 100 * (0.5 + 2.0 / 3) / 2);
    assert_metrics(laip_metrics_of(ranking, 1, 3, query + 1, gallery), 0, 0, 0,
                   0); /* a person with no picture */
    assert_metrics(laip_metrics_of(ranking, 0, 3, query, gallery), 0, 0, 0, 0);
    assert_metrics(laip_metrics_of(NULL, 2, 0, query, NULL), 0, 0, 0, 0);
    const int32_t all[3] = {5, 5, 5}; /* every picture is right */
    assert_metrics(laip_metrics_of(ranking, 1, 3, query, all), 100, 100, 100, 100);
}

/* AP: over the pictures of the person, the mean of the share of right ones among those not behind it. */
static laip_metrics defined(const int32_t *place, size_t queries, size_t gallery, const int32_t *query,
                            const int32_t *person)
{
    laip_metrics m = {0};
    for (size_t q = 0; q < queries; q++) {
        int32_t best = (int32_t)gallery;
        double sum = 0, count = 0;
        for (size_t i = 0; i < gallery; i++) {
            int32_t right = 0, at = place[q * gallery + i];
            for (size_t j = 0; j < gallery; j++)
                right += person[j] == query[q] && place[q * gallery + j] <= at;
            if (person[i] != query[q])
                continue;
            best = at < best ? at : best;
            sum += right / (at + 1.0);
            count++;
        }
        m.r1 += best < 1 ? 100.0 / (double)queries : 0;
        m.r5 += best < 5 ? 100.0 / (double)queries : 0;
        m.r10 += best < 10 ? 100.0 / (double)queries : 0;
        m.map += count > 0 ? 100 * sum / count / (double)queries : 0;
    }
    return m;
}

static void at_random(void **state)
{
    (void)state;
    enum { QUERIES = 60, GALLERY = 45 };
    for (uint64_t draw = 0; draw < 20; draw++) {
        laip_rng r = laip_rng_stream(4, draw, 0, LAIP_SITE_TEST);
        static int32_t ranking[QUERIES * GALLERY], place[QUERIES * GALLERY];
        int32_t query[QUERIES], person[GALLERY];
        uint32_t persons = 2 + laip_rng_below(&r, 40), order[GALLERY];
        for (int i = 0; i < GALLERY; i++)
            person[i] = (int32_t)laip_rng_below(&r, persons);
        for (int q = 0; q < QUERIES; q++) {
            query[q] = (int32_t)laip_rng_below(&r, persons);
            for (uint32_t i = 0; i < GALLERY; i++)
                order[i] = i;
            laip_rng_shuffle(&r, order, GALLERY);
            for (int k = 0; k < GALLERY; k++) {
                ranking[q * GALLERY + k] = (int32_t)order[k];
                place[q * GALLERY + (int)order[k]] = k;
            }
        }
        laip_metrics got = laip_metrics_of(ranking, QUERIES, GALLERY, query, person),
                     want = defined(place, QUERIES, GALLERY, query, person);
        assert_metrics(got, want.r1, want.r5, want.r10, want.map);
    }
}

/* With n of N pictures right, a random order has R@k = 1 − C(N − n, k) / C(N, k). */
static void chance(void **state)
{
    (void)state;
    enum { QUERIES = 400, GALLERY = 40, EACH = 2 };
    int32_t query[QUERIES], person[GALLERY];
    for (int i = 0; i < GALLERY; i++)
        person[i] = i / EACH;
    for (int q = 0; q < QUERIES; q++)
        query[q] = q % (GALLERY / EACH);
    laip_metrics m = laip_metrics_chance(QUERIES, GALLERY, query, person);
    double none5 = 35.0 * 34 / (40 * 39), none10 = 30.0 * 29 / (40 * 39);
    assert_true(m.r1 > 4.4 && m.r1 < 5.6); /* 5, and five standard deviations of 8000 draws are 1.2 */
    assert_true(m.r5 > 100 * (1 - none5) - 2.5 && m.r5 < 100 * (1 - none5) + 2.5);
    assert_true(m.r10 > 100 * (1 - none10) - 2.8 && m.r10 < 100 * (1 - none10) + 2.8);
    assert_true(m.map > m.r1 && m.map < m.r10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand), cmocka_unit_test(borders),
                                       cmocka_unit_test(few), cmocka_unit_test(at_random),
                                       cmocka_unit_test(chance)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
