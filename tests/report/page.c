/* Pages: text stays text, charts show what they are given, a run's page follows its logs, nothing is asked
 * for from elsewhere. */
#include "support/test.h"

#include "base/file.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/run_page.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void hostile_text_stays_text(void **state)
{
    (void)state;
    laip_str page = {0};
    laip_page_begin(&page, "<script>alert(1)</script> & \"quotes\" 'too'", 0);
    laip_page_end(&page);
    assert_null(strstr(page.text, "<script"));
    assert_non_null(
        strstr(page.text, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot; &#39;too&#39;"));
    assert_non_null(strstr(page.text, "default-src 'none'"));
    assert_null(strstr(page.text, "http-equiv=\"refresh\""));
    free(page.text);
}

static size_t occurrences(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

static void charts(void **state)
{
    (void)state;
    enum { N = 1000 };
    double x[N], y[N], gap[N];
    laip_str page = {0};
    for (int i = 0; i < N; i++) {
        x[i] = i + 1;
        y[i] = 10 - 0.009 * i;
        gap[i] = i >= 300 && i < 600 ? NAN : 4;
    }
    laip_chart(&page, "Losses", &(laip_chart_axes){.x = "step"},
               (laip_series[]){{"falling", x, y, N}, {"broken", x, gap, N}}, 2);
    assert_int_equal(occurrences(page.text, "class=\"series\""), 2);
    assert_non_null(strstr(page.text, "falling 1.009"));
    assert_non_null(strstr(page.text, "broken 4"));
    const char *second = strstr(strstr(page.text, "class=\"series\"") + 1, "class=\"series\"");
    second = strstr(second, " d=\"");
    char path[8192];
    sscanf(second, " d=\"%8191[^\"]", path);
    assert_int_equal(occurrences(path, "M"), 2); /* a gap begins a second line */
    assert_null(strstr(page.text, "nan"));
    page.length = 0;
    laip_chart(&page, "one point", &(laip_chart_axes){.x = "step"}, &(laip_series){"one", x, y, 1}, 1);
    laip_chart(&page, "nothing", &(laip_chart_axes){.x = "step"}, &(laip_series){"none", x, y, 0}, 1);
    assert_int_equal(page.length, 0);
    free(page.text);
}

/* The picture's bytes come back from the page: JPEG's marks at both ends of the base64. */
static void pictures(void **state)
{
    (void)state;
    uint8_t pixels[7 * 5 * 3];
    laip_str page = {0};
    laip_error error;
    memset(pixels, 90, sizeof pixels);
    assert_ok(laip_page_picture(&page, &(laip_image){.pixels = pixels, .width = 5, .height = 7}, 14, "right",
                                "a \"b\" <c>", &error),
              error);
    assert_non_null(
        strstr(page.text, "width=\"10\" height=\"14\" class=\"right\" alt=\"a &quot;b&quot; &lt;c&gt;\""));
    assert_non_null(strstr(page.text, "data:image/jpeg;base64,/9j/"));
    page.length = 0;
    laip_page_picture_file(&page, "no such <file>", 14, NULL, "");
    assert_non_null(strstr(page.text, "no such &lt;file&gt;"));
    assert_null(strstr(page.text, "<img"));
    free(page.text);
}

static void put(const char *folder, const char *name, const char *text)
{
    char *path = laip_path_join(folder, name);
    laip_error error;
    assert_ok(laip_file_write(path, text, strlen(text), &error), error);
    free(path);
}

static void run_page(void **state)
{
    (void)state;
    char *folder = laip_test_folder("run-page"), *path = laip_path_join(folder, "report/index.html"), *text;
    size_t size;
    laip_error error;
    put(folder, "metrics.jsonl",
        "{\"step\":1,\"phase\":\"a\",\"lr\":0.001,\"itc\":6.4,\"itm\":0,\"total\":6.4}\n"
        "{\"step\":2,\"phase\":\"a\",\"lr\":0.002,\"itc\":null,\"itm\":0,\"total\":null}\n"
        "{\"step\":2,\"val\":{\"retrieval\":[10.5,20,30,12],\"rerank\":[0,0,0,0],\"fused\":[0,0,0,0]}}\n"
        "{\"step\":3,\"phase\":\"b&c\",\"lr\":0.003,\"itc\":5.2,\"itm\":0,\"total\":5.2}\n"
        "{\"step\":3,\"val\":{\"retrieval\":[12.25,20,30,12],\"rerank\":[0,0,0,0],\"fused\":[0,0,0,0]}}\n"
        "half a li");
    put(folder, "timing.jsonl",
        "{\"step\":1,\"seconds\":0.5,\"communication\":0.1,\"exposed\":0,\"resident_gib\":1}\n"
        "{\"step\":2,\"seconds\":0.25,\"communication\":0.05,\"exposed\":0.02,\"resident_gib\":1.5}\n");
    laip_run_page p = {
        .folder = folder, .config = "seed: 1 # <b>", .phase = "a<i>", .step = 3, .total = 9, .running = true};
    assert_ok(laip_run_page_write(&p, &error), error);
    assert_ok(laip_file_read(path, &text, &size, &error), error);
    assert_non_null(strstr(text, "Step 3 of 9, phase a&lt;i&gt;"));
    assert_non_null(strstr(text, "http-equiv=\"refresh\""));
    assert_non_null(strstr(text, "by features 12.25"));
    assert_non_null(strstr(text, "<b>12.2</b><span>best R@1 by features"));
    assert_non_null(strstr(text, "<b>1.50</b><span>GiB, most of the first rank"));
    assert_non_null(strstr(text, "<title>b&amp;c</title>")); /* a phase that begins */
    assert_null(strstr(text, "by matching"));                /* 0 throughout: there was none */
    assert_non_null(strstr(text, "itc 5.2"));
    assert_null(strstr(text, "itm"));
    assert_non_null(strstr(text, "all 0.2<"));
    assert_non_null(strstr(text, "not behind work 0.08<")); /* shares of 0.25 s */
    assert_non_null(strstr(text, "process 1.5<"));
    assert_null(strstr(text, "buffers on the device")); /* nobody told */
    assert_non_null(strstr(text, "seed: 1 # &lt;b&gt;"));
    assert_null(strstr(text, "http://"));
    assert_null(strstr(text, "https://"));
    free(text);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hostile_text_stays_text), cmocka_unit_test(charts),
                                       cmocka_unit_test(pictures), cmocka_unit_test(run_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
