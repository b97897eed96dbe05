// Vectors from a packed table of groups: autodpq_packed/grouped.py has the layout in words. Nothing is unpacked beforehand.
#include <stdint.h>
#include <string.h>

enum { BLOCK = 64 }; // features handled at a time: memory is slow, so all of a block is asked for before any is used

// What a row of the layout has: see FIRST in autodpq_packed/grouped.py. One row more has the ends.
typedef struct {
    int64_t first, bit, number, bits, k, subspaces, width, row, integers;
} group;

typedef struct {
    const group *groups;
    const int64_t *fields; // number of the first group of each field, and of all
    const uint8_t *codes; // two bytes longer than the codes
    const float *numbers;
    int64_t count, dim, length, bytes, total; // M, X, and the lengths of groups (without the ends), codes and numbers
} table;

// The n-th code: it lies in at most two bytes.
static inline int64_t code(const uint8_t *codes, const group *g, int64_t n) {
    const int64_t start = g->bit + n * g->bits, byte = start / 8;
    return (codes[byte] | codes[byte + 1] << 8) >> (start % 8) & ((1 << g->bits) - 1);
}

// Always inlined, so that a dimension and a width known where it is called make it a few instructions.
static inline __attribute__((always_inline)) void copy_parts(float *restrict out, const table *t, const group *g, int64_t rank,
                                                             int64_t width) {
    const float *numbers = t->numbers + g->number;
    for (int64_t d = 0; d < g->subspaces; d++)
        memcpy(out + d * width, numbers + (d * g->k + code(t->codes, g, rank * g->subspaces + d)) * width,
               width * sizeof(float));
}

// A code of 8 bits times a step of 11 is exact in float32, so it does not matter whether the compiler fuses the sum.
static inline void scale(float *restrict out, const table *t, const group *g, int64_t rank) {
    const float *low = t->numbers + g->number, *step = low + t->dim;
    for (int64_t x = 0; x < t->dim; x++) out[x] = low[x] + (float)code(t->codes, g, rank * t->dim + x) * step[x];
}

// The same for 8 dimensions whose codes begin with a byte of their own: at most 8 bytes, read as one word.
static inline void scale8(float *restrict out, const uint8_t *codes, const float *low, const float *step,
                          int64_t bits) {
    const uint64_t mask = (1 << bits) - 1;
    uint64_t word;
    memcpy(&word, codes, 8);
    for (int x = 0; x < 8; x++) out[x] = low[x] + (float)(int32_t)(word >> x * bits & mask) * step[x];
}

// Integers in parts of 8 dimensions, where there are such parts and a word does not lead outside the codes.
static inline void integers(float *restrict out, const table *t, const group *g, int64_t rank) {
    const int64_t start = g->bit + rank * t->dim * g->bits;
    if (t->dim % 8 || start / 8 + t->dim / 8 * g->bits + 8 > t->bytes) {
        scale(out, t, g, rank);
        return;
    }
    const float *low = t->numbers + g->number;
    for (int64_t x = 0; x < t->dim; x += 8)
        scale8(out + x, t->codes + start / 8 + x / 8 * g->bits, low + x, low + t->dim + x, g->bits);
}

static inline void vector(float *restrict out, const table *t, const group *g, int64_t rank) {
    if (g->integers) {
        integers(out, t, g, rank);
        return;
    }
    if (!g->bits) {
        memcpy(out, t->numbers + g->number + rank * g->row, t->dim * sizeof(float));
        return;
    }
    switch (g->width) {
    case 16: copy_parts(out, t, g, rank, 16); return;
    case 8: copy_parts(out, t, g, rank, 8); return;
    case 4: copy_parts(out, t, g, rank, 4); return;
    case 2: copy_parts(out, t, g, rank, 2); return;
    default: copy_parts(out, t, g, rank, g->width); return;
    }
}

// Whether all that vector reads of a group lies inside the table.
static int inside(const table *t, const group *g) {
    const int64_t features = g[1].first - g->first;
    if (features < 1 || features > INT32_MAX || t->dim < 1 || t->dim > t->total) return 0;
    if (g->bits < 0 || g->bits > 8 || g->subspaces < 1 || g->width < 1 || g->k < 1) return 0;
    if (g->subspaces * g->width != t->dim || (g->row != 0 && g->row != t->dim)) return 0;
    if (g->bits && !g->integers && g->k != 1 << g->bits) return 0;
    if (g->integers && (g->integers != 1 || g->subspaces != t->dim)) return 0;
    if ((g->integers || !g->bits) && g->k != 1) return 0;
    if (g->bit < 0 || g->bit % 8 || g->bit > 8 * t->bytes) return 0;
    const int64_t numbers = g->integers ? 2 * t->dim : g->row ? features * t->dim : g->k * t->dim;
    const int64_t last = g->bit + features * g->subspaces * g->bits;
    return g->number >= 0 && g->number <= t->total - numbers && (last + 7) / 8 + 1 < t->bytes;
}

// Returns the number of the first group that leads outside the table, or -1; look_up_groups takes a table for checked.
int64_t look_up_groups_check(const table *t) {
    for (int64_t m = 0; m < t->count; m++)
        if (t->fields[m] < 0 || t->fields[m] >= t->fields[m + 1] || t->fields[m + 1] > t->length) return t->length;
    for (int64_t n = 0; n < t->length; n++)
        if (!inside(t, t->groups + n)) return n;
    return -1;
}

// ids [batch, M] -> out [batch, M, X]; returns the place of an id that is none of its field's, or -1.
int64_t look_up_groups(float *out, const int64_t *ids, int64_t batch, const table *t) {
    const group *of[BLOCK];
    int64_t m = 0;
    for (int64_t start = 0; start < batch * t->count; start += BLOCK, ids += BLOCK) {
        const int64_t left = batch * t->count - start, n = left < BLOCK ? left : BLOCK;
        for (int64_t i = 0; i < n; i++, m = m + 1 < t->count ? m + 1 : 0) {
            const group *g = t->groups + t->fields[m], *end = t->groups + t->fields[m + 1];
            if (ids[i] < g->first || ids[i] >= end->first) return start + i;
            while (ids[i] >= g[1].first) g++;
            of[i] = g;
            const int64_t rank = ids[i] - g->first;
            if (g->bits) __builtin_prefetch(t->codes + (g->bit + rank * g->subspaces * g->bits) / 8);
            else __builtin_prefetch(t->numbers + g->number + rank * g->row);
        }
        for (int64_t i = 0; i < n; i++, out += t->dim) vector(out, t, of[i], ids[i] - of[i]->first);
    }
    return -1;
}
