// Vectors from a packed table of groups: autodpq_packed/grouped.py has the layout in words. Nothing is unpacked beforehand.
#include <stdint.h>
#include <string.h>

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

// A code of 8 bits times a step of 11 is exact in float32, so it does not matter whether the compiler fuses the sum.
static void vector(float *out, const table *t, const group *g, int64_t rank) {
    const float *numbers = t->numbers + g->number;
    if (g->integers)
        for (int64_t x = 0; x < t->dim; x++)
            out[x] = numbers[x] + (float)code(t->codes, g, rank * t->dim + x) * numbers[t->dim + x];
    else if (!g->bits)
        memcpy(out, numbers + rank * g->row, t->dim * sizeof(float));
    else
        for (int64_t d = 0; d < g->subspaces; d++)
            memcpy(out + d * g->width, numbers + (d * g->k + code(t->codes, g, rank * g->subspaces + d)) * g->width,
                   g->width * sizeof(float));
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
    if (g->bit < 0 || g->bit > 8 * t->bytes) return 0;
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
    for (int64_t b = 0; b < batch; b++)
        for (int64_t m = 0; m < t->count; m++, ids++, out += t->dim) {
            const group *g = t->groups + t->fields[m], *end = t->groups + t->fields[m + 1];
            if (*ids < g->first || *ids >= end->first) return b * t->count + m;
            while (*ids >= g[1].first) g++;
            vector(out, t, g, *ids - g->first);
        }
    return -1;
}
