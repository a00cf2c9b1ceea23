/* laip-bench: what a device can do, and what the operations reach on it. */
#include "bench/bench.h"
#include "programs/common_subcommands.h"

#include <stddef.h>

static const laip_subcommand subcommands[] = {
    {"devices", laip_bench_devices, "the OpenCL devices of this machine and what is used of them"},
    {"peak", laip_bench_peak, "a device's measured limits: multiply-adds, bandwidth, launch cost"},
    {"ops", laip_bench_ops, "the operations at the model's shapes, as shares of those limits"},
    {"step", laip_bench_step, "one training step of any configuration, and what its time is spent on"},
    {"eval", laip_bench_eval, "encoding and re-ranking with any configuration, likewise"},
    {"tune", laip_bench_tune, "search CLBlast's parameters, and choose who serves which product"},
    {"compare", laip_bench_compare, "two reports side by side"},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    return laip_subcommands("laip-bench",
                            "Measures what a device can do, and what training and search reach on it",
                            subcommands, argc, argv);
}
