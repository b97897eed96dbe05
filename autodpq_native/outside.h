// What comes from outside is looked at before anything is touched.
#include <stdint.h>

// The place of the first number that is not from 0 to rows - 1, or -1.
static inline int64_t outside(const int64_t *numbers, int64_t count, int64_t rows) {
    int wrong = 0;
    for (int64_t i = 0; i < count; i++) wrong |= (numbers[i] < 0) | (numbers[i] >= rows);
    if (!wrong) return -1;
    for (int64_t i = 0;; i++)
        if (numbers[i] < 0 || numbers[i] >= rows) return i;
}
