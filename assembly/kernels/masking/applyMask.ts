// Applies a mask to x in place, [outer, n, inner], for kernels without a mask: elements that it does not keep become
// `value`.
//
// mask: a descriptor of bytes, not causal. Nothing is rounded.

import { checkArray } from "../../contracts";
import { keptLanes, operandAddress, operandStride } from "../../mask";
import { addressOf } from "../../shape";
import { lanes } from "../../simd/lanes";

export function applyMask<T>(x: usize, outer: usize, n: usize, inner: usize, mask: usize, value: f64): void {
  checkArray<T>(x, outer * n * inner);
  const stride = operandStride(mask);
  for (let row: usize = 0; row < outer * inner; row++) {
    const at = addressOf<T>(x, n, inner, row), bytes = operandAddress(mask, row, 1);
    const vectors = inner == 1 && stride == 1 ? n - n % lanes<T>() : 0;
    for (let j: usize = 0; j < vectors; j += lanes<T>()) {
      const p = at + j * sizeof<T>();
      v128.store(p, v128.bitselect(v128.load(p), v128.splat<T>(<T>value), keptLanes<T>(bytes + j)));
    }
    for (let j = vectors; j < n; j++) {
      if (!load<u8>(bytes + j * stride)) store<T>(at + j * inner * sizeof<T>(), <T>value);
    }
  }
}
