// The gradient of looking rows up: sums of values by row.
#include <stdint.h>

enum { AHEAD = 16 };

static inline __attribute__((always_inline)) void scatter(float *restrict sums, const int64_t *restrict numbers,
                                                          const float *restrict values, int64_t count, int64_t width) {
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) __builtin_prefetch(&sums[numbers[i + AHEAD] * width], 1);
        const int64_t row = numbers[i] * width;
        for (int64_t x = 0; x < width; x++) sums[row + x] += values[i * width + x];
    }
}

// Adds values [count, width] to the rows of sums [N, width] that numbers [count] name.
void scatter_rows(float *sums, const int64_t *numbers, const float *values, int64_t count, int64_t width) {
    if (width == 16) scatter(sums, numbers, values, count, 16);
    else if (width == 1) scatter(sums, numbers, values, count, 1);
    else scatter(sums, numbers, values, count, width);
}
