#include "net/param.h"

#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static laip_param *append(laip_table *t, laip_init init)
{
    void *array = t->params;
    laip_grow(&array, &t->capacity, t->count + 1, sizeof *t->params);
    t->params = array;
    laip_param *p = laip_alloc(1, sizeof *p);
    p->init = init;
    p->averaged = t->averaged;
    t->params[t->count++] = p;
    return p;
}

laip_param *laip_declare(laip_table *t, laip_init init, int rank, const size_t *shape, const char *format,
                         ...)
{
    char name[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    laip_param *p = append(t, init);
    size_t total = 1, cols = rank ? shape[rank - 1] : 1;
    p->parts = 1;
    p->part[0].name = laip_strdup(name);
    p->part[0].rank = rank;
    for (int i = 0; i < rank; i++) {
        p->part[0].shape[i] = shape[i];
        total *= shape[i];
    }
    if (init == LAIP_INIT_MATRIX && rank > 2) /* a convolution is the product [out, in·height·width] */
        cols = total / shape[0];
    p->value.cols = p->gradient.cols = cols;
    p->value.rows = p->gradient.rows = p->part[0].rows = cols ? total / cols : 0;
    p->value.store = init == LAIP_INIT_MATRIX ? t->store : LAIP_STORE_FLOAT;
    p->decay =
        init == LAIP_INIT_MATRIX || ((init == LAIP_INIT_TABLE || init == LAIP_INIT_POSITIONS) && rank == 2);
    return p;
}

laip_param *laip_declare_fused(laip_table *t, laip_init init, size_t rows, size_t cols, const char *prefix,
                               const char *const *names, int count, const char *suffix)
{
    laip_param *p = append(t, init);
    p->parts = count;
    for (int i = 0; i < count; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s.%s.%s", prefix, names[i], suffix);
        p->part[i].name = laip_strdup(name);
        p->part[i].rank = cols ? 2 : 1;
        p->part[i].shape[0] = rows;
        p->part[i].shape[1] = cols;
        /* a vector is one row on the device, its parts then bands of columns: bands are counted in rows of
         * width `cols`, or of width 1 */
        p->part[i].row = (size_t)i * rows;
        p->part[i].rows = rows;
    }
    p->value.rows = p->gradient.rows = cols ? (size_t)count * rows : 1;
    p->value.cols = p->gradient.cols = cols ? cols : (size_t)count * rows;
    p->value.store = init == LAIP_INIT_MATRIX ? t->store : LAIP_STORE_FLOAT;
    p->decay = init == LAIP_INIT_MATRIX;
    return p;
}

void laip_table_free(laip_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        for (int k = 0; k < t->params[i]->parts; k++)
            free(t->params[i]->part[k].name);
        free(t->params[i]);
    }
    free(t->params);
    *t = (laip_table){0};
}
