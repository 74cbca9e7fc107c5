// Kernel scratch: every region of it, its owner and its place, in bytes from the address that a kernel is given.
//
//   0             parameters and table of e^x            math/exp.ts, math/exp-table.ts
//                 or temporaries                         kernels without the max-shifted form
//   EXP_BYTES     state of a row                         rows/, mask.ts
//                 or state of a block, line by line      blocks/
//                 or copies of tails                     simd/tail.ts
//   HEADER_BYTES  transposed blocks, one after another   blocks/gather.ts
//                 or a short row                         rows/exp.ts, kernels/ranking/topK.ts
//                 or a histogram and sums of weights     rows/nucleus.ts, rows/weights.ts
//
// A call computes all its rows in one form, so the regions that begin at EXP_BYTES share their memory. Nothing in
// scratch survives a call. The debug build asserts that there is room, and no operand in it (contracts.ts). TypeScript
// gets the sizes from layout.ts.

/** Bytes of a line of a transposed block: one element of each of its rows. */
export const LINE_BYTES: usize = 64;

// e^x, math/exp.ts: what the max-shifted form reads, a vector each.
export const EXP_CENTRE: usize = 0; // subtracted from x first
export const EXP_POWER: usize = 16; // then multiplied: the power of two that the table's temperature lacks
export const EXP_EXPONENT: usize = 32; // integers subtracted from n
export const EXP_FLOOR: usize = 48; // where x − centre is below it (or either is NaN) the result is 0
/** math/exp-table.ts: 16 elements of T at most. */
export const EXP_TABLE: usize = 64;
const EXP_BYTES: usize = EXP_TABLE + 128;
/** The parameters of weights, rows/weights.ts, in its place: 16 elements of T at most. */
export const WEIGHTS: usize = EXP_TABLE;

/** Temporaries of kernels that do not use the max-shifted form: 64 bytes in the place of its parameters. */
export const TEMPORARY: usize = 0;

// A row's kept range, mask.ts: u32 each.
export const KEPT_START: usize = EXP_BYTES;
export const KEPT_END: usize = KEPT_START + 4;
export const KEPT_DENSE: usize = KEPT_END + 4; // whether every element of the range is kept
export const KNOWN_MASK: usize = KEPT_DENSE + 4; // the mask's bytes whose range is known from the row before
export const KNOWN_START: usize = KNOWN_MASK + 4;
export const KNOWN_END: usize = KNOWN_START + 4;
export const READ_END: usize = KNOWN_END + 4; // where the row before was read to
export const READ_AHEAD: usize = READ_END + 4; // what readGap read

/** Where exponentials are stored that are not wanted, rows/logsum.ts and rows/divergence.ts: four vectors. */
export const UNWANTED: usize = EXP_BYTES + 64;
/** Sums of exponentials that a kernel needs for itself. */
export const ROW_SUMS: usize = UNWANTED + 64;

// A sum of exponentials Σ w_j e^(x_j / t), f64 each, wherever it lies: e^(maximum / t) times the other three together.
export const ROW_SUM_MAXIMUM: usize = 0;
export const ROW_SUM_TOP: usize = 8; // the weights at the maximum
export const ROW_SUM_OTHERS: usize = 16; // the terms of the other elements, relative to e^(maximum / t)
export const ROW_SUM_LOST: usize = 24; // what rounding took from ROW_SUM_TOP and ROW_SUM_OTHERS
export const ROW_SUM_BYTES: usize = 32;

// The log-sums of rows that are finished together, rows/logsum.ts: a slot for each.
export const SLOTS: usize = ROW_SUMS + ROW_SUM_BYTES;
export const SLOT_COUNT: usize = 4;
export const SLOT_HELD: usize = 0; // a vector: the largest partial sum of each lane
export const SLOT_X: usize = 16; // address of the row, u32
export const SLOT_TERMS: usize = 20; // address of its exponentials, or 0, u32
export const SLOT_LENGTH: usize = 24; // u32
export const SLOT_MAXIMUM: usize = 32; // f64; NaN if the row is out of range, until it is finished
export const SLOT_REST: usize = 40; // the sum of all terms but those in SLOT_HELD, f64
export const SLOT_LOST: usize = 48; // what rounding took from SLOT_REST, f64
export const SLOT_TOTAL: usize = 56; // Σ e^(x / t), f64
export const SLOT_OTHERS: usize = 64; // SLOT_TOTAL without the term of one maximum, f64
export const SLOT_RATIO: usize = 72; // SLOT_OTHERS divided by that term, f64
export const SLOT_LOG_SUM: usize = 80; // log Σ e^((x − maximum) / t), f64
// What cross-entropy keeps of a row: its number, u32, and f64 each as in TARGET_LOGIT, TARGET_SUM and TARGET_DOT.
export const SLOT_ROW: usize = 28;
export const SLOT_TARGET_LOGIT: usize = 88;
export const SLOT_TARGET_SUM: usize = 96;
export const SLOT_TARGET_DOT: usize = 104;
export const SLOT_BYTES: usize = 112;
const ROW_END: usize = SLOTS + SLOT_COUNT * SLOT_BYTES;

