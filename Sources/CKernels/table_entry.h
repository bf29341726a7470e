// Fills the table that the including file names in VARIANT and VARIANT_NAME with that file's functions.
const struct thaw_kernels VARIANT = {
    .name = VARIANT_NAME,
    .linear = linear,
    .linear_bf16 = linear_bf16,
    .linear_int8 = linear_int8,
    .fma_loop = fma_loop,
    .layer_norm = layer_norm,
    .attention = attention,
    .attention_bf16 = attention_bf16,
    .embed = embed,
    .pool_sum = pool_sum,
    .pool_greatest = pool_greatest,
    .normalize = normalize,
    .softmax = softmax,
    .activate = activate,
    .convolution =
        {
            .convolve = convolve,
            .depthwise = depthwise,
            .winograd = winograd,
            .max_pool = max_pool,
            .average_pool = average_pool,
            .block = block,
            .unblock = unblock,
        },
};
