// The fields of a descriptor, int32 each.
import * as layout from '../generated/layout.js';

export const ARRAY = layout.BASE / 4;
export const FIRST = layout.FIRST_ROW / 4;
export const STEP = layout.STRIDE / 4;
export const CAUSAL_ROWS = layout.CAUSAL_ROWS / 4;
export const CAUSAL_FIRST = layout.CAUSAL_FIRST / 4;
export const AXES = layout.AXIS_COUNT / 4;
/** The size of an axis, then its step, of each. */
export const AXIS = layout.AXIS_LIST / 4;
