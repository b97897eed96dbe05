// One step of lazy Adam on one table. autodpq_lib/training/lazy_adam.py has the formula, this the speed: no sorting, no
// temporary tables, and each row of w, m and v is fetched while earlier rows are computed.
#include <math.h>
#include <string.h>

#include "inline.h"
#include "outside.h"

enum { AHEAD = 16 };

// ids [count] name rows of the tables, values [count, width] are their gradients. last [N], rows [count] and
// sums [count, width] are scratch: row n was seen at place last[n] of rows, if rows agrees; so nothing is cleared.
INLINE void step(float *w, float *m, float *v, int32_t *last, int64_t *rows,
                 float *sums, const int64_t *ids, const float *values,
                 int64_t count, int64_t width, double rate, double beta1,
                 double beta2, double correction, double epsilon, double decay) {
    // Computed in double and rounded once, as torch does: 1 - 0.999f differs from 0.001f in the fifth digit.
    const float lr = rate, fade1 = beta1, new1 = 1 - beta1, fade2 = beta2, new2 = 1 - beta2;
    const float scale = correction, eps = epsilon, wd = decay;
    int64_t distinct = 0;
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) __builtin_prefetch(&last[ids[i + AHEAD]], 1);
        const float *value = values + i * width;
        int32_t place = last[ids[i]];
        if (place >= 0 && place < distinct && rows[place] == ids[i]) {
            for (int64_t x = 0; x < width; x++) sums[place * width + x] += value[x];
        } else {
            memcpy(sums + distinct * width, value, width * sizeof(float));
            last[ids[i]] = (int32_t)distinct;
            rows[distinct++] = ids[i];
        }
    }
    for (int64_t u = 0; u < distinct; u++) {
        if (u + AHEAD < distinct) {
            int64_t next = rows[u + AHEAD] * width;
            __builtin_prefetch(&w[next], 1);
            __builtin_prefetch(&m[next], 1);
            __builtin_prefetch(&v[next], 1);
        }
        int64_t row = rows[u] * width;
        for (int64_t x = 0; x < width; x++) {
            float g = sums[u * width + x] + wd * w[row + x];
            float first = fade1 * m[row + x] + new1 * g;
            float second = fade2 * v[row + x] + new2 * g * g;
            m[row + x] = first;
            v[row + x] = second;
            w[row + x] -= lr * first / (sqrtf(second) / scale + eps);
        }
    }
}

// Returns the place of an id that names none of the n rows, before anything is updated, or -1. With a width that is
// known when it is compiled the loops over a row become a few instructions.
int64_t lazy_adam_step(float *w, float *m, float *v, int32_t *last, int64_t *rows, float *sums, const int64_t *ids,
                       const float *values, int64_t n, int64_t count, int64_t width, double rate, double beta1,
                       double beta2, double correction, double epsilon, double decay) {
    const int64_t refused = outside(ids, count, n);
    if (refused >= 0) return refused;
#define STEP(width) \
    step(w, m, v, last, rows, sums, ids, values, count, width, rate, beta1, beta2, correction, epsilon, decay)
    if (width == 16) STEP(16);
    else if (width == 1) STEP(1);
    else STEP(width);
    return -1;
}
