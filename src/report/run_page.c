#include "report/run_page.h"

#include "base/file.h"
#include "net/config.h"
#include "report/chart.h"
#include "report/history.h"
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REFRESH = 30, PHASES = 32 }; /* seconds; phases that are marked */

/* What is drawn: a chart's title, and the paths of its series with their names. */
typedef struct panel {
    const char *title;
    bool timing;        /* of timing.jsonl */
    const char *having; /* lines that have this; NULL: the series' own path */
    const char *over;   /* the path of what the values are divided by; NULL: nothing */
    double high;        /* of the axis, from 0; 0: as the values are */
    struct {
        const char *name, *path;
    } series[LAIP_CHART_SERIES];
} panel;

static const panel panels[] = {
    {.title = "R@1 on the validation split, %",
     .having = "val",
     .high = 100,
     .series = {{"by features", "val.retrieval.0"},
                {"by matching", "val.rerank.0"},
                {"by both", "val.fused.0"}}},
    {.title = "Loss, all terms by their weights", .series = {{"total", "total"}}},
    {.title = "Learning rate", .series = {{"lr", "lr"}}},
    {.title = "Temperature", .series = {{"temperature", "temperature"}}},
    {.title = "Norm of the gradient", .series = {{"grad_norm", "grad_norm"}}},
    {.title = "Loss scale", .series = {{"loss_scale", "loss_scale"}}},
    {.title = "Seconds a step", .timing = true, .series = {{"seconds", "seconds"}}},
    {.title = "Communication, share of a step",
     .timing = true,
     .having = "communication",
     .over = "seconds",
     .series = {{"all", "communication"}, {"not behind work", "exposed"}}},
    {.title = "Waiting for data, share of a step",
     .timing = true,
     .over = "seconds",
     .series = {{"data", "data"}}},
    {.title = "Memory of the first rank, GiB",
     .timing = true,
     .series = {{"process", "resident_gib"}, {"buffers on the device", "buffers_gib"}}},
};

/* A series that is 0 throughout is of a loss that the run does not have. */
static bool is_worth_a_line(const laip_series *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->y[i] == s->y[i] && s->y[i] != 0)
            return true;
    return false;
}

static void divide(double *y, size_t count, const laip_history *history, const char *having, const char *path)
{
    double *x, *by;
    size_t n = laip_history_column(history, having, path, &x, &by);
    for (size_t i = 0; i < count && i < n; i++)
        y[i] = by[i] > 0 ? y[i] / by[i] : NAN;
    free(x);
    free(by);
}

/* What a run has logged, and where its phases begin. */
typedef struct run_logs {
    laip_history metrics, timing;
    laip_chart_mark phases[PHASES];
    size_t phase_count;
} run_logs;

static void read_logs(run_logs *l, const char *folder)
{
    char *metrics = laip_path_join(folder, "metrics.jsonl"), *timing = laip_path_join(folder, "timing.jsonl");
    double x[PHASES];
    const char *names[PHASES];
    laip_history_read(&l->metrics, metrics);
    laip_history_read(&l->timing, timing);
    l->phase_count = laip_history_changes(&l->metrics, "phase", x, names, PHASES);
    for (size_t i = 0; i < l->phase_count; i++)
        l->phases[i] = (laip_chart_mark){x[i], names[i]};
    free(metrics);
    free(timing);
}

static void add_panel(laip_str *page, const panel *p, const run_logs *l)
{
    laip_series series[LAIP_CHART_SERIES];
    double *columns[2 * LAIP_CHART_SERIES];
    size_t count = 0, used = 0;
    for (size_t i = 0; i < LAIP_CHART_SERIES && p->series[i].path; i++) {
        double *x, *y;
        const laip_history *history = p->timing ? &l->timing : &l->metrics;
        const char *having = p->having ? p->having : p->series[i].path;
        size_t n = laip_history_column(history, having, p->series[i].path, &x, &y);
        if (p->over)
            divide(y, n, history, having, p->over);
        columns[used++] = x;
        columns[used++] = y;
        laip_series s = {p->series[i].name, x, y, n};
        if (is_worth_a_line(&s))
            series[count++] = s;
    }
    laip_chart_axes axes = {"step", 0, p->high, l->phases, l->phase_count};
    laip_chart(page, p->title, &axes, series, count);
    for (size_t i = 0; i < used; i++)
        free(columns[i]);
}

