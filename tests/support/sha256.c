#include "support/sha256.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t right(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

/* The constants are the first 32 bits of the fractional parts of square and cube roots of the first primes.
 */
static void constants(uint32_t start[8], uint32_t round[64])
{
    int found = 0;
    for (int n = 2; found < 64; n++) {
        int divisor = 2;
        while (n % divisor)
            divisor++;
        if (divisor < n)
            continue;
        double square = sqrt(n);
        long double cube = cbrtl((long double)n);
        if (found < 8)
            start[found] = (uint32_t)((square - floor(square)) * 4294967296.0);
        round[found++] = (uint32_t)((cube - floorl(cube)) * 4294967296.0L);
    }
}

static void block(uint32_t h[8], const uint32_t k[64], const uint8_t *p)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + (right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
               (right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t a = s[0], e = s[4];
        uint32_t t =
            s[7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + k[i] + w[i];
        uint32_t u = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t;
        s[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

void laip_test_sha256(const void *data, size_t size, char text[65])
{
    uint32_t h[8], k[64];
    const uint8_t *p = data;
    uint8_t last[128] = {0};
    size_t rest = size % 64, end = rest < 56 ? 64 : 128;
    constants(h, k);
    for (size_t i = 0; i + 64 <= size; i += 64)
        block(h, k, p + i);
    if (rest)
        memcpy(last, p + size - rest, rest);
    last[rest] = 0x80;
    for (size_t i = 0; i < 8; i++)
        last[end - 1 - i] = (uint8_t)((uint64_t)size * 8 >> (8 * i));
    for (size_t i = 0; i < end; i += 64)
        block(h, k, last + i);
    for (int i = 0; i < 8; i++)
        snprintf(text + 8 * i, 9, "%08x", (unsigned)h[i]);
}
