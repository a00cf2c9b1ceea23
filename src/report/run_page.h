/* The page of a training run, report/index.html in its folder, from what the run has logged. */
#ifndef LAIP_REPORT_RUN_PAGE_H
#define LAIP_REPORT_RUN_PAGE_H

#include "base/error.h"
#include <stdint.h>

typedef struct laip_run_page {
    const char *folder;  /* of the run; report/ in it is made */
    const char *config;  /* resolved YAML */
    const char *samples; /* HTML of report/samples.h, of the last validation; NULL: none yet */
    const char *phase;
    uint64_t step, total; /* of all phases */
    bool running;         /* the page loads itself again */
} laip_run_page;

bool laip_run_page_write(const laip_run_page *page, laip_error *error);

#endif
