// Always inlined: where a caller passes a constant, a loop becomes a few instructions.
#define INLINE static inline __attribute__((always_inline))
