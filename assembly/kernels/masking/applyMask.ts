// Applies a mask to x in place, [outer, n, inner], for kernels without a mask: elements that it does not keep become
// `value`.
//
// mask: a descriptor of bytes, not causal. Nothing is rounded.

import { checkArray } from "../../contracts";
import { fillDropped, operandAddress, operandStride } from "../../mask";
import { addressOf } from "../../shape";

export function applyMask<T>(x: usize, outer: usize, n: usize, inner: usize, mask: usize, value: f64): void {
  checkArray<T>(x, outer * n * inner);
  const stride = operandStride(mask);
  for (let row: usize = 0; row < outer * inner; row++) {
    const at = addressOf<T>(x, n, inner, row), bytes = operandAddress(mask, row, 1);
    if (inner == 1 && stride == 1) fillDropped<T>(at, bytes, n, <T>value);
    else for (let j: usize = 0; j < n; j++) {
      if (!load<u8>(bytes + j * stride)) store<T>(at + j * inner * sizeof<T>(), <T>value);
    }
  }
}
