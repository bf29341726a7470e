// eˣ, erf, tanh and the logistic function. Polynomials fitted for the least greatest error (weighted Remez-like
// exchange in double precision); the errors below are the greatest found against 80-bit or double references.

// eˣ within 1 ulp: x = n · ln 2 + r, |r| ≤ ln 2 / 2, and eʳ as a polynomial of degree 6. Infinite above 88.7,
// subnormal and then zero below −87.3; NaN stays NaN.
static inline lanes exponential(lanes x) {
    // Beyond these the result is infinite or zero anyway, and n would leave the range of `scaled`.
    x = smaller(broadcast(89.0f), greater(broadcast(-104.0f), x));
    lanes n = rounded(x * broadcast(1.44269504f));
    // ln 2 in two parts: n times the first is exact.
    lanes r = fused(n, broadcast(-0.693359375f), x);
    r = fused(n, broadcast(2.12194440e-4f), r);
    lanes p = broadcast(1.3814596e-3f);
    p = fused(p, r, broadcast(8.3687175e-3f));
    p = fused(p, r, broadcast(4.16683890e-2f));
    p = fused(p, r, broadcast(0.16666521f));
    p = fused(p, r, broadcast(0.49999994f));
    p = fused(p, r, broadcast(1.0f));
    p = fused(p, r, broadcast(1.0f));
    return scaled(p, n);
}

// erf within 1.2 ulp. Below 0.93: x + x · P(x²). Above: 1 − exp(x · Q(x)), where Q is ln(erfc x) / x.
static inline lanes error_function(lanes x) {
    lanes t = magnitude(x), s = x * x;
    lanes p = broadcast(-5.976893590e-4f);
    p = fused(p, s, broadcast(4.990980029e-3f));
    p = fused(p, s, broadcast(-2.676556632e-2f));
    p = fused(p, s, broadcast(0.1128180250f));
    p = fused(p, s, broadcast(-0.3761249483f));
    p = fused(p, s, broadcast(0.1283791512f));
    p = fused(p, x, x);
    // erf is 1 to the last bit from 3.92 on, and Q was fitted only up to there.
    lanes u = smaller(broadcast(3.92f), t);
    lanes q = broadcast(2.139628632e-4f);
    q = fused(q, u, broadcast(-3.214772791e-3f));
    q = fused(q, u, broadcast(2.288937569e-2f));
    q = fused(q, u, broadcast(-0.1052609161f));
    q = fused(q, u, broadcast(-0.6357190013f));
    q = fused(q, u, broadcast(-1.128514171f));
    q = with_sign_of(broadcast(1.0f) - exponential(q * u), x);
    // NaN is less than nothing and comes through the second branch, which `smaller` lets pass.
    return where_less(t, broadcast(0.93f), p, q);
}

// tanh within 1.5 ulp. Below 0.625: x + x · x² · P(x²). Above: 1 − 2 / (e²ˣ + 1).
static inline lanes hyperbolic_tangent(lanes x) {
    lanes t = magnitude(x), s = x * x;
    lanes p = broadcast(-5.717036780e-3f);
    p = fused(p, s, broadcast(2.065057866e-2f));
    p = fused(p, s, broadcast(-5.374349654e-2f));
    p = fused(p, s, broadcast(0.1333149076f));
    p = fused(p, s, broadcast(-0.3333328366f));
    p = fused(p * s, x, x);
    lanes q = broadcast(1.0f) - broadcast(2.0f) / (exponential(t + t) + broadcast(1.0f));
    return where_less(t, broadcast(0.625f), p, with_sign_of(q, x));
}

static inline lanes logistic(lanes x) {
    return broadcast(1.0f) / (broadcast(1.0f) + exponential(broadcast(0.0f) - x));
}
