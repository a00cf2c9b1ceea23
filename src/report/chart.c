#include "report/chart.h"

#include "report/page.h"

#include <math.h>
#include <stdio.h>

/* Of the drawing, in its own units. */
enum { WIDE = 480, TALL = 220, LEFT = 46, RIGHT = 10, TOP = 8, BOTTOM = 34, POINTS = 300 };

typedef struct range {
    double low, high;
} range;

static void widen(range *r, double value)
{
    if (!isfinite(value))
        return;
    r->low = fmin(r->low, value);
    r->high = fmax(r->high, value);
}

/* The step between ticks: 1, 2 or 5 times a power of ten, for about `ticks` of them. */
static double tick_step(range r, int ticks)
{
    double raw = (r.high - r.low) / ticks, power = pow(10, floor(log10(raw))), scaled = raw / power;
    return power * (scaled < 1.5 ? 1 : scaled < 3.5 ? 2 : scaled < 7.5 ? 5 : 10);
}

static double across(range x, double value)
{
    return LEFT + (WIDE - LEFT - RIGHT) * (value - x.low) / (x.high - x.low);
}

static double down(range y, double value)
{
    return TALL - BOTTOM - (TALL - TOP - BOTTOM) * (value - y.low) / (y.high - y.low);
}

static void tick_text(char *text, size_t size, double value)
{
    if (fabs(value) >= 1e6)
        snprintf(text, size, "%gM", value / 1e6);
    else if (fabs(value) >= 1e4)
        snprintf(text, size, "%gk", value / 1e3);
    else
        snprintf(text, size, "%.4g", fabs(value) < 1e-12 ? 0 : value);
}

/* The multiples of step in a range: the first one's number, and how many. */
static int ticks(range r, double step, double *first)
{
    *first = ceil(r.low / step);
    return (int)floor(r.high / step + 1e-6 - *first) + 1;
}

static void grid(laip_str *page, range x, range y, const char *x_name)
{
    char text[32];
    double step = tick_step(y, 5), first;
    int count = ticks(y, step, &first);
    for (int i = 0; i < count; i++) {
        double v = (first + i) * step;
        tick_text(text, sizeof text, v);
        laip_str_addf(
            page,
            "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
            LEFT, down(y, v), WIDE - RIGHT, LEFT - 6, down(y, v) + 4, text);
    }
    step = tick_step(x, 6);
    count = ticks(x, step, &first);
    for (int i = 0; i < count; i++) {
        double v = (first + i) * step;
        tick_text(text, sizeof text, v);
        laip_str_addf(page, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>", across(x, v),
                      TALL - 10, text);
    }
    laip_str_addf(page, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 6, TALL - 10);
    laip_page_text(page, x_name);
    laip_str_adds(page, "</text>");
}

static void marks(laip_str *page, const laip_chart_axes *axes, range x)
{
    for (size_t i = 0; i < axes->mark_count; i++) {
        const laip_chart_mark *m = &axes->marks[i];
        if (m->x <= x.low || m->x > x.high)
            continue;
        laip_str_addf(page, "<path class=\"mark\" d=\"M%.1f %dV%d\"><title>", across(x, m->x), TOP,
                      TALL - BOTTOM);
        laip_page_text(page, m->name);
        laip_str_addf(page, "</title></path><text x=\"%.1f\" y=\"%d\" text-anchor=\"end\">",
                      across(x, m->x) - 4, TOP + 9);
        laip_page_text(page, m->name);
        laip_str_adds(page, "</text>");
    }
}

/* Means of neighbours, at most POINTS of them; a gap where all of a mean's values are missing. */
static void curve(laip_str *page, const laip_series *s, size_t colour, range x, range y)
{
    size_t each = (s->count + POINTS - 1) / POINTS;
    bool drawn = false;
    laip_str_addf(page, "<path class=\"series\" style=\"stroke:var(--s%zu)\" d=\"",
                  colour % LAIP_CHART_SERIES);
    for (size_t i = 0; i < s->count; i += each) {
        double sum_x = 0, sum_y = 0;
        size_t n = 0;
        for (size_t k = i; k < i + each && k < s->count; k++)
            if (isfinite(s->y[k])) {
                sum_x += s->x[k];
                sum_y += s->y[k];
                n++;
            }
        if (n)
            laip_str_addf(page, "%c%.1f %.1f", drawn ? 'L' : 'M', across(x, sum_x / (double)n),
                          down(y, fmin(y.high, fmax(y.low, sum_y / (double)n))));
        drawn = n > 0;
    }
    laip_str_adds(page, "\"/>");
}

static void legend(laip_str *page, const laip_series *series, size_t count)
{
    laip_str_adds(page, "<div class=\"legend\">");
    for (size_t i = 0; i < count; i++) {
        double last = NAN;
        for (size_t k = 0; k < series[i].count; k++)
            last = isfinite(series[i].y[k]) ? series[i].y[k] : last;
        laip_str_addf(page, "<span><b style=\"background:var(--s%zu)\"></b>", i % LAIP_CHART_SERIES);
        laip_page_text(page, series[i].name);
        if (isfinite(last))
            laip_str_addf(page, " %.4g", last);
        laip_str_adds(page, "</span>");
    }
    laip_str_adds(page, "</div>");
}

/* Of all values; false where no series has two. */
static bool ranges(const laip_chart_axes *axes, const laip_series *series, size_t count, range *x, range *y)
{
    size_t most = 0;
    *x = *y = (range){INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        size_t n = 0;
        for (size_t k = 0; k < series[i].count; k++)
            if (isfinite(series[i].y[k])) {
                widen(x, series[i].x[k]);
                widen(y, series[i].y[k]);
                n++;
            }
        most = n > most ? n : most;
    }
    if (most < 2 || !(x->high > x->low))
        return false;
    if (axes->low != 0 || axes->high != 0)
        *y = (range){axes->low, axes->high};
    else if (y->low > 0 && y->low < 0.5 * y->high)
        y->low = 0;
    if (!(y->high > y->low))
        *y = (range){y->low - 0.5 * fabs(y->low) - 1e-6, y->high + 0.5 * fabs(y->high) + 1e-6};
    return true;
}

void laip_chart(laip_str *page, const char *title, const laip_chart_axes *axes, const laip_series *series,
                size_t count)
{
    range x, y;
    if (!ranges(axes, series, count, &x, &y))
        return;
    laip_str_adds(page, "<figure><figcaption>");
    laip_page_text(page, title);
    laip_str_addf(page, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDE, TALL);
    grid(page, x, y, axes->x);
    marks(page, axes, x);
    for (size_t i = 0; i < count; i++)
        curve(page, &series[i], i, x, y);
    laip_str_adds(page, "</svg>");
    legend(page, series, count);
    laip_str_adds(page, "</figure>\n");
}
