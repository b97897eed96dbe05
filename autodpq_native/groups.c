// Vectors from a packed table of groups: autodpq_packed/grouped.py has the layout in words. Nothing is unpacked
// beforehand.
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>
#endif

#include "inline.h"

enum { PART = 8 }; // codes read, and groups compared, at a time
enum { BLOCK = 64 }; // features handled at a time: memory is slow, so all of a block is asked for before any is used

// What a row of the layout has: see FIRST in autodpq_packed/grouped.py. One row more has the ends.
typedef struct {
    int64_t first, bit, number, bits, k, subspaces, width, row, integers;
} group;

typedef struct {
    const group *groups;
    const int64_t *fields; // number of the first group of each field, and of all
    const uint8_t *codes; // a word longer than the codes
    const float *numbers;
    const int32_t *later; // ids with which the groups of each field but its first begin, then INT32_MAX, which is none
    int64_t count, dim, length, bytes, total; // M, X, and the lengths of groups (without the ends), codes and numbers
    int64_t most; // numbers a field has in later, so many times PART
} table;

// Up to PART codes from a bit on: they lie in 8 bytes, for where they are of 8 bits each they begin with a byte.
static inline uint64_t word(const table *t, int64_t bit) {
    uint64_t bytes;
    memcpy(&bytes, t->codes + bit / 8, 8);
    return bytes >> bit % 8;
}

// PART dimensions of integers. A code of 8 bits times a step of 11 is exact in float32, so it does not matter whether
// the compiler fuses the sum.
static inline void scale(float *restrict out, uint64_t codes, const float *low, const float *step, int64_t bits) {
    const uint64_t mask = (1 << bits) - 1;
#if defined(__AVX2__) && defined(__BMI2__)
    const __m128i bytes = _mm_cvtsi64_si128(_pdep_u64(codes, 0x0101010101010101 * mask));
    const __m256 code = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
    _mm256_storeu_ps(out, _mm256_add_ps(_mm256_loadu_ps(low), _mm256_mul_ps(code, _mm256_loadu_ps(step))));
#else
    for (int x = 0; x < PART; x++) out[x] = low[x] + (float)(int32_t)(codes >> x * bits & mask) * step[x];
#endif
}

// A mean and a row are codes of 0 bits, low + 0 * low, so that no branch depends on the kind.
INLINE void integers(float *restrict out, const table *t, const group *g, int64_t bit, int64_t rank, int64_t dim) {
    const float *low = t->numbers + g->number + rank * g->row, *step = low + g->integers * dim;
    int64_t x = 0;
    for (; x + PART <= dim; x += PART) scale(out + x, word(t, bit + x * g->bits), low + x, step + x, g->bits);
    for (; x < dim; x++) {
        const int32_t code = word(t, bit + x * g->bits) & ((1 << g->bits) - 1);
        out[x] = low[x] + (float)code * step[x];
    }
}

// n <= PART centroids of so many dimensions each.
INLINE void copy(float *restrict out, uint64_t codes, const float *centroids, const group *g, int64_t n,
                 int64_t width) {
    const uint64_t mask = (1 << g->bits) - 1;
    for (int64_t d = 0; d < n; d++, codes >>= g->bits)
        memcpy(out + d * width, centroids + (d * g->k + (codes & mask)) * width, width * sizeof(float));
}

INLINE void centroids(float *restrict out, const table *t, const group *g, int64_t bit, int64_t dim) {
    const float *numbers = t->numbers + g->number;
    const uint64_t codes = word(t, bit);
    if (dim == 16) switch (g->subspaces) {
    case 1: copy(out, codes, numbers, g, 1, 16); return;
    case 2: copy(out, codes, numbers, g, 2, 8); return;
    case 4: copy(out, codes, numbers, g, 4, 4); return;
    case 8: copy(out, codes, numbers, g, 8, 2); return;
    }
    for (int64_t d = 0; d < g->subspaces; d += PART) {
        const int64_t n = g->subspaces - d < PART ? g->subspaces - d : PART;
        copy(out + d * g->width, word(t, bit + d * g->bits), numbers + d * g->k * g->width, g, n, g->width);
    }
}

