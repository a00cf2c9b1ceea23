/* Which device a choice names: numbers, kinds, parts of names, and what the ranks of a node get. */
#include "support/test.h"

#include "base/memory.h"
#include "device/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };
static laip_traits all[MOST];
static int count;

static void note(void *context, int number, const laip_traits *t)
{
    (void)context;
    assert_int_equal(number, count);
    if (count < MOST)
        all[count++] = *t;
}

static int list(void **state)
{
    (void)state;
    laip_error error;
    return laip_device_list(note, NULL, &error) && count ? 0 : -1;
}

/* The number of the device that is opened, by its place among equal names; -1: refused as bad input. */
static bool opens(const char *choice, int rank, const laip_traits *expected)
{
    laip_device *d;
    laip_error error;
    bool good = laip_device_open(&d, choice, rank, &error);
    if (!good) {
        assert_null(d);
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_null(strchr(error.text, '\n'));
        return false;
    }
    const laip_traits *t = laip_device_traits(d);
    if (expected) {
        assert_string_equal(t->name, expected->name);
        assert_string_equal(t->platform, expected->platform);
        assert_int_equal(t->units, expected->units);
    }
    laip_device_close(d);
    return true;
}

static void numbers(void **state)
{
    (void)state;
    char text[32];
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_true(opens(text, 0, &all[i]));
        assert_true(opens(text, 3, &all[i])); /* it was named: every rank gets it */
    }
    snprintf(text, sizeof text, "%d", count);
    assert_false(opens(text, 0, NULL));
    assert_false(opens("-1", 0, NULL));
}

/* Kinds: found exactly when the list has one; ranks take them in turn. */
static void kinds(void **state)
{
    (void)state;
    int cpus[MOST], found = 0;
    for (int i = 0; i < count; i++)
        if (all[i].cpu)
            cpus[found++] = i;
    for (int rank = 0; found && rank < 5; rank++)
        assert_true(opens("cpu", rank, &all[cpus[rank % found]]));
    if (!found)
        assert_false(opens("cpu", 0, NULL));
    if (found == count) {
        assert_false(opens("gpu", 0, NULL));
        assert_false(opens("accelerator", 0, NULL));
        const char *const any[] = {"auto", "", NULL};
        for (int i = 0; i < 3; i++)
            assert_true(opens(any[i], 0, &all[cpus[0]]));
    } else
        assert_true(opens("auto", 0, NULL));
}

static void parts_of_names(void **state)
{
    (void)state;
    for (int i = 0; i < count; i++) {
        const char *texts[] = {all[i].name, all[i].platform};
        for (int k = 0; k < 2; k++) {
            char part[256];
            size_t length = strlen(texts[k]), half = length / 2 ? length / 2 : length;
            snprintf(part, sizeof part, "%s", texts[k] + length - half);
            bool digits = strspn(part, "0123456789") == strlen(part);
            if (!digits)
                assert_true(opens(part, 0, NULL));
        }
    }
    laip_device *d;
    laip_error error;
    assert_false(laip_device_open(&d, "Voodoo 2", 0, &error));
    assert_non_null(strstr(error.text, "device Voodoo 2: no such device; there are: 0 ("));
    assert_non_null(strstr(error.text, all[count - 1].name)); /* what there is, is said */
}

/* What is reported of a device can be launched with. */
static void traits(void **state)
{
    (void)state;
    for (int i = 0; i < count; i++) {
        assert_true(*all[i].name && *all[i].platform && *all[i].driver && *all[i].version);
        assert_true(all[i].units > 0 && all[i].memory >= all[i].largest && all[i].largest >= 1 << 20);
        assert_true(all[i].alignment >= 64 && all[i].alignment % 64 == 0);
        assert_true((all[i].lanes == 1 && all[i].vector == 16) || (all[i].lanes == 64 && all[i].vector == 4));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(kinds),
                                       cmocka_unit_test(parts_of_names), cmocka_unit_test(traits)};
    return cmocka_run_group_tests(tests, list, NULL);
}
