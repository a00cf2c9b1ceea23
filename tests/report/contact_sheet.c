/* The curve of a run is read from its metrics: evaluations only, in their order, all three rankings. */
#include "support/test.h"

#include "base/file.h"
#include "report/contact_sheet.h"
#include <stdlib.h>

static void curve(void **state)
{
    (void)state;
    static const char text[] =
        "{\"step\":1,\"phase\":0,\"itc\":3.5}\n"
        "{\"step\":500,\"val\":{\"retrieval\":[10,20,30,40],\"rerank\":[11,21,31,41],\"fused\":[12,22,32,42]}"
        "}\n"
        "{\"step\":501,\"phase\":1,\"itc\":2.5}\n"
        "{\"step\":1000,\"val\":{\"retrieval\":[50,1,2,3],\"rerank\":[60.5,1,2,3],\"fused\":[70.25,1,2,3]}}\n"
        "{\"step\":1500,\"val\":{\"retrieval\":[50,1,2";
    laip_error error;
    char *folder = laip_test_folder("sheet"), *path = laip_path_join(folder, "metrics.jsonl");
    assert_ok(laip_file_write(path, text, sizeof text - 1, &error), error);
    laip_curve c = laip_curve_read(path);
    assert_int_equal(c.count, 2);
    static const double want[2][4] = {{500, 10, 11, 12}, {1000, 50, 60.5, 70.25}};
    for (int i = 0; i < 2; i++) {
        assert_true(c.step[i] == want[i][0] && c.retrieval[i] == want[i][1]);
        assert_true(c.rerank[i] == want[i][2] && c.fused[i] == want[i][3]);
    }
    laip_curve_free(&c);
    c = laip_curve_read("no such file");
    assert_int_equal(c.count, 0);
    laip_curve_free(&c);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(curve)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
