#include "report/run_page.h"

#include "base/file.h"
#include "net/config.h"
#include "report/chart.h"
#include "report/history.h"
#include "report/page.h"

#include <stdlib.h>
#include <string.h>

enum { REFRESH = 30 }; /* seconds */

/* What is drawn: a chart's title, and the paths of its series with their names. */
typedef struct panel {
    const char *title;
    bool timing; /* of timing.jsonl */
    const char *having;
    struct {
        const char *name, *path;
    } series[LAIP_CHART_SERIES];
    double low, high;
} panel;

static const panel panels[] = {
    {"R@1 on the validation split, %",
     false,
     "val",
     {{"by features", "val.retrieval.0"}, {"by matching", "val.rerank.0"}, {"by both", "val.fused.0"}},
     0,
     100},
    {"Loss, all terms by their weights", false, NULL, {{"total", "total"}}, 0, 0},
    {"Learning rate", false, NULL, {{"lr", "lr"}}, 0, 0},
    {"Temperature", false, NULL, {{"temperature", "temperature"}}, 0, 0},
    {"Norm of the gradient", false, NULL, {{"grad_norm", "grad_norm"}}, 0, 0},
    {"Loss scale", false, NULL, {{"loss_scale", "loss_scale"}}, 0, 0},
    {"Seconds a step", true, NULL, {{"seconds", "seconds"}}, 0, 0},
    {"Share of a step's time",
     true,
     "seconds",
     {{"communication", "communication"}, {"hidden", "hidden"}},
     0,
     0},
    {"Memory, GiB", true, NULL, {{"memory", "memory_gib"}}, 0, 0},
};

/* A series that is 0 throughout is of a loss that the run does not have. */
static bool is_worth_a_line(const laip_series *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->y[i] == s->y[i] && s->y[i] != 0)
            return true;
    return false;
}

static void add_panel(laip_str *page, const panel *p, const laip_history *metrics, const laip_history *timing)
{
    laip_series series[LAIP_CHART_SERIES];
    double *columns[2 * LAIP_CHART_SERIES];
    size_t count = 0, used = 0;
    for (size_t i = 0; i < LAIP_CHART_SERIES && p->series[i].path; i++) {
        double *x, *y;
        size_t n = laip_history_column(p->timing ? timing : metrics, p->having, p->series[i].path, &x, &y);
        columns[used++] = x;
        columns[used++] = y;
        laip_series s = {p->series[i].name, x, y, n};
        if (is_worth_a_line(&s))
            series[count++] = s;
    }
    laip_chart(page, p->title, &(laip_chart_axes){"step", p->low, p->high}, series, count);
    for (size_t i = 0; i < used; i++)
        free(columns[i]);
}

static void add_state(laip_str *page, const laip_run_page *p, const laip_history *timing)
{
    double *x, *seconds, recent = 0;
    size_t n = laip_history_column(timing, NULL, "seconds", &x, &seconds), of = n < 50 ? n : 50;
    for (size_t i = n - of; i < n; i++)
        recent += seconds[i] / (double)of;
    free(x);
    free(seconds);
    laip_str_addf(page, "<p>Step %llu of %llu", (unsigned long long)p->step, (unsigned long long)p->total);
    if (p->phase) {
        laip_str_adds(page, ", phase ");
        laip_page_text(page, p->phase);
    }
    if (p->running && of) {
        double left = recent * (double)(p->total - p->step);
        laip_str_addf(page, "; %.3g s a step, about %.0f min %02.0f s left without validation", recent,
                      (double)((long)left / 60), (double)((long)left % 60));
    }
    laip_str_adds(page,
                  p->running ? ". This page loads itself again while the run goes on.</p>\n" : ".</p>\n");
}

/* The losses, whatever their table holds. */
static void add_losses(laip_str *page, const laip_history *metrics)
{
    panel p = {.title = "Losses", .having = "total"};
    for (int i = 0; i < LAIP_LOSSES && i < LAIP_CHART_SERIES; i++) {
        p.series[i].name = laip_loss_names[i];
        p.series[i].path = laip_loss_names[i];
    }
    add_panel(page, &p, metrics, NULL);
}

bool laip_run_page_write(const laip_run_page *p, laip_error *error)
{
    laip_str page = {0};
    laip_history metrics, timing;
    char *metrics_path = laip_path_join(p->folder, "metrics.jsonl"),
         *timing_path = laip_path_join(p->folder, "timing.jsonl"),
         *folder = laip_path_join(p->folder, "report"), *path = laip_path_join(folder, "index.html");
    laip_history_read(&metrics, metrics_path);
    laip_history_read(&timing, timing_path);
    laip_page_begin(&page, "LAIP training", p->running ? REFRESH : 0);
    add_state(&page, p, &timing);
    laip_str_adds(&page, "<div class=\"charts\">\n");
    add_losses(&page, &metrics);
    for (size_t i = 0; i < sizeof panels / sizeof *panels; i++)
        add_panel(&page, &panels[i], &metrics, &timing);
    laip_str_adds(&page, "</div>\n");
    if (p->samples && *p->samples)
        laip_str_addf(
            &page, "<h2>Captions of the validation split</h2><p class=\"soft\">With the best pictures found "
                   "for them when it was last evaluated; those of the right person are framed.</p>\n");
    laip_str_adds(&page, p->samples ? p->samples : "");
    laip_str_adds(&page, "<h2>Configuration</h2><details><summary>config.yaml, resolved</summary><pre>");
    laip_page_text(&page, p->config ? p->config : "");
    laip_str_adds(&page, "</pre></details>\n");
    laip_page_end(&page);
    bool good = laip_make_folders(folder, error) && laip_file_write(path, page.text, page.length, error);
    laip_history_free(&metrics);
    laip_history_free(&timing);
    free(page.text);
    free(metrics_path);
    free(timing_path);
    free(folder);
    free(path);
    return good;
}
