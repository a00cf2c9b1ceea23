/* The value of a loss from those of its rows: ops/loss_sum.h. */
#include "common.h"

ROW_KERNEL void loss_sum(__global const float *restrict x, __global const float *restrict weight,
                         __global float *restrict report, int loss, int first, int count, int weighted,
                         float factor, float offset)
{
    ROW_SCRATCH(scratch);
    float sum = 0.0f;
    for (int i = first + row_lane(); i < first + count; i += LANES)
        sum += weighted ? weight[i] * x[i] : x[i];
    sum = row_sum(sum, scratch);
    if (row_lane() == 0)
        report[LAIP_REPORT_LOSSES + loss] += fma(factor, sum, offset);
}
