/* The hash table against an array, through every enlargement. */
#include "support/test.h"

#include "base/map.h"
#include "base/rng.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set(laip_map *m, const char *key, int32_t value)
{
    laip_map_set(m, key, strlen(key), value);
}

static bool get(const laip_map *m, const char *key, int32_t *value)
{
    return laip_map_get(m, key, strlen(key), value);
}

static void keys(void **state)
{
    (void)state;
    laip_map m = {0};
    int32_t v = 77;
    assert_false(get(&m, "a", &v));
    set(&m, "a", 1);
    set(&m, "", 2);
    set(&m, "ab", 3);
    laip_map_set(&m, "a\0b", 3, 4); /* a key is bytes, its length counts */
    laip_map_set(&m, "a\0", 2, 5);
    assert_int_equal(m.count, 5);
    assert_true(get(&m, "a", &v) && v == 1);
    assert_true(get(&m, "", &v) && v == 2);
    assert_true(get(&m, "ab", &v) && v == 3);
    assert_true(laip_map_get(&m, "a\0b", 3, &v) && v == 4);
    assert_true(laip_map_get(&m, "a\0", 2, &v) && v == 5);
    assert_true(laip_map_get(&m, "abc", 2, &v) && v == 3);
    v = 77;
    assert_false(get(&m, "b", &v));
    assert_int_equal(v, 77);
    assert_true(get(&m, "a", NULL));
    set(&m, "a", INT32_MIN);
    assert_true(get(&m, "a", &v) && v == INT32_MIN);
    assert_int_equal(m.count, 5);
    laip_map_free(&m);
    assert_int_equal(m.count, 0);
    assert_false(get(&m, "a", &v));
    laip_map_free(&m);
}

static void keys_are_copied(void **state)
{
    (void)state;
    laip_map m = {0};
    char key[8] = "first";
    int32_t v;
    set(&m, key, 1);
    memcpy(key, "other", 5);
    assert_false(get(&m, key, &v));
    assert_true(get(&m, "first", &v));
    laip_map_free(&m);
}

/* Many keys, set again at random, through every enlargement: the table says what an array says. */
static void many(void **state)
{
    (void)state;
    enum { KEYS = 20000 };
    laip_map m = {0};
    laip_rng r = laip_rng_stream(1, 0, 0, LAIP_SITE_TEST);
    int32_t *want = laip_alloc(KEYS, sizeof *want), v;
    char key[32];
    size_t present = 0;
    for (int i = 0; i < 3 * KEYS; i++) {
        uint32_t k = laip_rng_below(&r, KEYS);
        snprintf(key, sizeof key, "key %u", k);
        assert_int_equal(get(&m, key, &v), want[k] != 0);
        if (want[k])
            assert_int_equal(v, want[k]);
        present += want[k] == 0;
        want[k] = i + 1;
        set(&m, key, i + 1);
        assert_int_equal(m.count, present);
        assert_true(3 * m.count <= 2 * m.capacity);
    }
    for (uint32_t k = 0; k < KEYS; k++) {
        snprintf(key, sizeof key, "key %u", k);
        v = 0;
        get(&m, key, &v);
        assert_int_equal(v, want[k]);
    }
    free(want);
    laip_map_free(&m);
}

static void hashes(void **state)
{
    (void)state;
    int low[64] = {0};
    assert_true(laip_hash("ab", 2) == laip_hash("abc", 2));
    assert_true(laip_hash("ab", 2) != laip_hash("ba", 2));
    assert_true(laip_hash("", 0) != laip_hash("\0", 1));
    for (uint32_t i = 0; i < 64 * 64; i++) /* the low bits choose the slot: none is crowded */
        low[laip_hash(&i, sizeof i) % 64]++;
    for (int i = 0; i < 64; i++)
        assert_in_range(low[i], 20, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys), cmocka_unit_test(keys_are_copied),
                                       cmocka_unit_test(many), cmocka_unit_test(hashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
