/** The fields of a descriptor, int32 each. */
export {
  AXIS_COUNT as AXES,
  /** The size of an axis, then its step, of each. */
  AXIS_LIST as AXIS,
  BASE as ARRAY,
  CAUSAL_FIRST,
  CAUSAL_ROWS,
  FIRST_ROW as FIRST,
  STRIDE as STEP,
} from '../generated/layout.js';
