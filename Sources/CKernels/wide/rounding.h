// Rows of floats in the formats of the products. Each writes whole registers: what it writes behind the row's end is
// overwritten by the next row, or lies in the slack that the scratch has (thaw_linear_scratch).

// To bfloat16, to the nearest, ties to even. An odd row is filled up with a zero.
static void round_row(const float *input, char *to, int64_t inner) {
    int64_t i = 0;
    for (; i + LANES <= inner; i += LANES) {
        store_bf16(to + i * 2, load(input + i));
    }
    if (i < inner) {
        store_bf16(to + i * 2, load_first(input + i, inner - i));
    }
}

// To integers of 0…255: x ≈ scale · (integer − zero), the range of the row with 0 in it spread over all of them.
static struct thaw_row quantize_row(const float *input, char *to, int64_t inner) {
    lanes least = broadcast(0.0f), most = least;
    int64_t i = 0;
    for (; i + LANES <= inner; i += LANES) {
        lanes x = load(input + i);
        least = smaller(x, least);
        most = greater(x, most);
    }
    if (i < inner) {
        lanes x = load_first(input + i, inner - i);
        least = smaller(x, least);
        most = greater(x, most);
    }
    struct thaw_row row = thaw_row_of(0.0f - greatest_of(broadcast(0.0f) - least), greatest_of(most));
    lanes factor = broadcast(row.scale > 0.0f ? 1.0f / row.scale : 0.0f), zero = broadcast((float)row.zero);
    for (i = 0; i + LANES <= inner; i += LANES) {
        store_bytes(to + i, rounded(load(input + i) * factor) + zero);
    }
    if (i < inner) {
        store_bytes(to + i, rounded(load_first(input + i, inner - i) * factor) + zero);
    }
    return row;
}
