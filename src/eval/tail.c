/* The order in which RaSa's evaluation leaves a caption's pictures: all that were not matched have the score
 * −100, and PyTorch's argsort on the processor, which is no stable one, decides among them.  That is
 * std::sort of GCC's library: quicksort with the median of three as pivot down to runs of 16, then insertion
 * (Musser 1997), written here over. */
#include "eval/internal.h"

enum { RUN = 16 };

typedef laip_eval_scored scored;

static bool before(const scored *a, const scored *b)
{
    return a->score > b->score;
}

static void swap(scored *a, scored *b)
{
    scored t = *a;
    *a = *b;
    *b = t;
}

/* The median of a, b and c to `to`. */
static void median_to(scored *to, scored *a, scored *b, scored *c)
{
    if (before(a, b))
        swap(to, before(b, c) ? b : before(a, c) ? c : a);
    else
        swap(to, before(a, c) ? a : before(b, c) ? c : b);
}

/* What comes before the pivot, which is outside of [first, last), and what comes after; where the latter
 * begins. */
static scored *divide(scored *first, scored *last, const scored *pivot)
{
    for (;;) {
        while (before(first, pivot))
            first++;
        last--;
        while (before(pivot, last))
            last--;
        if (first >= last)
            return first;
        swap(first++, last);
    }
}

static void sort_to_runs(scored *first, scored *last)
{
    while (last - first > RUN) {
        median_to(first, first + 1, first + (last - first) / 2, last - 1);
        scored *cut = divide(first + 1, last, first);
        sort_to_runs(cut, last);
        last = cut;
    }
}

/* Moves *at down to its place among those from `first` on. */
static void insert(scored *first, scored *at)
{
    scored value = *at;
    for (; at > first && before(&value, at - 1); at--)
        *at = at[-1];
    *at = value;
}

void laip_eval_sort_as_torch(laip_eval_scored *all, size_t count)
{
    sort_to_runs(all, all + count);
    for (size_t i = 1; i < count; i++)
        insert(all, all + i);
}
