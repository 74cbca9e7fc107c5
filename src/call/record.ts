// The fields of a record, as assembly/primitives/mask.ts reads it: int32 each.

export const ARRAY = 0;
export const FIRST = 1;
export const STEP = 2;
export const CAUSAL_ROWS = 3;
export const CAUSAL_FIRST = 4;
export const AXES = 5;
/** The size of an axis, then its step, of each. */
export const AXIS = 6;
