// eˣ, Φ, tanh and the logistic function. Polynomials fitted for the least greatest error (weighted Remez-like
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

// Φ, the normal distribution, within 1.3 · 2⁻²³: ½ + x · P(x²), and P over x² / 13.78 − 1, which runs from −1 to 1: so
// that its fifteen terms do not cancel. Half the work of erf by way of an exponential, and no division.
static inline lanes normal_distribution(lanes x) {
    // Φ(−5.25) is 2⁻²⁴: beyond, a float of ½ + … says no more.
    lanes bounded = greater(broadcast(-5.25f), smaller(broadcast(5.25f), x));
    lanes u = fused(bounded * bounded, broadcast(0.07256236f), broadcast(-1.0f));
    lanes p = broadcast(0.000240757485f);
    p = fused(p, u, broadcast(-0.0006572241f));
    p = fused(p, u, broadcast(0.000662325836f));
    p = fused(p, u, broadcast(-0.0010377055f));
    p = fused(p, u, broadcast(0.00289513252f));
    p = fused(p, u, broadcast(-0.00545050816f));
    p = fused(p, u, broadcast(0.00841632053f));
    p = fused(p, u, broadcast(-0.0127742258f));
    p = fused(p, u, broadcast(0.0185390817f));
    p = fused(p, u, broadcast(-0.0250421856f));
    p = fused(p, u, broadcast(0.0320313845f));
    p = fused(p, u, broadcast(-0.0397633883f));
    p = fused(p, u, broadcast(0.0496457883f));
    p = fused(p, u, broadcast(-0.0671268158f));
    p = fused(p, u, broadcast(0.134659346f));
    // Nothing, and not nearly nothing, where a great x would make much of it.
    return where_less(x, broadcast(-5.25f), broadcast(0.0f), fused(p, bounded, broadcast(0.5f)));
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
