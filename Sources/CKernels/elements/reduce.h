// Rows to one number each.

static double reduced_f64(int32_t op, int32_t type, const char *row, int64_t columns) {
    double room[CHUNK];
    double sum = op == THAW_PRODUCT ? 1 : op == THAW_GREATEST ? -INFINITY : op == THAW_LEAST ? INFINITY : 0;
    double shift = 0;
    if (op == THAW_LOG_OF_SUM_OF_EXP) {
        shift = reduced_f64(THAW_GREATEST, type, row, columns);
        if (isinf(shift)) {
            shift = shift > 0 || columns == 0 ? 0 : shift;
            if (shift < 0) {
                return -INFINITY;
            }
        }
    }
    for (int64_t start = 0; start < columns; start += CHUNK) {
        int64_t count = columns - start < CHUNK ? columns - start : CHUNK;
        load_f64(type, row + start * size_of(type), room, count);
        double lanes[8] = {0};
        int64_t i = 0;
        switch (op) {
        case THAW_SUM: case THAW_MEAN: case THAW_LOG_OF_SUM:
            for (; i + 8 <= count; i += 8) {
                for (int64_t l = 0; l < 8; l++) lanes[l] += room[i + l];
            }
            for (; i < count; i++) lanes[0] += room[i];
            break;
        case THAW_SUM_OF_SQUARES: case THAW_LENGTH:
            for (; i + 8 <= count; i += 8) {
                for (int64_t l = 0; l < 8; l++) lanes[l] += room[i + l] * room[i + l];
            }
            for (; i < count; i++) lanes[0] += room[i] * room[i];
            break;
        case THAW_SUM_OF_MAGNITUDES:
            for (; i < count; i++) lanes[0] += fabs(room[i]);
            break;
        case THAW_GREATEST:
            for (; i < count; i++) sum = room[i] > sum || room[i] != room[i] ? room[i] : sum;
            break;
        case THAW_LEAST:
            for (; i < count; i++) sum = room[i] < sum || room[i] != room[i] ? room[i] : sum;
            break;
        case THAW_PRODUCT:
            for (; i < count; i++) sum *= room[i];
            break;
        default:
            for (; i < count; i++) lanes[0] += exp(room[i] - shift);
        }
        for (int64_t l = 0; l < 8; l++) sum += lanes[l];
    }
    switch (op) {
    case THAW_MEAN: return sum / (double)columns;
    case THAW_LENGTH: return sqrt(sum);
    case THAW_LOG_OF_SUM: return log(sum);
    case THAW_LOG_OF_SUM_OF_EXP: return log(sum) + shift;
    default: return sum;
    }
}

// Integers wrap as their type does. What has no value over no elements is that of the type's far end.
static int64_t reduced_i64(int32_t op, int32_t type, const char *row, int64_t columns) {
    int64_t room[CHUNK];
    uint64_t sum = op == THAW_PRODUCT ? 1 : 0;
    int started = 0;
    for (int64_t start = 0; start < columns; start += CHUNK) {
        int64_t count = columns - start < CHUNK ? columns - start : CHUNK;
        load_i64(type, row + start * size_of(type), room, count);
        for (int64_t i = 0; i < count; i++) {
            int64_t x = room[i];
            int less = type == THAW_TYPE_U64 ? (uint64_t)x < sum : x < (int64_t)sum;
            switch (op) {
            case THAW_GREATEST: sum = !started || !less ? (uint64_t)x : sum; break;
            case THAW_LEAST: sum = !started || less ? (uint64_t)x : sum; break;
            case THAW_PRODUCT: sum *= (uint64_t)x; break;
            case THAW_SUM_OF_SQUARES: case THAW_LENGTH: sum += (uint64_t)x * (uint64_t)x; break;
            case THAW_SUM_OF_MAGNITUDES: sum += x < 0 && type != THAW_TYPE_U64 ? 0 - (uint64_t)x : (uint64_t)x; break;
            default: sum += (uint64_t)x;
            }
            started = 1;
        }
    }
    if (!started && (op == THAW_GREATEST || op == THAW_LEAST)) {
        int is_unsigned = type == THAW_TYPE_BOOL || type == THAW_TYPE_U8 || type == THAW_TYPE_U16 || type == THAW_TYPE_U32 || type == THAW_TYPE_U64;
        int64_t bits = type == THAW_TYPE_BOOL ? 1 : size_of(type) * 8;
        uint64_t least = is_unsigned ? 0 : UINT64_MAX << (bits - 1);
        uint64_t greatest = is_unsigned ? UINT64_MAX >> (64 - bits) : ~least;
        return (int64_t)(op == THAW_GREATEST ? least : greatest);
    }
    switch (op) {
    case THAW_MEAN:
        return columns == 0 ? 0 : type == THAW_TYPE_U64 ? (int64_t)(sum / (uint64_t)columns) : (int64_t)sum / columns;
    case THAW_LENGTH: return (int64_t)sqrt((double)(int64_t)sum);
    default: return (int64_t)sum;
    }
}

