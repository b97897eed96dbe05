// The gradient of looking rows up: sums of values by row.
#include "inline.h"
#include "outside.h"

enum { AHEAD = 16 };

INLINE void sum(float *restrict sums, const int64_t *restrict numbers,
                const float *restrict values, int64_t count, int64_t width) {
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) __builtin_prefetch(&sums[numbers[i + AHEAD] * width], 1);
        const int64_t row = numbers[i] * width;
        for (int64_t x = 0; x < width; x++) sums[row + x] += values[i * width + x];
    }
}

// Adds values [count, width] to the rows of sums [rows, width] that numbers [count] name. Returns the place of a number
// that names none, before anything is added, or -1.
int64_t sum_rows(float *sums, const int64_t *numbers, const float *values, int64_t rows, int64_t count, int64_t width) {
    const int64_t refused = outside(numbers, count, rows);
    if (refused >= 0) return refused;
    if (width == 16) sum(sums, numbers, values, count, 16);
    else if (width == 1) sum(sums, numbers, values, count, 1);
    else sum(sums, numbers, values, count, width);
    return -1;
}
