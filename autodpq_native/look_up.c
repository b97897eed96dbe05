// Vectors from a packed table: autodpq_packed/reader.py has the layout in words, this the speed. Nothing is unpacked
// beforehand.
#include <stdint.h>
#include <string.h>

#include "inline.h"

enum { BLOCK = 64 }; // features handled at a time: memory is slow, so all of a block is asked for before any is used
enum { NONE, ALL, SOME }; // of a field's features are coded

// A field has the ids from begin to end - 1. coded: NONE, ALL or SOME. codes: its first byte in the table's codes.
// first: number of coded features in earlier fields. The k-th centroid of its subspace d is at
// centroids + (d * K + k) * X/D.
typedef struct {
    int64_t begin, end, coded, codes, centroids, first, subspaces, k, bits;
} field;

// 64 features: a bit each, set for coded ones, and the number of coded ones before them.
typedef struct {
    uint32_t low, high, before;
} line;

typedef struct {
    const float *kept;
    const line *lines;
    const uint8_t *codes; // two bytes longer than the codes
    const float *centroids;
    const field *fields;
    int64_t count, dim, rows, blocks, bytes, numbers; // M, X, and the lengths of kept, lines, codes and centroids
} table;

// Where a feature's vector is: the number of its row, or of its codes.
static inline int64_t place(const table *t, const field *f, int64_t id, int *coded) {
    *coded = f->coded == ALL;
    if (f->coded == ALL) return id - f->begin;
    if (f->coded == NONE) return id - f->first;
    const line *l = t->lines + id / 64;
    const uint64_t bits = l->low | (uint64_t)l->high << 32;
    const int64_t before = l->before + __builtin_popcountll(bits & (((uint64_t)1 << id % 64) - 1));
    *coded = bits >> id % 64 & 1;
    return *coded ? before - f->first : id - before;
}

// The n-th code: it lies in at most two bytes.
static inline int64_t code(const uint8_t *codes, int64_t n, int64_t bits) {
    const int64_t start = n * bits, byte = start / 8;
    return (codes[byte] | codes[byte + 1] << 8) >> (start % 8) & ((1 << bits) - 1);
}

// Always inlined, so that numbers known where it is called make it a few instructions.
INLINE void decode(float *out, const uint8_t *codes, const float *centroids,
                   int64_t rank, int64_t k, int64_t subspaces, int64_t width,
                   int64_t bits) {
    for (int64_t d = 0; d < subspaces; d++)
        memcpy(out + d * width, centroids + (d * k + code(codes, rank * subspaces + d, bits)) * width,
               width * sizeof(float));
}

static inline void vector(float *out, const table *t, const field *f, int64_t rank) {
    const uint8_t *codes = t->codes + f->codes;
    const float *centroids = t->centroids + f->centroids;
    const int64_t form = f->bits * 10000 + f->k * 100 + f->subspaces;
    if (t->dim == 16 && form == 41604) decode(out, codes, centroids, rank, 16, 4, 4, 4);
    else if (t->dim == 16 && form == 41602) decode(out, codes, centroids, rank, 16, 2, 8, 4);
    else if (t->dim == 16 && form == 30802) decode(out, codes, centroids, rank, 8, 2, 8, 3);
    else if (t->dim == 16 && form == 30804) decode(out, codes, centroids, rank, 8, 4, 4, 3);
    else decode(out, codes, centroids, rank, f->k, f->subspaces, t->dim / f->subspaces, f->bits);
}

// How many of a field's features are coded; -1 if one's row or rank is none.
static int64_t ranks(const table *t, const field *f) {
    if (f->begin < 0 || f->begin > f->end || f->end > INT32_MAX || f->first < 0 || f->first > f->begin) return -1;
    if (f->coded == ALL) return f->end - f->begin;
    if (f->coded == NONE) return f->end - f->first <= t->rows ? 0 : -1;
    if (f->coded != SOME || f->end > t->blocks * 64) return -1;
    int64_t most = 0;
    for (int64_t id = f->begin; id < f->end; id++) {
        int coded;
        const int64_t n = place(t, f, id, &coded);
        if (n < 0 || (!coded && n >= t->rows)) return -1;
        if (coded && n >= most) most = n + 1;
    }
    return most;
}

// Whether all that decode reads of a field lies inside the table, and each of its codes names a centroid.
static int inside(const table *t, const field *f, int64_t ranks) {
    if (t->dim < 1 || f->subspaces < 1 || t->dim % f->subspaces) return 0;
    if (f->bits < 0 || f->bits > 8 || f->k < 1 || f->k > 1 << f->bits) return 0;
    if (f->centroids < 0 || f->centroids > t->numbers || t->dim > (t->numbers - f->centroids) / f->k) return 0;
    const int64_t codes = ranks * f->subspaces, bytes = (codes - 1) * f->bits / 8 + 2;
    if (f->codes < 0 || f->codes > t->bytes - bytes) return 0;
    for (int64_t n = 0; n < codes && f->k < 1 << f->bits; n++)
        if (code(t->codes + f->codes, n, f->bits) >= f->k) return 0;
    return 1;
}

// Returns the number of the first field that leads outside the table, or -1; look_up takes a table for checked.
int64_t look_up_check(const table *t) {
    for (int64_t m = 0; m < t->count; m++) {
        const int64_t coded = ranks(t, &t->fields[m]);
        if (coded < 0 || (coded && !inside(t, &t->fields[m], coded))) return m;
    }
    return -1;
}

// ids [batch, M] -> out [batch, M, X]; returns the place of an id that is none of its field's, or -1.
int64_t look_up(float *out, const int64_t *ids, int64_t batch, const table *t) {
    int64_t number[BLOCK], next = 0; // next: field of the first feature of the block
    int coded[BLOCK];
    for (int64_t start = 0; start < batch * t->count; start += BLOCK, ids += BLOCK) {
        const int64_t left = batch * t->count - start, n = left < BLOCK ? left : BLOCK, begin = next;
        for (int64_t i = 0; i < n; i++, next = next + 1 < t->count ? next + 1 : 0) {
            const field *f = &t->fields[next];
            if (ids[i] < f->begin || ids[i] >= f->end) return start + i;
            if (f->coded == SOME) __builtin_prefetch(t->lines + ids[i] / 64);
        }
        next = begin;
        for (int64_t i = 0; i < n; i++, next = next + 1 < t->count ? next + 1 : 0) {
            const field *f = &t->fields[next];
            number[i] = place(t, f, ids[i], &coded[i]);
            if (coded[i]) __builtin_prefetch(t->codes + f->codes + number[i] * f->subspaces * f->bits / 8);
            else __builtin_prefetch(t->kept + number[i] * t->dim);
        }
        next = begin;
        for (int64_t i = 0; i < n; i++, next = next + 1 < t->count ? next + 1 : 0, out += t->dim) {
            if (coded[i]) vector(out, t, &t->fields[next], number[i]);
            else if (t->dim == 16) memcpy(out, t->kept + number[i] * 16, 16 * sizeof(float));
            else memcpy(out, t->kept + number[i] * t->dim, t->dim * sizeof(float));
        }
    }
    return -1;
}
