// What the element-wise losses share.

/**
 * Elements whose losses are added in lanes before float64 takes over. The wrapper cuts blocks at multiples of it
 * (GRANULE in src/runtime/element-loss.ts), so that a sum does not depend on the blocks.
 */
export const GRANULE: usize = 32;
