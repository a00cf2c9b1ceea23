/* How laip-data check tells what it found. */
#ifndef LAIP_PROGRAMS_DATA_CHECK_REPORT_H
#define LAIP_PROGRAMS_DATA_CHECK_REPORT_H

#include "data/check.h"

typedef struct laip_check_report {
    const char *file;
    const laip_check *check;
    size_t list;       /* the most of each kind that the text names */
    size_t max_tokens; /* of a caption */
    bool words;        /* there was no vocabulary: captions were counted in words */
    bool skips;        /* data.bad_images: skip */
    double seconds;
} laip_check_report;

void laip_check_print(const laip_check_report *report);      /* text, on standard output */
void laip_check_print_json(const laip_check_report *report); /* everything, as one JSON object */

#endif