/* The mean of the last of the numbers under a path; NaN: there are none. */
static double recent_mean(const laip_history *h, const char *path, size_t most)
{
    double *x, *y, sum = 0;
    size_t n = laip_history_column(h, NULL, path, &x, &y), of = n < most ? n : most;
    for (size_t i = n - of; i < n; i++)
        sum += y[i];
    free(x);
    free(y);
    return of ? sum / (double)of : NAN;
}

static double largest(const laip_history *h, const char *path)
{
    double *x, *y, most = NAN;
    size_t n = laip_history_column(h, NULL, path, &x, &y);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, y[i]);
    free(x);
    free(y);
    return most;
}

static void add_fact(laip_str *page, const char *what, double value, const char *format)
{
    if (!isfinite(value))
        return;
    char text[64];
    snprintf(text, sizeof text, format, value);
    laip_str_addf(page, "<div><b>%s</b><span>%s</span></div>", text, what);
}

static void add_state(laip_str *page, const laip_run_page *p, const run_logs *l)
{
    double seconds = recent_mean(&l->timing, "seconds", 50);
    laip_str_addf(page, "<p>Step %llu of %llu", (unsigned long long)p->step, (unsigned long long)p->total);
    if (p->phase) {
        laip_str_adds(page, ", phase ");
        laip_page_text(page, p->phase);
    }
    if (p->running && isfinite(seconds)) {
        long left = (long)(seconds * (double)(p->total - p->step));
        laip_str_addf(page, "; %ld:%02ld:%02ld left without validation", left / 3600, left / 60 % 60,
                      left % 60);
    }
    laip_str_adds(page,
                  p->running ? ". This page loads itself again while the run goes on.</p>\n" : ".</p>\n");
    laip_str_adds(page, "<div class=\"facts\">");
    add_fact(page, "loss, last 50 steps", recent_mean(&l->metrics, "total", 50), "%.3f");
    add_fact(page, "best R@1 by features, %", largest(&l->metrics, "val.retrieval.0"), "%.1f");
    add_fact(page, "best R@1 by both, %", largest(&l->metrics, "val.fused.0"), "%.1f");
    add_fact(page, "seconds a step", seconds, "%.3g");
    add_fact(page, "GFLOP/s, first rank", recent_mean(&l->timing, "gflop", 50) / seconds, "%.0f");
    add_fact(page, "GiB, most of the first rank", largest(&l->timing, "resident_gib"), "%.2f");
    laip_str_adds(page, "</div>\n");
}

/* The losses, whatever their table holds. */
static void add_losses(laip_str *page, const run_logs *l)
{
    panel p = {.title = "Losses", .having = "total"};
    _Static_assert((int)LAIP_LOSSES <= (int)LAIP_CHART_SERIES, "a chart holds all losses");
    for (int i = 0; i < LAIP_LOSSES; i++) {
        p.series[i].name = laip_loss_names[i];
        p.series[i].path = laip_loss_names[i];
    }
    add_panel(page, &p, l);
}

bool laip_run_page_write(const laip_run_page *p, laip_error *error)
{
    laip_str page = {0};
    run_logs logs;
    char *folder = laip_path_join(p->folder, "report"), *path = laip_path_join(folder, "index.html");
    read_logs(&logs, p->folder);
    laip_page_begin(&page, "LAIP training", p->running ? REFRESH : 0);
    add_state(&page, p, &logs);
    laip_str_adds(&page, "<div class=\"charts\">\n");
    for (size_t i = 0; i < sizeof panels / sizeof *panels; i++) {
        add_panel(&page, &panels[i], &logs);
        if (!i)
            add_losses(&page, &logs);
    }
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
    laip_history_free(&logs.metrics);
    laip_history_free(&logs.timing);
    free(page.text);
    free(folder);
    free(path);
    return good;
}
