// Rows of the tables, gathered and added. The caller has checked every id against the table.
static void embed(
    const int32_t *ids, const int32_t *type_ids, const float *words, const float *positions, const float *types,
    float *out, int64_t length, int64_t columns) {
    for (int64_t place = 0; place < length; place++) {
        const float *word = words + ids[place] * columns;
        const float *type = type_ids ? types + type_ids[place] * columns : types;
        for (int64_t i = 0; i < columns; i++) {
            out[place * columns + i] = word[i] + positions[place * columns + i] + type[i];
        }
    }
}
