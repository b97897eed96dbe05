// All rows of a batch through the product quantisers of their fields, and the gradients.
// autodpq_lib/embedding/straight_through.py has the formulas, this the speed: one call for all tables, and responses and
// softmax that never leave the first cache.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "inline.h"

// T tables [D, K, w] of keys and of values, w = X / D, and [D, K] of biases or NULL, of which table t has sizes[t] of
// its K centroids. They replace the rows first .. first + rows of the batch, by vectors at the places place .. place + T.
struct quantiser {
    const float *keys, *values, *bias;
    float *key_grads, *value_grads, *bias_grads;
    const int64_t *sizes;
    int64_t tables, subspaces, centroids, first, rows, place;
    double tau;
};

// Eight numbers at a time, by the vectors of GCC and Clang; a table's centroids are padded to a multiple.
enum { BLOCK = 8 };
typedef float vector __attribute__((vector_size(4 * BLOCK), aligned(4)));
typedef int32_t integers __attribute__((vector_size(4 * BLOCK), aligned(4)));

INLINE vector choose(integers condition, vector yes, vector no) {
    return (vector)((condition & (integers)yes) | (~condition & (integers)no));
}

INLINE float sum_of(vector v) { return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }

// e^x for x <= 0, to the last bit or two: 2^n by the exponent, the rest by a polynomial (Cephes'). Below 1e-26 it is
// zero, or products with it would be too small to be fast.
INLINE vector exponential(vector x) {
    const integers vanishes = x < -60.0f;
    x = choose(vanishes, (vector){0}, x);
    const vector rounded = x * 1.44269504f + 12582912.0f;  // its low bits hold the integer n
    const vector n = rounded - 12582912.0f;
    x = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    vector p = x * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * x + 8.3334519073e-3f;
    p = p * x + 4.1665795894e-2f;
    p = p * x + 1.6666665459e-1f;
    p = p * x + 5.0000001201e-1f;
    p = p * x * x + x + 1.0f;
    return choose(vanishes, (vector){0}, p * (vector)(((integers)rounded << 23) + 0x3f800000));
}

// [K, w] -> [w, blocks] vectors, so that loops over centroids read neighbours; zeros where there is no centroid.
static void transpose(const float *restrict from, vector *restrict to, int64_t k_, int64_t blocks, int64_t w_) {
    float *flat = (float *)to;
    for (int64_t x = 0; x < w_; x++)
        for (int64_t k = 0; k < blocks * BLOCK; k++) flat[x * blocks * BLOCK + k] = k < k_ ? from[k * w_ + x] : 0;
}

// What is added to the responses, by blocks; the padding is never chosen.
static void add_padding(const float *restrict from, vector *restrict to, int64_t k_, int64_t blocks) {
    for (int64_t k = 0; k < blocks * BLOCK; k++) ((float *)to)[k] = k >= k_ ? -INFINITY : from ? from[k] : 0;
}

// <e, q_k> for a block of k.
INLINE vector products(const float *restrict e, const vector *restrict q, int64_t blocks, int64_t w_) {
    vector sum = e[0] * q[0];
    for (int64_t x = 1; x < w_; x++) sum += e[x] * q[x * blocks];
    return sum;
}

// r_k = <e, q_k> + bias_k for all k.
INLINE void respond(const float *restrict e, const vector *restrict q, const vector *restrict bias, vector *restrict r,
                    int64_t blocks, int64_t w_) {
    for (int64_t b = 0; b < blocks; b++) r[b] = products(e, q + b, blocks, w_) + bias[b];
}

// The first place of the largest.
INLINE int64_t argmax(const vector *r, int64_t blocks) {
    vector most = r[0];
    integers in = {0};
    for (int64_t b = 1; b < blocks; b++) {
        const integers more = r[b] > most;
        most = choose(more, r[b], most);
        in = (more & (int32_t)b) | (~more & in);
    }
    int64_t best = 0;
    for (int64_t i = 1; i < BLOCK; i++)
        if (most[i] > most[best] || (most[i] == most[best] && in[i] < in[best])) best = i;
    return in[best] * BLOCK + best;
}

// One table, forward: row p reads e[p * X], writes out[p * stride] and codes[p * code_stride].
INLINE void encode(const float *restrict e, const float *keys, const float *values, const float *bias,
                   float *restrict out, int32_t *restrict codes, int64_t rows, int64_t dim, int64_t stride,
                   int64_t code_stride, int64_t k_, int64_t w_, vector *restrict scratch) {
    const int64_t blocks = (k_ + BLOCK - 1) / BLOCK;
    vector *restrict q = scratch, *restrict added = q + blocks * w_, *restrict r = added + blocks;
    transpose(keys, q, k_, blocks, w_);
    add_padding(bias, added, k_, blocks);
    for (int64_t p = 0; p < rows; p++) {
        respond(e + p * dim, q, added, r, blocks, w_);
        const int64_t c = argmax(r, blocks);
        codes[p * code_stride] = (int32_t)c;
        for (int64_t x = 0; x < w_; x++) out[p * stride + x] = values[c * w_ + x];
    }
}

