/* Line charts as SVG within a page. */
#ifndef LAIP_REPORT_CHART_H
#define LAIP_REPORT_CHART_H

#include "base/str.h"
#include <stddef.h>

typedef struct laip_series {
    const char *name;
    const double *x, *y; /* y: NaN leaves a gap */
    size_t count;
} laip_series;

/* Where along x something begins, and what. */
typedef struct laip_chart_mark {
    double x;
    const char *name;
} laip_chart_mark;

typedef struct laip_chart_axes {
    const char *x;    /* what is along x: "step" */
    double low, high; /* of y; both 0: as the values are, from 0 where they are not far from it */
    const laip_chart_mark *marks;
    size_t mark_count;
} laip_chart_axes;

enum { LAIP_CHART_SERIES = 7 }; /* that have colours of their own */

/* A figure with its title, the curves, and a legend where there are several.  Long series are drawn as the
 * means of neighbours, a few hundred points each.  Nothing is drawn where no series has two values. */
void laip_chart(laip_str *page, const char *title, const laip_chart_axes *axes, const laip_series *series,
                size_t count);

#endif
