// Variables for what is computed of four vectors side by side, and for functions that give several vectors.
//
// A processor overlaps four exponentials best when their instructions take turns. Of local variables that are used once
// the compiler makes one nested expression again, and so puts the four one after another; it leaves globals where they
// are. scripts/order-module.mjs makes local variables of these globals once the compiler is done, and refuses a function
// that reads one before it writes it.

/** Logits, then what is left of them after the reduction. */
export let r0 = i32x4.splat(0), r1 = i32x4.splat(0), r2 = i32x4.splat(0), r3 = i32x4.splat(0);
/** x · log2e / t + magic: in the low bits the exponents. */
export let n0 = i32x4.splat(0), n1 = i32x4.splat(0), n2 = i32x4.splat(0), n3 = i32x4.splat(0);
/** Polynomials, then results. */
export let e0 = i32x4.splat(0), e1 = i32x4.splat(0), e2 = i32x4.splat(0), e3 = i32x4.splat(0);
/** Squares of what is left. */
export let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
/** The largest logits so far, and their range. */
export let most = i32x4.splat(0), range = i32x4.splat(0);
