#include "report/compare_page.h"

#include "base/file.h"
#include "report/page.h"

#include <math.h>
#include <stdlib.h>

const char *const laip_paired_verdict_names[] = {"open", "better", "worse", "no effect"};

/* Of the drawing of intervals, in its own units. */
enum { WIDE = 640, NAMES = 250, RIGHT = 20, LINE = 24, TOP = 10, BOTTOM = 30 };

static void cell(laip_str *page, const char *text)
{
    laip_str_adds(page, "<td>");
    laip_page_text(page, text);
    laip_str_adds(page, "</td>");
}

static void add_rows(laip_str *page, const laip_compare_page *c)
{
    laip_str_adds(page, "<h2>Rows</h2><p class=\"soft\">Mean over the runs, in per cent, ± their standard "
                        "deviation.</p><table><tr><th>row</th><th>runs</th>");
    for (size_t m = 0; m < c->metrics; m++) {
        laip_str_adds(page, "<th>");
        laip_page_text(page, c->metric_names[m]);
        laip_str_adds(page, "</th>");
    }
    laip_str_adds(page, "</tr>\n");
    for (size_t r = 0; r < c->rows; r++) {
        laip_str_adds(page, "<tr>");
        cell(page, c->row_names[r]);
        laip_str_addf(page, "<td>%zu</td>", c->runs[r]);
        for (size_t m = 0; m < c->metrics; m++)
            laip_str_addf(page, "<td>%.1f ± %.1f</td>", c->mean[r * c->metrics + m],
                          c->spread[r * c->metrics + m]);
        laip_str_adds(page, "</tr>\n");
    }
    laip_str_adds(page, "</table>\n");
}

static double across(const laip_compare_page *c, double value)
{
    double most = c->margin * 1.5;
    for (size_t i = 0; i < c->differences; i++)
        most = fmax(most, fmax(fabs(c->compared[i].d.low), fabs(c->compared[i].d.high)));
    return NAMES + (WIDE - NAMES - RIGHT) * (0.5 + 0.48 * value / most);
}

/* A line a difference, its interval and its mean; the band is what no effect has to lie in. */
static void draw_intervals(laip_str *page, const laip_compare_page *c)
{
    int tall = TOP + BOTTOM + LINE * (int)c->differences;
    laip_str_addf(page,
                  "<figure><svg viewBox=\"0 0 %d %d\"><rect x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%d\" "
                  "fill=\"var(--line)\" opacity=\".6\"/><path class=\"grid\" d=\"M%.1f 0V%d\"/>",
                  WIDE, tall, across(c, -c->margin), across(c, c->margin) - across(c, -c->margin),
                  tall - BOTTOM, across(c, 0), tall - BOTTOM);
    for (size_t i = 0; i < c->differences; i++) {
        const laip_compared *x = &c->compared[i];
        int y = TOP + LINE * (int)i + LINE / 2, colour = x->verdict == LAIP_PAIRED_BETTER  ? 2
                                                         : x->verdict == LAIP_PAIRED_WORSE ? 1
                                                                                           : 6;
        laip_str_addf(page, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", NAMES - 10, y + 4);
        laip_page_text(page, x->a);
        laip_str_adds(page, " − ");
        laip_page_text(page, x->b);
        laip_str_addf(page,
                      "</text><path class=\"series\" style=\"stroke:var(--s%d)\" d=\"M%.1f %dH%.1f\"/>"
                      "<circle cx=\"%.1f\" cy=\"%d\" r=\"3.5\" fill=\"var(--s%d)\"/>",
                      colour, across(c, x->d.low), y, across(c, x->d.high), across(c, x->d.mean), y, colour);
    }
    const double marks[] = {-c->margin, 0, c->margin};
    for (size_t i = 0; i < 3; i++)
        laip_str_addf(page, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%+.3g</text>",
                      across(c, marks[i]), tall - 10, marks[i]);
    laip_str_adds(page, "</svg></figure>\n");
}

static void add_differences(laip_str *page, const laip_compare_page *c)
{
    laip_str_adds(page, "<h2>Differences of ");
    laip_page_text(page, c->metric);
    laip_str_addf(page,
                  "</h2><p class=\"soft\">Paired by seed and repetition; points of per cent, the interval "
                  "holds 95 %% of a bootstrap over seeds and the %zu units that captions belong to. p of a "
                  "claim is corrected by Holm; no effect needs the interval inside ± %.3g.</p>\n",
                  c->units, c->margin);
    draw_intervals(page, c);
    laip_str_adds(page, "<table><tr><th>difference</th><th>claim</th><th>seeds</th><th>runs</th><th>mean</th>"
                        "<th>interval</th><th>p</th><th></th></tr>\n");
    for (size_t i = 0; i < c->differences; i++) {
        const laip_compared *x = &c->compared[i];
        laip_str_adds(page, "<tr><td>");
        laip_page_text(page, x->a);
        laip_str_adds(page, " − ");
        laip_page_text(page, x->b);
        laip_str_adds(page, "</td>");
        cell(page, x->claim ? x->claim : "");
        if (x->d.runs)
            laip_str_addf(page, "<td>%zu</td><td>%zu</td><td>%+.2f</td><td>%+.2f to %+.2f</td><td>%.4f</td>",
                          x->d.seeds, x->d.runs, x->d.mean, x->d.low, x->d.high, x->p);
        else
            laip_str_adds(page, "<td>0</td><td>0</td><td></td><td></td><td></td>");
        cell(page, laip_paired_verdict_names[x->verdict]);
        laip_str_adds(page, "</tr>\n");
    }
    laip_str_adds(page, "</table>\n");
}

bool laip_compare_page_write(const laip_compare_page *c, const char *folder, laip_error *error)
{
    laip_str page = {0};
    laip_page_begin(&page, c->title, 0);
    add_rows(&page, c);
    if (c->differences)
        add_differences(&page, c);
    laip_page_end(&page);
    char *path = laip_path_join(folder, "index.html");
    bool good = laip_make_folders(folder, error) && laip_file_write(path, page.text, page.length, error);
    free(path);
    free(page.text);
    return good;
}
