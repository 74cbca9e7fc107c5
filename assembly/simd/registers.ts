// Variables for computations on four vectors side by side, and for functions that return several vectors.
//
// A processor overlaps four exponentials best when their instructions alternate. The compiler nests local variables
// that are used once into one expression, which puts the four exponentials one after another again; globals it leaves
// where they are. After the compiler is done, scripts/order-module.mjs makes these globals local variables, and rejects
// a function that reads one before writing it.

/** Logits, then their remainders after the range reduction. */
export let r0 = i32x4.splat(0), r1 = i32x4.splat(0), r2 = i32x4.splat(0), r3 = i32x4.splat(0);
/** x · log2e / t + magic: in the low bits the exponents. */
export let n0 = i32x4.splat(0), n1 = i32x4.splat(0), n2 = i32x4.splat(0), n3 = i32x4.splat(0);
/** Polynomials, then results. */
export let e0 = i32x4.splat(0), e1 = i32x4.splat(0), e2 = i32x4.splat(0), e3 = i32x4.splat(0);
/** Squares of the remainders. */
export let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
/** The largest logits so far, and their range. */
export let most = i32x4.splat(0), range = i32x4.splat(0);