/** Copies of tails, simd/tail.ts: a vector for each operand and result of an elementwise kernel. */
export const TAILS: usize = EXP_BYTES;
export const TAIL_COUNT: usize = 7;

// State of a block, blocks/: a line each, an element for each row; two lines where it is f64.
export const FACTOR: usize = EXP_BYTES; // what scatter multiplies by
export const MAXIMUM: usize = FACTOR + LINE_BYTES;
export const LOG_SUM: usize = MAXIMUM + LINE_BYTES; // log Σ e^((x − maximum) / t)
export const PREPARE: usize = LOG_SUM + LINE_BYTES; // maxima and ranges, for the parameters of e^x
export const TARGET_LOGIT: usize = PREPARE + LINE_BYTES;
export const SCALE: usize = TARGET_LOGIT + LINE_BYTES; // of the gradient
export const OTHERS: usize = SCALE + LINE_BYTES; // 1 − the probability of one maximum
export const TARGET_SUM: usize = OTHERS + LINE_BYTES; // f64, as rowTargetSums has them
export const TARGET_DOT: usize = TARGET_SUM + 2 * LINE_BYTES; // f64
const TARGET_END: usize = TARGET_DOT + 2 * LINE_BYTES;
/** What blockFactors multiplies by, f64, once the dot product is used up. */
export const GRADIENT_SCALE: usize = TARGET_DOT;

// The mask of a block, blocks/mask.ts.
export const KEPT: usize = TARGET_END; // all bits set where a mask keeps something
export const CAUSAL_LENGTHS: usize = KEPT + LINE_BYTES; // elements that causality keeps, as integers of T's size
export const MASK_ADDRESSES: usize = CAUSAL_LENGTHS + LINE_BYTES; // where each row's bytes begin, u32
export const MASK_BYTES: usize = MASK_ADDRESSES + LINE_BYTES; // bytes of one element of each row
/** Whether the rows of the block before were in range, rows/short-logsum.ts: u32. */
export const SHORT: usize = MASK_BYTES + 16;
const BLOCK_END: usize = SHORT + 4;

/** Where blocks begin. */
export const HEADER_BYTES: usize = 2048;
/** How many lines follow the header where inner is 1: room for a row of up to 4096 elements. */
export const ROW_LINES: usize = 4096;
/** Where distillation keeps e^x and the state of its second block, that of the teacher, which is never masked. */
export const TEACHER: usize = HEADER_BYTES / 2;
/** Where a softmax, which has no teacher, keeps its sums: four times as many bytes as a line of the widest tile. */
export const EXP_SUM: usize = TEACHER;
/** The most blocks that a tile is wide. */
export const TILE_LINES: usize = 4;
export const TILE_BYTES: usize = TILE_LINES * LINE_BYTES;

if (ROW_END > HEADER_BYTES || BLOCK_END > HEADER_BYTES) ERROR("a state is larger than the header");
if (TAILS + TAIL_COUNT * 16 > HEADER_BYTES) ERROR("there are more tails than the header holds");
if (FACTOR + TILE_BYTES > EXP_SUM || EXP_SUM + 4 * TILE_BYTES > HEADER_BYTES) ERROR("a tile is too wide");
if (TARGET_END > TEACHER || TEACHER + TARGET_END > HEADER_BYTES) ERROR("two states are larger than the header");

// A sampled row: an f64 for each bin and for each chunk of the row.
export const SUM_ABOVE: usize = TEMPORARY; // the sum of the weights above all candidates, f64
export const CANDIDATES_END: usize = SUM_ABOVE + 8; // the address behind the last candidate, u32
export const NEXT_ROW: usize = TEMPORARY + 16; // address of the row to read ahead, u32
export const LEAST_CANDIDATE: usize = TEMPORARY + 24; // no candidate has a smaller weight, f64
export const HISTOGRAM: usize = HEADER_BYTES;
export const BIN_COUNT: usize = 1024;
export const CHUNK_SUMS: usize = HISTOGRAM + BIN_COUNT * 8;
export const CHUNK_COUNT: usize = 3072;
