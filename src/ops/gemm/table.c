/* The implementations of the matrix product, in one table: another one is another row.  A row says what it
 * serves and how it runs; who serves a class of shapes is measured among those that compete. */
#include "ops/gemm/internal.h"

#include <string.h>

#define TILE(vector, rows, columns)                                                                          \
    {                                                                                                        \
        "packed-" #vector "-" #rows "x" #columns, "packed", laip_packed_serves, laip_tile_best,              \
            laip_tile_competes, laip_packed_run, {vector, rows, columns}, false                              \
    }

/* Tiles by the registers that they want: sums, the vectors of a step of B, one for A. */
const laip_gemm_implementation laip_gemm_table[] = {
    TILE(16, 12, 32), /* 32 registers of 16 floats: 24 + 2 + 1 */
    TILE(16, 14, 32), /* 28 + 2 + 1 */
    TILE(8, 6, 16),   /* 16 registers of 8: 12 + 2 + 1 */
    TILE(8, 4, 24),   /* 12 + 3 + 1 */
    TILE(8, 12, 16),  /* 32 registers of 8: 24 + 2 + 1 */
    TILE(4, 8, 8),    /* 32 registers of 4: 16 + 2 + 2 */
    TILE(4, 12, 8),   /* 24 + 2 + 3 */
    TILE(4, 4, 16),   /* 16 + 4 + 1 */
    TILE(4, 6, 8),    /* 16 registers of 4: 12 + 2 + 1 */
    {"unit", NULL, laip_unit_serves, NULL, laip_unit_competes, laip_unit_run, {0, 0, 0}, true},
    {"plain", NULL, laip_unit_serves, NULL, laip_unit_competes, laip_plain_run, {0, 0, 0}, true},
    {"clblast", NULL, laip_clblast_serves, NULL, laip_clblast_competes, laip_clblast_run, {0, 0, 0}, false},
    {"reference", NULL, laip_reference_serves, NULL, NULL, laip_reference_run, {0, 0, 0}, false},
    {NULL, NULL, NULL, NULL, NULL, NULL, {0, 0, 0}, false}};

bool laip_gemm_named(const laip_gemm_implementation *row, const char *name)
{
    return strcmp(row->name, name) == 0 || (row->family && strcmp(row->family, name) == 0);
}

const laip_gemm_implementation *laip_gemm_find(const char *name)
{
    for (const laip_gemm_implementation *row = laip_gemm_table; row->name; row++)
        if (laip_gemm_named(row, name))
            return row;
    return NULL;
}

const laip_gemm_implementation *laip_gemm_reference(void)
{
    return laip_gemm_find("reference");
}

bool laip_gemm_known(const char *name)
{
    return strcmp(name, "auto") == 0 || laip_gemm_find(name);
}
