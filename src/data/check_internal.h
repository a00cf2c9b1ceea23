/* Between the files of the dataset check. */
#ifndef LAIP_DATA_CHECK_INTERNAL_H
#define LAIP_DATA_CHECK_INTERNAL_H

#include "data/check.h"

void laip_check_add(laip_check_list *list, size_t item);
laip_spread laip_check_spread(double *values, size_t n); /* sorts them */
void laip_check_texts(laip_check *check, const laip_check_options *options);

#endif
