// One operation over strided operands: rows of the innermost dimension, in chunks where a type is computed in another.

// The elements of a row as T: in place, or in `room`.
#define OPERAND(T, SUFFIX, NATIVE)                                                                                     \
    static const T *operand_##SUFFIX(int32_t type, const char *from, int64_t step, T *room, int64_t count) {           \
        if (step == 0) {                                                                                               \
            T value;                                                                                                   \
            load_##SUFFIX(type, from, &value, 1);                                                                      \
            for (int64_t i = 0; i < count; i++) {                                                                      \
                room[i] = value;                                                                                       \
            }                                                                                                          \
            return room;                                                                                               \
        }                                                                                                              \
        if (step == 1) {                                                                                               \
            if (NATIVE) {                                                                                              \
                return (const T *)from;                                                                                \
            }                                                                                                          \
            load_##SUFFIX(type, from, room, count);                                                                    \
            return room;                                                                                               \
        }                                                                                                              \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            load_##SUFFIX(type, from + i * step * size_of(type), room + i, 1);                                         \
        }                                                                                                              \
        return room;                                                                                                   \
    }

OPERAND(float, f32, type == THAW_TYPE_F32)
OPERAND(double, f64, type == THAW_TYPE_F64)
OPERAND(int64_t, i64, type == THAW_TYPE_I64 || type == THAW_TYPE_U64)

static void shift(int32_t op, int32_t type, const int64_t *a, const int64_t *b, int64_t *out, int64_t count) {
    int64_t bits = size_of(type) * 8;
    for (int64_t i = 0; i < count; i++) {
        int valid = b[i] >= 0 && b[i] < bits;
        if (op == THAW_SHIFT_LEFT) {
            out[i] = valid ? (int64_t)((uint64_t)a[i] << b[i]) : 0;
        } else if (type == THAW_TYPE_U64) {
            out[i] = valid ? (int64_t)((uint64_t)a[i] >> b[i]) : 0;
        } else {
            out[i] = a[i] >> (valid ? b[i] : 63);
        }
    }
}

#define RUN(T, SUFFIX, LOADED)                                                                                         \
    {                                                                                                                  \
        T a_room[CHUNK], b_room[CHUNK], c_room[CHUNK];                                                                 \
        const T *x = (const T *)operand_##LOADED(type, a, a_step, (void *)a_room, count);                              \
        const T *y = (const T *)operand_##LOADED(type, b, b_step, (void *)b_room, count);                              \
        if (op >= THAW_EQUAL) {                                                                                        \
            compare_##SUFFIX(op, x, y, (uint8_t *)out, count);                                                         \
        } else if ((int64_t)sizeof(T) == size_of(type) && is_float(type)) {                                            \
            binary_##SUFFIX(op, x, y, (T *)out, count);                                                                \
        } else {                                                                                                       \
            binary_##SUFFIX(op, x, y, c_room, count);                                                                  \
            store_##SUFFIX(type, c_room, out, count);                                                                  \
        }                                                                                                              \
    }

// Two's complement: the low bits of a sum, difference or product are those of the unsigned ones.
static void chunk(
    int32_t op, int32_t type, const char *a, int64_t a_step, const char *b, int64_t b_step, char *out, int64_t count
) {
    if (type == THAW_TYPE_F64) {
        RUN(double, f64, f64)
    } else if (is_float(type)) {
        RUN(float, f32, f32)
    } else if (op == THAW_SHIFT_LEFT || op == THAW_SHIFT_RIGHT) {
        int64_t a_room[CHUNK], b_room[CHUNK], c_room[CHUNK];
        const int64_t *x = operand_i64(type, a, a_step, a_room, count);
        const int64_t *y = operand_i64(type, b, b_step, b_room, count);
        shift(op, type, x, y, c_room, count);
        store_i64(type, c_room, out, count);
    } else if (type == THAW_TYPE_U64 || op == THAW_PLUS || op == THAW_MINUS || op == THAW_TIMES) {
        RUN(uint64_t, u64, i64)
    } else {
        RUN(int64_t, i64, i64)
    }
}

// Moves to the next row of all dimensions but the innermost; false after the last.
static int advance(int64_t rank, const int64_t *dimensions, int64_t *index) {
    for (int64_t d = rank - 2; d >= 0; d--) {
        if (++index[d] < dimensions[d]) {
            return 1;
        }
        index[d] = 0;
    }
    return 0;
}

