// Element by element over tensors of every number type: plain C, one loop an operation, vectorised by the compiler.
//
// Types are the numbers of ONNX's `TensorProto.DataType`. Half floats are computed as floats and rounded once; integers
// up to 32 bits as 64-bit integers, of which the low bits are kept. Sizes and strides count elements; a stride of 0
// repeats an element. The safe face (`Sources/Kernels/Elements.swift`) checks that memory holds what they reach.
#ifndef THAW_ELEMENTS_H
#define THAW_ELEMENTS_H

#include <math.h>
#include <stdint.h>

enum thaw_type {
    THAW_TYPE_F32 = 1,
    THAW_TYPE_U8 = 2,
    THAW_TYPE_I8 = 3,
    THAW_TYPE_U16 = 4,
    THAW_TYPE_I16 = 5,
    THAW_TYPE_I32 = 6,
    THAW_TYPE_I64 = 7,
    THAW_TYPE_BOOL = 9,
    THAW_TYPE_F16 = 10,
    THAW_TYPE_F64 = 11,
    THAW_TYPE_U32 = 12,
    THAW_TYPE_U64 = 13,
    THAW_TYPE_BF16 = 16,
};

enum thaw_unary_op {
    THAW_ABS, THAW_NEG, THAW_SIGN, THAW_CEIL, THAW_FLOOR, THAW_ROUND, THAW_SQRT, THAW_RECIPROCAL, THAW_EXP, THAW_LOG,
    THAW_SIN, THAW_COS, THAW_TAN, THAW_ASIN, THAW_ACOS, THAW_ATAN, THAW_SINH, THAW_COSH, THAW_TANH_EXACT, THAW_ASINH,
    THAW_ACOSH, THAW_ATANH, THAW_ERF, THAW_LOGISTIC, THAW_RECTIFY, THAW_LEAKY, THAW_ELU, THAW_CELU, THAW_SELU,
    THAW_MISH, THAW_HARD_SWISH, THAW_HARD_SIGMOID, THAW_SOFTPLUS, THAW_SOFTSIGN, THAW_THRESHOLDED, THAW_GELU_EXACT,
    THAW_GELU_TANH, THAW_SWISH, THAW_SHRINK, THAW_NOT,
    THAW_UNARY_COUNT,
};

enum thaw_binary_op {
    THAW_PLUS, THAW_MINUS, THAW_TIMES, THAW_OVER, THAW_MAXIMUM, THAW_MINIMUM, THAW_MODULO, THAW_REMAINDER, THAW_POWER,
    THAW_BIT_AND, THAW_BIT_OR, THAW_BIT_XOR, THAW_SHIFT_LEFT, THAW_SHIFT_RIGHT, THAW_LEAKY_BY,
    // These answer one byte, 0 or 1.
    THAW_EQUAL, THAW_LESS, THAW_LESS_OR_EQUAL, THAW_GREATER, THAW_GREATER_OR_EQUAL,
    THAW_BINARY_COUNT,
};

enum thaw_reduction_op {
    THAW_SUM, THAW_MEAN, THAW_GREATEST, THAW_LEAST, THAW_PRODUCT, THAW_SUM_OF_SQUARES, THAW_SUM_OF_MAGNITUDES,
    THAW_LENGTH, THAW_LOG_OF_SUM, THAW_LOG_OF_SUM_OF_EXP,
    THAW_REDUCTION_COUNT,
};

// out[i] = (to) in[i]: floats to integers towards zero, saturating where they do not fit 64 bits; numbers to truth values by ≠ 0.
void thaw_convert(int32_t from, const void *_Nonnull in, int32_t to, void *_Nonnull out, int64_t count);

// out[i] = op(in[i]); alpha and beta are the operation's settings.
void thaw_unary(
    int32_t op, int32_t type, const void *_Nonnull in, void *_Nonnull out, int64_t count, double alpha, double beta);

// out = a ∘ b over `rank` dimensions; out has no gaps.
void thaw_binary(
    int32_t op, int32_t type, int64_t rank, const int64_t *_Nonnull dimensions, const void *_Nonnull a,
    const int64_t *_Nonnull a_strides, const void *_Nonnull b, const int64_t *_Nonnull b_strides, void *_Nonnull out);

// out = in, walked by strides, which may be negative; `in` points at the element of index 0. bytes: 1, 2, 4 or 8.
void thaw_strided_copy(
    int64_t bytes, int64_t rank, const int64_t *_Nonnull dimensions, const void *_Nonnull in,
    const int64_t *_Nonnull strides, void *_Nonnull out);

// out[i] = condition[i] ≠ 0 ? a[i · a_step] : b[i · b_step].
void thaw_select(
    int64_t bytes, const uint8_t *_Nonnull condition, const void *_Nonnull a, int64_t a_step, const void *_Nonnull b,
    int64_t b_step, void *_Nonnull out, int64_t count);

// out[rows] from in[rows, columns], columns ≥ 0; floats are summed as doubles.
void thaw_reduce(
    int32_t op, int32_t type, const void *_Nonnull in, void *_Nonnull out, int64_t rows, int64_t columns);

// The first (or last) place of each row's greatest (or least) element; columns ≥ 1.
void thaw_arg(
    int32_t greatest, int32_t last, int32_t type, const void *_Nonnull in, int64_t *_Nonnull out, int64_t rows,
    int64_t columns);

// out[rows, columns] = log(softmax) of each row, of floats.
void thaw_log_softmax(const float *_Nonnull in, float *_Nonnull out, int64_t rows, int64_t columns);

// One panel matrix of b[inner, columns], whose strides count floats: see Sources/Kernels/Panels.swift.
void thaw_pack_panels(
    const float *_Nonnull b, int64_t inner_stride, int64_t column_stride, int64_t inner, int64_t columns,
    float *_Nonnull panels);

// out[rows, columns] = a[rows, inner] · b[inner, columns] of doubles.
void thaw_matmul_f64(
    const double *_Nonnull a, const double *_Nonnull b, double *_Nonnull out, int64_t rows, int64_t inner,
    int64_t columns);

// The same of integers, wrapping.
void thaw_matmul_i64(
    const int64_t *_Nonnull a, const int64_t *_Nonnull b, int64_t *_Nonnull out, int64_t rows, int64_t inner,
    int64_t columns);

void thaw_matmul_i32(
    const int32_t *_Nonnull a, const int32_t *_Nonnull b, int32_t *_Nonnull out, int64_t rows, int64_t inner,
    int64_t columns);

// libm, for rooms that do not import it.
static inline double thaw_exp(double x) { return exp(x); }
static inline double thaw_log(double x) { return log(x); }
static inline double thaw_sin(double x) { return sin(x); }
static inline double thaw_cos(double x) { return cos(x); }
static inline double thaw_tanh(double x) { return tanh(x); }
static inline double thaw_pow(double x, double y) { return pow(x, y); }

#endif
