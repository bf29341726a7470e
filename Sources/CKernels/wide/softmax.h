// exp(x − maximum) / sum: the greatest term is 1, so nothing overflows. input and out may be the same memory.
static void softmax(const float *input, float *out, int64_t stride, int64_t rows, int64_t columns) {
    int64_t whole = columns / LANES * LANES, rest = columns - whole;
    for (int64_t row = 0; row < rows; row++) {
        const float *x = input + row * stride;
        float *y = out + row * stride;
        lanes greatest = broadcast(x[0]);
        for (int64_t i = 0; i < whole; i += LANES) {
            greatest = greater(greatest, load(x + i));
        }
        if (rest) {
            greatest = greater(greatest, only_first(load_first(x + whole, rest), broadcast(x[0]), rest));
        }
        lanes maximum = broadcast(greatest_of(greatest)), sums = broadcast(0.0f);
        for (int64_t i = 0; i < whole; i += LANES) {
            lanes term = exponential(load(x + i) - maximum);
            store(y + i, term);
            sums = sums + term;
        }
        if (rest) {
            lanes term = exponential(load_first(x + whole, rest) - maximum);
            term = only_first(term, broadcast(0.0f), rest);
            store_first(y + whole, term, rest);
            sums = sums + term;
        }
        lanes factor = broadcast(1.0f / sum_of(sums));
        for (int64_t i = 0; i < whole; i += LANES) {
            store(y + i, load(y + i) * factor);
        }
        if (rest) {
            store_first(y + whole, load_first(y + whole, rest) * factor, rest);
        }
    }
}