static inline int64_t dot(int64_t rank, const int64_t *index, const int64_t *strides) {
    int64_t sum = 0;
    for (int64_t d = 0; d < rank - 1; d++) {
        sum += index[d] * strides[d];
    }
    return sum;
}

#define RANK_MAX 16

void thaw_binary(
    int32_t op, int32_t type, int64_t rank, const int64_t *dimensions, const void *a, const int64_t *a_strides,
    const void *b, const int64_t *b_strides, void *out
) {
    int64_t size = size_of(type), out_size = op >= THAW_EQUAL ? 1 : size, inner = dimensions[rank - 1];
    int64_t a_step = a_strides[rank - 1], b_step = b_strides[rank - 1];
    int64_t index[RANK_MAX] = {0};
    char *to = out;
    do {
        const char *x = (const char *)a + dot(rank, index, a_strides) * size;
        const char *y = (const char *)b + dot(rank, index, b_strides) * size;
        for (int64_t i = 0; i < inner; i += CHUNK) {
            int64_t some = inner - i < CHUNK ? inner - i : CHUNK;
            chunk(op, type, x + i * a_step * size, a_step, y + i * b_step * size, b_step, to + i * out_size, some);
        }
        to += inner * out_size;
    } while (advance(rank, dimensions, index));
}

#define STRIDED(T)                                                                                                     \
    for (int64_t i = 0; i < inner; i++) {                                                                              \
        ((T *)to)[i] = ((const T *)from)[i * step];                                                                    \
    }

// A transposition of two inner dimensions, in tiles of 16 × 16: both sides stay in lines of the cache.
#define TRANSPOSED(T)                                                                                                  \
    for (int64_t row = 0; row < outer; row += 16) {                                                                    \
        int64_t row_end = row + 16 < outer ? row + 16 : outer;                                                         \
        for (int64_t column = 0; column < inner; column += 16) {                                                       \
            int64_t column_end = column + 16 < inner ? column + 16 : inner;                                            \
            for (int64_t r = row; r < row_end; r++) {                                                                  \
                for (int64_t c = column; c < column_end; c++) {                                                        \
                    ((T *)to)[r * inner + c] = ((const T *)from)[r + c * step];                                        \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

static void copy_row(int64_t bytes, const char *from, int64_t step, char *to, int64_t inner) {
    if (step == 1) {
        memcpy(to, from, (size_t)(inner * bytes));
        return;
    }
    switch (bytes) {
    case 1: STRIDED(uint8_t) break;
    case 2: STRIDED(uint16_t) break;
    case 4: STRIDED(uint32_t) break;
    default: STRIDED(uint64_t)
    }
}

static void copy_tile(int64_t bytes, const char *from, int64_t step, char *to, int64_t outer, int64_t inner) {
    switch (bytes) {
    case 1: TRANSPOSED(uint8_t) break;
    case 2: TRANSPOSED(uint16_t) break;
    case 4: TRANSPOSED(uint32_t) break;
    default: TRANSPOSED(uint64_t)
    }
}

void thaw_strided_copy(
    int64_t bytes, int64_t rank, const int64_t *dimensions, const void *in, const int64_t *strides, void *out
) {
    int64_t inner = dimensions[rank - 1], step = strides[rank - 1];
    int64_t index[RANK_MAX] = {0};
    char *to = out;
    if (rank >= 2 && strides[rank - 2] == 1 && step > 1) {
        int64_t outer = dimensions[rank - 2];
        do {
            copy_tile(bytes, (const char *)in + dot(rank - 1, index, strides) * bytes, step, to, outer, inner);
            to += outer * inner * bytes;
        } while (advance(rank - 1, dimensions, index));
        return;
    }
    do {
        copy_row(bytes, (const char *)in + dot(rank, index, strides) * bytes, step, to, inner);
        to += inner * bytes;
    } while (advance(rank, dimensions, index));
}

#define SELECT(T)                                                                                                      \
    for (int64_t i = 0; i < count; i++) {                                                                              \
        T x = ((const T *)a)[i * a_step], y = ((const T *)b)[i * b_step];                                              \
        ((T *)out)[i] = condition[i] ? x : y;                                                                          \
    }

void thaw_select(
    int64_t bytes, const uint8_t *condition, const void *a, int64_t a_step, const void *b, int64_t b_step, void *out,
    int64_t count
) {
    switch (bytes) {
    case 1: SELECT(uint8_t) break;
    case 2: SELECT(uint16_t) break;
    case 4: SELECT(uint32_t) break;
    default: SELECT(uint64_t)
    }
}
