// Vectors from a packed table: reader.py has the layout in words, this the speed. Nothing is unpacked beforehand; what
// is read is what lies in the file.
#include <stdint.h>
#include <string.h>

enum {
    BLOCK = 64, // features handled at a time: memory is slow, so all of a block is asked for before any is used
    LINE = 64,  // bytes of the bitmap with one count before them: a cache line, 512 features
};

// A field has the ids from begin to end - 1. The k-th centroid of its subspace d is at centroids + (d * K + k) * X/D.
typedef struct {
    int64_t begin, end, codes, centroids, first, subspaces, k, bits;
} field;

// Coded features with a smaller id.
static inline int64_t coded_before(const uint8_t *low, const int32_t *before, int64_t id) {
    const int64_t line = id / (8 * LINE), word = id / 64 % 8;
    uint64_t words[LINE / 8];
    memcpy(words, low + line * LINE, LINE);
    int64_t count = before[line] + __builtin_popcountll(words[word] & (((uint64_t)1 << (id % 64)) - 1));
    for (int64_t w = 0; w < word; w++) count += __builtin_popcountll(words[w]);
    return count;
}

// Always inlined, so that numbers known where it is called make it a few instructions.
static inline __attribute__((always_inline)) void decode(float *out, const uint8_t *codes, const float *centroids,
                                                         int64_t rank, int64_t k, int64_t subspaces, int64_t width,
                                                         int64_t bits) {
    const uint32_t mask = (1u << bits) - 1;
    for (int64_t d = 0; d < subspaces; d++) {
        const int64_t start = (rank * subspaces + d) * bits, byte = start / 8; // a code lies in at most two bytes
        const uint32_t code = (codes[byte] | (uint32_t)codes[byte + 1] << 8) >> (start % 8) & mask;
        memcpy(out + d * width, centroids + (d * k + code) * width, width * sizeof(float));
    }
}

static inline void vector(float *out, const uint8_t *codes, const float *centroids, int64_t rank, int64_t dim,
                          const field *f) {
    codes += f->codes, centroids += f->centroids;
    const int64_t width = dim / f->subspaces;
    if (f->bits == 4 && width == 4) decode(out, codes, centroids, rank, f->k, f->subspaces, 4, 4);
    else if (f->bits == 4 && width == 8) decode(out, codes, centroids, rank, f->k, f->subspaces, 8, 4);
    else decode(out, codes, centroids, rank, f->k, f->subspaces, width, f->bits);
}

// ids [batch, fields] -> out [batch, fields, dim]; returns the place of an id that is none of its field's, or -1.
// low is filled up to whole lines, codes by one byte.
int64_t look_up(float *out, const int64_t *ids, int64_t batch, int64_t fields, int64_t dim, const float *kept,
                const uint8_t *low, const int32_t *before, const uint8_t *codes, const float *centroids,
                const field *of) {
    int64_t number[BLOCK], coded[BLOCK], m = 0; // of the row of a kept feature, of the codes of a coded one
    for (int64_t start = 0; start < batch * fields; start += BLOCK, ids += BLOCK) {
        const int64_t left = batch * fields - start, n = left < BLOCK ? left : BLOCK, begin = m;
        for (int64_t i = 0; i < n; i++, m = m + 1 < fields ? m + 1 : 0) {
            if (ids[i] < of[m].begin || ids[i] >= of[m].end) return start + i;
            __builtin_prefetch(low + ids[i] / 8);
            __builtin_prefetch(before + ids[i] / (8 * LINE));
        }
        m = begin;
        for (int64_t i = 0; i < n; i++, m = m + 1 < fields ? m + 1 : 0) {
            const int64_t count = coded_before(low, before, ids[i]);
            coded[i] = low[ids[i] / 8] >> (ids[i] % 8) & 1;
            number[i] = coded[i] ? count - of[m].first : ids[i] - count;
            if (coded[i]) __builtin_prefetch(codes + of[m].codes + number[i] * of[m].subspaces * of[m].bits / 8);
            else __builtin_prefetch(kept + number[i] * dim);
        }
        m = begin;
        for (int64_t i = 0; i < n; i++, m = m + 1 < fields ? m + 1 : 0, out += dim) {
            if (coded[i]) vector(out, codes, centroids, number[i], dim, &of[m]);
            else if (dim == 16) memcpy(out, kept + number[i] * 16, 16 * sizeof(float));
            else memcpy(out, kept + number[i] * dim, dim * sizeof(float));
        }
    }
    return -1;
}
