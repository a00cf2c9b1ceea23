/* Which device a choice names: numbers, kinds, parts of names, and what the ranks of a node get. */
#include "support/test.h"

#include "base/memory.h"
#include "device/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };
static laip_traits all[MOST];
static int count, auto_count, given[MOST]; /* numbers, by the rank that auto gives them to */

static void note(void *context, int number, int rank, const laip_traits *t)
{
    (void)context;
    assert_int_equal(number, count);
    if (count < MOST)
        all[count++] = *t;
    if (rank >= 0 && rank < MOST) {
        given[rank] = number;
        auto_count++;
    }
}

/* LAIP_DEVICE, which may choose the other tests' device, is set here where it is the question. */
static int list(void **state)
{
    (void)state;
    laip_error error;
    unsetenv("LAIP_DEVICE");
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

/* Kinds: found exactly when the list has one; ranks take them in turn, the processor by one platform. */
static void kinds(void **state)
{
    (void)state;
    int found = 0;
    for (int i = 0; i < count; i++)
        found += all[i].cpu;
    for (int rank = 0; rank < 5; rank++)
        assert_true(opens("cpu", rank, found == count ? &all[given[rank % auto_count]] : NULL) ==
                    (found > 0));
    if (found == count) {
        assert_false(opens("gpu", 0, NULL));
        assert_false(opens("accelerator", 0, NULL));
        const char *const any[] = {"auto", "", NULL};
        for (int i = 0; i < 3; i++)
            assert_true(opens(any[i], 0, &all[given[0]]));
    }
    assert_true(auto_count > 0);
    assert_true(opens("auto", 0, &all[given[0]]));
}

/* LAIP_DEVICE is what auto stands for, and nothing else. */
static void named_by_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("LAIP_DEVICE", "Voodoo 2", 1), 0);
    assert_false(opens("auto", 0, NULL));
    assert_false(opens("", 0, NULL));
    assert_false(opens(NULL, 0, NULL));
    assert_true(opens("0", 0, &all[0]));
    assert_int_equal(setenv("LAIP_DEVICE", "0", 1), 0);
    for (int rank = 0; rank < 3; rank++) /* named, it is shared */
        assert_true(opens("auto", rank, &all[0]));
    assert_int_equal(unsetenv("LAIP_DEVICE"), 0);
}

static laip_candidate made_up(size_t platform, cl_device_type type, const char *name, const char *version,
                              const char *pci)
{
    /* platforms are told apart and nothing else */
    laip_candidate c = {.platform = (cl_platform_id)(void *)&all[platform], .type = type};
    snprintf(c.traits.name, sizeof c.traits.name, "%s", name);
    snprintf(c.traits.version, sizeof c.traits.version, "%s", version);
    snprintf(c.traits.pci, sizeof c.traits.pci, "%s", pci);
    c.traits.cpu = type == CL_DEVICE_TYPE_CPU;
    return c;
}

/* A node with three cards, two of them listed by two platforms, a card of unknown place, and a processor. */
static void cards(void **state)
{
    (void)state;
    const cl_device_type gpu = CL_DEVICE_TYPE_GPU;
    const laip_candidate node[] = {
        made_up(0, CL_DEVICE_TYPE_CPU, "Many Cores", "OpenCL 3.0 here", ""),
        made_up(1, gpu, "Nowhere", "OpenCL 3.0 there", ""),
        made_up(2, gpu, "Old Red", "OpenCL 1.1 old", "0000:41:00.0"),
        made_up(2, gpu, "Red", "OpenCL 3.0 new", "0000:c1:00.0"),
        made_up(3, gpu, "Red Again", "OpenCL 3.0 new", "0000:c1:00.0"),
        made_up(3, gpu, "New Red", "OpenCL 2.0 new", "0000:41:00.0"),
        made_up(4, gpu, "Green", "OpenCL 3.0 green", "0000:01:00.0"),
        made_up(4, gpu, "Green Half", "OpenCL 3.0 green", "0000:01:00.0"), /* a part of it, on purpose */
    };
    static const struct {
        const char *choice;
        int expected[6]; /* by rank; -1: refused */
    } cases[] = {
        {"auto", {1, 6, 7, 5, 3, -1}},
        {"gpu", {1, 6, 7, 5, 3, -1}},
        {"cpu", {0, 0, 0, 0, 0, 0}},
        {"red", {5, 3, 5, 3, 5, 3}},
        {"2", {2, 2, 2, 2, 2, 2}},
        {"4", {4, 4, 4, 4, 4, 4}},
        {"red again", {4, 4, 4, 4, 4, 4}},
        {"8", {-1, -1, -1, -1, -1, -1}},
        {"accelerator", {-1, -1, -1, -1, -1, -1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int rank = 0; rank < 6; rank++) {
            laip_error error = {0};
            const laip_candidate *c =
                laip_candidate_choose(node, sizeof node / sizeof *node, cases[i].choice, rank, &error);
            int found = c ? (int)(c - node) : -1;
            if (found != cases[i].expected[rank])
                fail_msg("%s, rank %d: %d, expected %d", cases[i].choice, rank, found,
                         cases[i].expected[rank]);
            assert_int_equal(error.status, c ? LAIP_OK : LAIP_BAD_INPUT);
        }
}

/* One processor by three platforms: once, by the one with vectors and of the newest OpenCL; the others when
 * they are named, which is how a job mixes them. */
static void processors(void **state)
{
    (void)state;
    laip_candidate node[] = {
        made_up(0, CL_DEVICE_TYPE_CPU, "Many Cores (lanes)", "OpenCL 3.1 one", ""),
        made_up(1, CL_DEVICE_TYPE_CPU, "Many Cores", "OpenCL 3.0 two", ""),
        made_up(1, CL_DEVICE_TYPE_CPU, "Many Cores, some", "OpenCL 3.0 two", ""),
        made_up(2, CL_DEVICE_TYPE_CPU, "Many Cores, old", "OpenCL 1.2 three", ""),
    };
    static const struct {
        const char *choice;
        int expected[3];
    } cases[] = {
        {"auto", {1, 2, 1}}, {"cpu", {1, 2, 1}},   {"many", {1, 2, 1}},
        {"0", {0, 0, 0}},    {"lanes", {0, 0, 0}}, {"old", {3, 3, 3}},
    };
    node[0].traits.native_vector = 1;
    for (int i = 1; i < 4; i++)
        node[i].traits.native_vector = 16;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int rank = 0; rank < 3; rank++) {
            laip_error error = {0};
            const laip_candidate *c = laip_candidate_choose(node, 4, cases[i].choice, rank, &error);
            assert_non_null(c);
            if (c - node != cases[i].expected[rank])
                fail_msg("%s, rank %d: %d, expected %d", cases[i].choice, rank, (int)(c - node),
                         cases[i].expected[rank]);
        }
    assert_true(laip_traits_same_device(&node[0].traits, &node[3].traits));
    node[3].traits.cpu = false;
    assert_false(laip_traits_same_device(&node[0].traits, &node[3].traits));
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
        int vector = all[i].vector;
        assert_true(vector == 4 || (all[i].lanes == 1 && (vector == 8 || vector == 16)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),        cmocka_unit_test(kinds),
        cmocka_unit_test(cards),          cmocka_unit_test(named_by_environment),
        cmocka_unit_test(parts_of_names), cmocka_unit_test(traits),
        cmocka_unit_test(processors)};
    return cmocka_run_group_tests(tests, list, NULL);
}
