/* Tests that are run by several ranks at once: every rank runs all of them, in the same order. */
#ifndef LAIP_TESTS_SUPPORT_RANKS_H
#define LAIP_TESTS_SUPPORT_RANKS_H

#include "dist/ranks.h"
#include "support/test.h"

extern laip_ranks laip_test_ranks; /* of this job, while laip_test_run_ranks runs */

/* Runs the tests; a rank that fails ends the whole job, so that the others do not wait for it.  Returns the
 * exit status. */
int laip_test_run_ranks(int argc, char **argv, const struct CMUnitTest *tests, size_t count);

#endif
