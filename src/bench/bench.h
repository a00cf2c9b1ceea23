/* What the parts of laip-bench share: its subcommands, the timing of work on a device, and reports that are
 * printed as tables for people or as JSON for machines. */
#ifndef LAIP_BENCH_BENCH_H
#define LAIP_BENCH_BENCH_H

#include "device/buffer.h"
#include <argp.h>
#include <jansson.h>

int laip_bench_devices(int argc, char **argv);
int laip_bench_peak(int argc, char **argv);
int laip_bench_ops(int argc, char **argv);
int laip_bench_tune(int argc, char **argv);
int laip_bench_step(int argc, char **argv);
int laip_bench_eval(int argc, char **argv);
int laip_bench_compare(int argc, char **argv);

/* The flags that every measuring subcommand takes: --device and --json, through an argp child. */
typedef struct laip_bench_options {
    const char *device;
    bool json;             /* instead of the table */
    const char *json_path; /* beside the table; NULL: none */
} laip_bench_options;
extern const struct argp laip_bench_argp; /* its input is a laip_bench_options */

int laip_bench_fails(const char *program, const laip_error *error); /* prints the line; returns the status */

typedef struct laip_bench_limits {
    double gflops, gbytes, launch_us,
        wait_us; /* a second; microseconds a launch, in a queue and waited for */
    int vector;  /* floats of the vectors that reached gflops */
} laip_bench_limits;
bool laip_bench_peak_measure(laip_device *device, double *gflops, int *vector, laip_error *error);
void laip_bench_add_peak(json_t *report, const laip_bench_limits *limits);
/* Measures the peak once more at the end of a report: if other work kept it low before, its line and all
 * shares of it are put right. */
bool laip_bench_peak_again(laip_device *device, laip_bench_limits *limits, json_t *report, laip_error *error);
bool laip_bench_limits_measure(laip_device *device, laip_bench_limits *limits, laip_error *error);

/* The rate of a copy that reads and writes `bytes` in all. */
bool laip_bench_copy(laip_device *device, double bytes, double budget, double *gbytes, laip_error *error);

/* The median time in seconds of one run of work, waited for, over at least five runs and about `budget`
 * seconds; the first run, which compiles, is not counted. */
bool laip_bench_time(laip_device *device, void (*work)(laip_device *, void *), void *context, double budget,
                     double *seconds, laip_error *error);

/* The same, but the least time: of limits, which other work on the machine can only lower. */
bool laip_bench_fastest(laip_device *device, void (*work)(laip_device *, void *), void *context,
                        double budget, double *seconds, laip_error *error);

/* A report: {"program", "subcommand", "version", "build", "device", "platform", "driver", "units",
 * "native_vector", "settings", "results": [{"name", "value", "unit", "share"}]} with share absent where there
 * is no limit to compare with.  Larger is better for units that end in "/s".  Lines of a breakdown also have
 * "launches", "gflops" or "gbytes" a second, and "of_peak", the share of the peak that the first reaches;
 * what moves bytes alone has "of_copy" in `ops`, its rate as a multiple of a copy's; and there is a list
 * "lines" of {"round", "part", "kernel", "launches", "ms", "gflop", "gbyte"}, each of one kernel in one part
 * of a round. */
json_t *laip_bench_report(laip_device *device, const char *subcommand);
int laip_bench_name_width(const json_t *report); /* of the longest name, for a column */
void laip_bench_add(json_t *report, const char *name, double value, const char *unit, double limit);
/* Prints and writes it as the options say, and releases it; returns the exit status. */
int laip_bench_finish(const char *program, json_t *report, const laip_bench_options *o);

/* Groups of `laip-bench ops`: each adds its results. */
typedef struct laip_bench_run {
    laip_device *device;
    const laip_bench_limits *limits;
    json_t *report;
    double budget; /* seconds a measurement */
} laip_bench_run;
bool laip_bench_gemm(const laip_bench_run *run, laip_error *error);
bool laip_bench_attention(const laip_bench_run *run, laip_error *error);
bool laip_bench_rows(const laip_bench_run *run, laip_error *error);
/* Times work and adds its rate: GFLOP/s where the profiler counts operations, as a share of the peak; else
 * GB/s, and as a multiple of what a copy that moves as many bytes reaches. */
bool laip_bench_op(const laip_bench_run *run, const char *name, void (*work)(laip_device *, void *),
                   void *context, laip_error *error);
void laip_bench_fill(laip_device *device, laip_mat m); /* with numbers between -0.5 and 0.5 */

#endif
