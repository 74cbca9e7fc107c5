// Transposition of short inner axes: y[o, j, i] = x[o, i, j] for x [outer, a, b], where a or b is 2 or 3. It makes the
// elements of a row contiguous, and puts them back. x and y do not overlap.

import { checkApart, checkArray } from "../../contracts";
import { join2, join3, split2, split3 } from "../../simd/transpose";

/** x [outer, a, b] to y [outer, b, a]. */
export function transpose_f32(x: usize, y: usize, outer: usize, a: usize, b: usize): void {
  const bytes = a * b * 4;
  checkArray<f32>(x, outer * a * b);
  checkArray<f32>(y, outer * a * b);
  checkApart(x, outer * bytes, y, outer * bytes);
  for (const end = x + outer * bytes; x < end; x += bytes, y += bytes) {
    if (b == 2) split2(x, y, a * 4, a);
    else if (b == 3) split3(x, y, a * 4, a);
    else if (a == 2) join2(x, b * 4, y, b);
    else join3(x, b * 4, y, b);
  }
}
