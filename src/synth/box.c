/* Boxes around what a drawn person wears and carries, from the same measures as the drawing. */
#include "synth/figure.h"

#include <math.h>

typedef struct extent {
    double left, top, right, bottom; /* in body heights */
} extent;

static extent enlarged(const laip_person *p, double x, double y, extent e)
{
    double k = p->enlarged ? LAIP_ENLARGED : 1;
    return (extent){x + k * (e.left - x), y + k * (e.top - y), x + k * (e.right - x), y + k * (e.bottom - y)};
}

static extent upper_extent(const laip_person *p, double half)
{
    double bottom = p->lower == LAIP_DRESS || p->upper == LAIP_COAT ? 0.70 : 0.52;
    return (extent){-half - 0.04, 0.142, half + 0.04, bottom};
}

static extent lower_extent(const laip_person *p, double half)
{
    bool covers = p->lower == LAIP_JEANS || p->lower == LAIP_TROUSERS || p->lower == LAIP_LEGGINGS;
    double top = p->lower == LAIP_DRESS ? 0.142 : p->upper == LAIP_COAT ? 0.70 : 0.49;
    return (extent){-half - 0.03, top, half + 0.03, covers ? 0.935 : 0.70};
}

static extent hat_extent(const laip_person *p, const laip_figure *f)
{
    bool peak = p->hat == LAIP_CAP && !f->back;
    double half = p->hat == LAIP_BRIMMED_HAT ? 0.095 : 0.058;
    return enlarged(p, 0, LAIP_HAT_EDGE, (extent){-half, -0.006, peak && f->profile ? 0.10 : half, 0.066});
}

static extent bag_extent(const laip_person *p, const laip_figure *f, double half)
{
    switch (p->bag) {
    case LAIP_BACKPACK:
        return f->profile ? (extent){-half - 0.095, 0.16, -half + 0.035, 0.38}
                          : (extent){-half, 0.15, half, 0.39};
    case LAIP_HANDBAG:
        return enlarged(p, half, 0.49, (extent){half + 0.005, 0.46, half + 0.105, 0.575});
    case LAIP_SHOULDER_BAG:
        return enlarged(p, half, 0.49, (extent){half * 0.7, 0.42, half * 0.7 + 0.11, 0.52});
    default:
        return enlarged(p, half, 0.92, (extent){half + 0.02, 0.48, half + 0.16, 0.92});
    }
}

static double share(double pixels, int side)
{
    double s = pixels / side;
    return s < 0 ? 0 : s > 1 ? 1 : s;
}

void laip_person_boxes(const laip_person *p, const laip_view *v, double box[4][4])
{
    laip_figure f = laip_figure_of(p, v);
    double half = f.wide * (f.profile ? 0.66 : 1);
    const extent extents[4] = {upper_extent(p, half), lower_extent(p, half), hat_extent(p, &f),
                               bag_extent(p, &f, half)};
    const bool there[4] = {p->lower != LAIP_DRESS, true, p->hat != LAIP_NO_HAT, p->bag != LAIP_NO_BAG};
    for (int i = 0; i < 4; i++) {
        double x0 = extents[i].left, y0 = extents[i].top, x1 = extents[i].right, y1 = extents[i].bottom;
        cairo_matrix_transform_point(&f.place, &x0, &y0);
        cairo_matrix_transform_point(&f.place, &x1, &y1);
        const double sides[4] = {share(fmin(x0, x1), v->width), share(y0, v->height),
                                 share(fmax(x0, x1), v->width), share(y1, v->height)};
        for (int k = 0; k < 4; k++)
            box[i][k] = there[i] ? sides[k] : 0;
    }
}