// One table, backward: adds to the gradients of e, keys, values and, where it has one, bias. False if a code is none.
INLINE int differentiate(const float *restrict e, const float *keys, const float *values, const float *bias,
                         const float *restrict grad, const int32_t *restrict codes, float *restrict e_grad,
                         float *key_grads, float *value_grads, float *bias_grads, int64_t rows, int64_t dim,
                         int64_t stride, int64_t code_stride, int64_t k_, int64_t w_, float tau,
                         vector *restrict scratch) {
    const int64_t blocks = (k_ + BLOCK - 1) / BLOCK, size = blocks * w_;
    vector *restrict q = scratch, *restrict v = q + size, *restrict dq = v + size, *restrict db = dq + size;
    vector *restrict added = db + blocks, *restrict s = added + blocks, *restrict u = s + blocks;
    transpose(keys, q, k_, blocks, w_);
    transpose(values, v, k_, blocks, w_);
    add_padding(bias, added, k_, blocks);
    memset(dq, 0, (size + blocks) * sizeof(vector));
    for (int64_t p = 0; p < rows; p++) {
        const float *restrict part = e + p * dim, *restrict g = grad + p * stride;
        const int64_t c = codes[p * code_stride];
        if (c < 0 || c >= k_) return 0;
        respond(part, q, added, s, blocks, w_);
        const float most = ((float *)s)[c];
        vector totals = {0}, means = {0};
        for (int64_t b = 0; b < blocks; b++) {
            u[b] = products(g, v + b, blocks, w_);
            s[b] = exponential((s[b] - most) / tau);
            totals += s[b];
            means += s[b] * u[b];
        }
        const float total = sum_of(totals), mean = sum_of(means) / total, scale = 1 / (tau * total);
        for (int64_t b = 0; b < blocks; b++) {
            s[b] *= (u[b] - mean) * scale;  // dr
            db[b] += s[b];
        }
        for (int64_t x = 0; x < w_; x++) {
            vector sum = {0};
            for (int64_t b = 0; b < blocks; b++) {
                sum += s[b] * q[x * blocks + b];
                dq[x * blocks + b] += s[b] * part[x];
            }
            e_grad[p * dim + x] += sum_of(sum);
            value_grads[c * w_ + x] += g[x];
        }
    }
    for (int64_t k = 0; k < k_; k++)
        for (int64_t x = 0; x < w_; x++) key_grads[k * w_ + x] += ((float *)dq)[x * blocks * BLOCK + k];
    for (int64_t k = 0; bias_grads && k < k_; k++) bias_grads[k] += ((float *)db)[k];
    return 1;
}

// A call for each table; with a width that is known when it is compiled the loops over x become a few instructions.
// Returns the number of the first quantiser of which a table has no centroid or too many, or the call is false; or -1.
#define EACH_TABLE(call) \
    for (const struct quantiser *of = quantisers; of < quantisers + count; of++) \
        for (int64_t t = 0; t < of->tables; t++) { \
            const int64_t k_ = of->sizes[t], w_ = dim / of->subspaces; \
            if (k_ < 1 || k_ > of->centroids) return of - quantisers; \
            for (int64_t d = 0; d < of->subspaces; d++) { \
                const int64_t row = (t * of->subspaces + d) * of->centroids, table = row * w_; \
                const int64_t at = of->first * width + of->place + t, into = at * dim + d * w_; \
                const int64_t part = of->first * dim + d * w_, code = at * parts + d; \
                const float *bias = of->bias ? of->bias + row : NULL; \
                if (!(w_ == 2 ? call(2) : w_ == 4 ? call(4) : w_ == 8 ? call(8) : call(w_))) return of - quantisers; \
            } \
        } \
    return -1;

// e [P, X] -> out [P, width, X], codes [P, width, parts]. scratch has room for 3 w + 4 numbers for each of a table's K
// centroids and of its padding.
int64_t quantisers_forward(const struct quantiser *quantisers, int64_t count, const float *e, float *out,
                           int32_t *codes, int64_t dim, int64_t width, int64_t parts, void *scratch) {
#define ENCODE(w) \
    (encode(e + part, of->keys + table, of->values + table, bias, out + into, codes + code, of->rows, dim, \
            width * dim, width * parts, k_, w, scratch), 1)
    EACH_TABLE(ENCODE)
}

// grad [P, width, X] -> adds to e_grad [P, X] and to the gradients that the quantisers name.
int64_t quantisers_backward(const struct quantiser *quantisers, int64_t count, const float *e, const float *grad,
                            const int32_t *codes, float *e_grad, int64_t dim, int64_t width, int64_t parts,
                            void *scratch) {
#define DIFFERENTIATE(w) \
    differentiate(e + part, of->keys + table, of->values + table, bias, grad + into, codes + code, e_grad + part, \
                  of->key_grads + table, of->value_grads + table, of->bias ? of->bias_grads + row : NULL, of->rows, \
                  dim, width * dim, width * parts, k_, w, (float)of->tau, scratch)
    EACH_TABLE(DIFFERENTIATE)
}