void thaw_reduce(int32_t op, int32_t type, const void *in, void *out, int64_t rows, int64_t columns) {
    int64_t size = size_of(type);
    int floats = is_float(type) || op == THAW_LOG_OF_SUM || op == THAW_LOG_OF_SUM_OF_EXP;
    for (int64_t row = 0; row < rows; row++) {
        const char *from = (const char *)in + row * columns * size;
        char *to = (char *)out + row * size;
        if (floats) {
            double value = reduced_f64(op, type, from, columns);
            store_f64(type, &value, to, 1);
        } else {
            int64_t value = reduced_i64(op, type, from, columns);
            store_i64(type, &value, to, 1);
        }
    }
}

void thaw_arg(
    int32_t greatest, int32_t last, int32_t type, const void *in, int64_t *out, int64_t rows, int64_t columns
) {
    for (int64_t row = 0; row < rows; row++) {
        int64_t best = 0;
        double best_f64 = 0;
        int64_t best_i64 = 0;
        for (int64_t start = 0; start < columns; start += CHUNK) {
            int64_t count = columns - start < CHUNK ? columns - start : CHUNK;
            const char *from = (const char *)in + (row * columns + start) * size_of(type);
            double f64[CHUNK];
            int64_t i64[CHUNK];
            if (is_float(type)) {
                load_f64(type, from, f64, count);
            } else {
                load_i64(type, from, i64, count);
            }
            for (int64_t i = 0; i < count; i++) {
                int better, equal;
                if (is_float(type)) {
                    better = greatest ? f64[i] > best_f64 : f64[i] < best_f64;
                    better |= f64[i] != f64[i] && best_f64 == best_f64;
                    equal = f64[i] == best_f64;
                } else if (type == THAW_TYPE_U64) {
                    better = greatest ? (uint64_t)i64[i] > (uint64_t)best_i64 : (uint64_t)i64[i] < (uint64_t)best_i64;
                    equal = i64[i] == best_i64;
                } else {
                    better = greatest ? i64[i] > best_i64 : i64[i] < best_i64;
                    equal = i64[i] == best_i64;
                }
                if (start + i == 0 || better || (last && equal)) {
                    best = start + i;
                    best_f64 = f64[i];
                    best_i64 = i64[i];
                }
            }
        }
        out[row] = best;
    }
}

void thaw_log_softmax(const float *in, float *out, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++, in += columns, out += columns) {
        float greatest = in[0];
        for (int64_t i = 1; i < columns; i++) {
            greatest = in[i] > greatest ? in[i] : greatest;
        }
        double sum = 0;
        for (int64_t i = 0; i < columns; i++) {
            sum += expf(in[i] - greatest);
        }
        float shift = greatest, logarithm = (float)log(sum);
        for (int64_t i = 0; i < columns; i++) {
            out[i] = in[i] - shift - logarithm;
        }
    }
}
