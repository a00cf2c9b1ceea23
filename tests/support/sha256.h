/* SHA-256 (FIPS 180-4), to compare pixels with what another decoder made of a file. */
#ifndef LAIP_TESTS_SUPPORT_SHA256_H
#define LAIP_TESTS_SUPPORT_SHA256_H

#include <stddef.h>

/* text receives 64 hexadecimal digits and a zero byte. */
void laip_test_sha256(const void *data, size_t size, char text[65]);

#endif
