// Label smoothing beside a mask: of each row of [outer, n, inner] the share `smoothing` of the targets goes evenly to the
// classes that the mask keeps.
//
// y = targets · (1 − smoothing), and smoothing / (classes kept) more where kept. Without targets (0) what is added alone:
// the spreads of crossEntropy. y may be targets. mask: a descriptor of bytes, not causal.

import { checkArray, checkSameOrApart } from "../../contracts";
import { operandAddress, operandStride } from "../../mask";
import { addressOf } from "../../shape";

export function smoothTargets<T>(
  targets: usize, y: usize, outer: usize, n: usize, inner: usize, smoothing: f64, mask: usize
): void {
  const elements = outer * n * inner;
  checkArray<T>(y, elements);
  if (targets) checkArray<T>(targets, elements);
  checkSameOrApart(targets, elements * sizeof<T>(), y, elements * sizeof<T>());
  const stride = operandStride(mask), step = inner * sizeof<T>();
  for (let row: usize = 0; row < outer * inner; row++) {
    const bytes = operandAddress(mask, row, 1);
    let kept = 0;
    for (let j: usize = 0; j < n; j++) kept += i32(load<u8>(bytes + j * stride) != 0);
    const spread = smoothing / <f64>kept;
    let at = addressOf<T>(0, n, inner, row);
    for (let j: usize = 0; j < n; j++, at += step) {
      const own = targets ? <f64>load<T>(targets + at) * (1 - smoothing) : 0;
      store<T>(y + at, <T>(load<u8>(bytes + j * stride) ? own + spread : own));
    }
  }
}
