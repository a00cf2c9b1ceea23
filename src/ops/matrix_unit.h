/* The matrix units of devices, and the precision that products and attention may take: cl/matrix_unit.h.
 *
 * What a device has is found by asking it, never by its maker's name: units whose extensions it lists are
 * compiled, and one that compiles has to give the bits of the plain product for numbers that every kind of
 * them holds exactly, on the device itself; at fp32, moreover, the product of real numbers to 1e-6.  Where
 * none serves, the plain one does, and the log says so in a line. */
#ifndef LAIP_OPS_MATRIX_UNIT_H
#define LAIP_OPS_MATRIX_UNIT_H

#include "device/device.h"

/* Of a product's factors; sums are fp32 always.
 *     fp32   as floats are: fused multiply-adds, fp32 units, or three products in TF32 for one
 *     tf32   11 bits of 24, bf16   8 bits, fp16   11 bits, and the range of a half */
typedef enum laip_precision {
    LAIP_PRECISION_FP32,
    LAIP_PRECISION_TF32,
    LAIP_PRECISION_BF16,
    LAIP_PRECISION_FP16
} laip_precision;
extern const char *const laip_precision_names[]; /* fp32, tf32, bf16, fp16; NULL at the end */

typedef struct laip_unit {
    const char *name;    /* mma.sync, mfma, wmma, dpas, emulated, rounded or plain */
    const char *kind;    /* of numbers: F32, TF32, TF32X3, BF16 or F16 */
    int lanes;           /* that run together */
    bool plain;          /* fused multiply-adds */
    const char *options; /* of kernels that include cl/matrix_unit.h; stays as long as the device */
} laip_unit;

/* What a device's products and attention are to take from now on; LAIP_PRECISION_FP32 at first.  Returns what
 * it was before. */
laip_precision laip_precision_set(laip_device *device, laip_precision precision);
laip_precision laip_precision_of(const laip_device *device);

/* The unit that serves this precision, sought at the first call; the plain one where none does.  LAIP_UNIT in
 * the environment names one that serves instead without being tried: plain; rounded, the plain one with
 * factors rounded as the precision says, which shows what it does to a training; emulated32, emulated64. */
const laip_unit *laip_unit_of(laip_device *device, laip_precision precision);
const laip_unit *laip_unit_plain(laip_device *device);
/* One by name, untried, for this precision; false: that unit has no numbers of this kind. */
bool laip_unit_named(laip_device *device, const char *name, laip_precision precision, laip_unit *unit);

#endif
