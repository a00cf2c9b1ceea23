#include "support/ranks.h"

#include <stdio.h>

laip_ranks laip_test_ranks;

int laip_test_run_ranks(int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
    laip_error error;
    if (!laip_ranks_begin(&laip_test_ranks, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct CMUnitTest one[] = {tests[i]};
        if (cmocka_run_group_tests_name(tests[i].name, one, NULL, NULL)) {
            laip_failure(&error, "%s failed", tests[i].name);
            laip_ranks_abort(&laip_test_ranks, "test", &error);
        }
    }
    laip_ranks_end(&laip_test_ranks);
    return 0;
}
