/* What every test includes: cmocka with the headers it wants, and small helpers. */
#ifndef LAIP_TESTS_SUPPORT_TEST_H
#define LAIP_TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

/* Fails the test with the error's line when good is false. */
#define assert_ok(good, error)                                                                               \
    do {                                                                                                     \
        if (!(good))                                                                                         \
            fail_msg("%s", (error).text);                                                                    \
    } while (0)

/* |a - b| <= tolerance * max(1, |b|), and both finite. */
#define assert_near(a, b, tolerance) laip_assert_near((a), (b), (tolerance), #a, __FILE__, __LINE__)
void laip_assert_near(double a, double b, double tolerance, const char *what, const char *file, int line);

const char *laip_test_shared(void); /* the folder ../shared, or NULL */
const char *laip_test_source(void); /* the checkout */
/* A fresh empty folder, removed when the program ends; free() releases the name. */
char *laip_test_folder(const char *name);

#endif