// Vectors of n ids, each of its group.
INLINE void vectors(float *restrict out, const table *t, const group *const *of, const int64_t *ids, int64_t n,
                    int64_t dim) {
    for (int64_t i = 0; i < n; i++, out += dim) {
        const group *g = of[i];
        const int64_t rank = ids[i] - g->first, bit = g->bit + rank * g->subspaces * g->bits;
        if (g->k == 1) integers(out, t, g, bit, rank, dim);
        else centroids(out, t, g, bit, dim);
    }
}

// Whether all that vectors reads of a group lies inside the table.
static int inside(const table *t, const group *g) {
    const int64_t features = g[1].first - g->first;
    if (g->first < 0 || features < 1 || g[1].first > INT32_MAX || t->dim < 1 || t->dim > t->total) return 0;
    if (g->bits < 0 || g->bits > 8 || g->subspaces < 1 || g->width < 1 || g->k < 1) return 0;
    if (t->dim % g->subspaces || g->width != t->dim / g->subspaces || (g->row != 0 && g->row != t->dim)) return 0;
    if (g->bits && !g->integers && g->k != 1 << g->bits) return 0;
    if (g->integers && (g->integers != 1 || g->subspaces != t->dim)) return 0;
    if ((g->integers || !g->bits) && g->k != 1) return 0;
    if (g->row && (g->integers || g->bits)) return 0;
    if (g->bit < 0 || g->bit % 8 || g->bit > 8 * t->bytes) return 0;
    const int64_t numbers = g->integers ? 2 * t->dim : g->row ? features * t->dim : g->k * t->dim;
    const int64_t last = g->bit + features * g->subspaces * g->bits;
    return g->number >= 0 && g->number <= t->total - numbers && (last + 7) / 8 + PART <= t->bytes;
}

// How many groups are compared at a time: each row of later is padded to a multiple of it.
int64_t groups_part(void) { return PART; }

// Returns the number of the first group that leads outside the table, or -1; look_up_groups relies on it.
int64_t look_up_groups_check(const table *t) {
    for (int64_t m = 0; m < t->count; m++)
        if (t->fields[m] < 0 || t->fields[m] >= t->fields[m + 1] || t->fields[m + 1] > t->length) return t->length;
    for (int64_t n = 0; n < t->length; n++)
        if (!inside(t, t->groups + n)) return n;
    return -1;
}

// How many groups of field m after its first begin with this id or an earlier one; no branch depends on the id.
static inline int64_t before(const table *t, int64_t m, int32_t id) {
    const int32_t *later = t->later + m * t->most * PART;
    int64_t n = t->most * PART;
    for (int64_t i = 0; i < t->most; i++, later += PART) {
#if defined(__AVX2__) && defined(__BMI2__)
        const __m256i above = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)later), _mm256_set1_epi32(id));
        n -= __builtin_popcount(_mm256_movemask_ps(_mm256_castsi256_ps(above)));
#else
        for (int j = 0; j < PART; j++) n -= later[j] > id;
#endif
    }
    return n;
}

// ids [batch, M] -> out [batch, M, X]; returns the place of an id that is none of its field's, or -1.
int64_t look_up_groups(float *out, const int64_t *ids, int64_t batch, const table *t) {
    const group *of[BLOCK];
    int64_t m = 0;
    for (int64_t start = 0; start < batch * t->count; start += BLOCK, ids += BLOCK) {
        const int64_t left = batch * t->count - start, n = left < BLOCK ? left : BLOCK;
        for (int64_t i = 0; i < n; i++, m = m + 1 < t->count ? m + 1 : 0) {
            const group *g = t->groups + t->fields[m];
            if (ids[i] < g->first || ids[i] >= t->groups[t->fields[m + 1]].first) return start + i;
            of[i] = g += before(t, m, ids[i]);
            const int64_t rank = ids[i] - g->first;
            // Both, for a branch costs more: where there is no code, or no row, the same place is asked for again.
            __builtin_prefetch(t->codes + (g->bit + rank * g->subspaces * g->bits) / 8);
            __builtin_prefetch(t->numbers + g->number + rank * g->row);
        }
        if (t->dim == 16) vectors(out, t, of, ids, n, 16);
        else vectors(out, t, of, ids, n, t->dim);
        out += n * t->dim;
    }
    return -1;
}
