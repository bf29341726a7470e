#include "CPlanes.h"

#include <nmmintrin.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u

/// What four more zero bits make of the register's low four: half a byte a step needs no large table.
static const uint32_t nibbles[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc_scalar(uint32_t crc, const uint8_t *bytes, size_t count) {
    for (size_t index = 0; index < count; index++) {
        crc ^= bytes[index];
        crc = (crc >> 4) ^ nibbles[crc & 15];
        crc = (crc >> 4) ^ nibbles[crc & 15];
    }
    return crc;
}

/// a · b modulo the polynomial; bit 31 is x⁰, because the register is reflected.
static uint32_t multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
        if (a & bit) {
            product ^= b;
        }
        b = b & 1 ? (b >> 1) ^ POLYNOMIAL : b >> 1;
    }
    return product;
}

/// x^(8 · count): multiplying a register by it is what `count` zero bytes do to it.
static uint32_t shift_by(size_t count) {
    uint32_t power = 1u << 31, square = 1u << 23;
    for (; count != 0; count >>= 1) {
        if (count & 1) {
            power = multiply(power, square);
        }
        square = multiply(square, square);
    }
    return power;
}

static inline uint64_t load(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

/// The instruction answers after three cycles and starts every cycle, so three thirds run side by side; they are
/// joined by what the later thirds' length does to the earlier ones' registers (about 1 µs, so not for short input).
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const uint8_t *bytes, size_t count) {
    if (count >= 4096) {
        size_t third = count / 3 & ~(size_t)7;
        uint64_t a = crc, b = 0, c = 0;
        for (size_t index = 0; index < third; index += 8) {
            a = _mm_crc32_u64(a, load(bytes + index));
            b = _mm_crc32_u64(b, load(bytes + third + index));
            c = _mm_crc32_u64(c, load(bytes + 2 * third + index));
        }
        uint32_t shift = shift_by(third);
        crc = multiply(shift, multiply(shift, (uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
        bytes += 3 * third;
        count -= 3 * third;
    }
    uint64_t rest = crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        rest = _mm_crc32_u64(rest, load(bytes));
    }
    for (; count > 0; bytes++, count--) {
        rest = _mm_crc32_u8((uint32_t)rest, *bytes);
    }
    return (uint32_t)rest;
}

uint32_t thaw_planes_crc32c(int variant, const uint8_t *bytes, size_t count) {
    // Every processor with AVX2 has SSE 4.2.
    uint32_t crc = variant == THAW_PLANES_SCALAR ? crc_scalar(~0u, bytes, count) : crc_sse42(~0u, bytes, count);
    return ~crc;
}
