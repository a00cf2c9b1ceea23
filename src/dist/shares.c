#include "dist/shares.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* One after another each goes to whom it finishes with first: the best there is, as all are alike. */
static void give(const double *speed, size_t ranks, size_t count, double *share)
{
    for (size_t i = 0; ranks && i < count; i++) {
        size_t best = ranks;
        for (size_t k = 0; k < ranks; k++)
            if (speed[k] > 0 &&
                (best == ranks || (share[k] + 1) / speed[k] < (share[best] + 1) / speed[best]))
                best = k;
        share[best < ranks ? best : i % ranks]++;
    }
}

void laip_shares_divide(const double *speed, size_t ranks, size_t count, double *share)
{
    memset(share, 0, ranks * sizeof *share);
    give(speed, ranks, count, share);
}

double laip_shares_seconds(const double *speed, size_t ranks, const double *share)
{
    double most = 0;
    for (size_t k = 0; k < ranks; k++)
        if (speed[k] > 0 && share[k] / speed[k] > most)
            most = share[k] / speed[k];
    return most;
}

bool laip_shares_follow(const double *speed, size_t ranks, double *share)
{
    const double gain = 0.9; /* less is within what speeds vary by */
    double *other = laip_alloc(ranks, sizeof *other), count = 0, known = 0;
    for (size_t k = 0; k < ranks; k++) {
        count += speed[k] > 0 ? share[k] : 0;
        known += speed[k] > 0;
        other[k] = speed[k] > 0 ? 0 : share[k];
    }
    if (known > 0)
        give(speed, ranks, (size_t)count, other);
    bool better = known > 0 &&
                  laip_shares_seconds(speed, ranks, other) < gain * laip_shares_seconds(speed, ranks, share);
    if (better)
        memcpy(share, other, ranks * sizeof *share);
    free(other);
    return better;
}
