// Why nothing was drawn from a row: codes that take the place of an index.
export const NOTHING_KEPT: i32 = -1;
export const HOLDS_NAN: i32 = -2;
export const HOLDS_INFINITY: i32 = -3;
