// Transposition, 2, 3 and 4 wide.

/** n pairs to two rows that begin `step` bytes apart. */
export function split2(x: usize, y: usize, step: usize, n: usize): void {
  let y1 = y + step, i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 32, y += 16, y1 += 16) {
    const a = v128.load(x), b = v128.load(x, 16);
    v128.store(y, v128.shuffle<i32>(a, b, 0, 2, 4, 6));
    v128.store(y1, v128.shuffle<i32>(a, b, 1, 3, 5, 7));
  }
  for (; i < n; i++, x += 8, y += 4, y1 += 4) {
    store<u32>(y, load<u32>(x));
    store<u32>(y1, load<u32>(x, 4));
  }
}

/** Two rows that begin `step` bytes apart to n pairs. */
export function join2(x: usize, step: usize, y: usize, n: usize): void {
  let x1 = x + step, i: usize = 0;
  for (; i + 4 <= n; i += 4, y += 32, x += 16, x1 += 16) {
    const a = v128.load(x), b = v128.load(x1);
    v128.store(y, v128.shuffle<i32>(a, b, 0, 4, 1, 5));
    v128.store(y, v128.shuffle<i32>(a, b, 2, 6, 3, 7), 16);
  }
  for (; i < n; i++, y += 8, x += 4, x1 += 4) {
    store<u32>(y, load<u32>(x));
    store<u32>(y, load<u32>(x1), 4);
  }
}

/** n triples to three rows that begin `step` bytes apart. */
export function split3(x: usize, y: usize, step: usize, n: usize): void {
  let y1 = y + step, y2 = y1 + step, i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 48, y += 16, y1 += 16, y2 += 16) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32);
    v128.store(y, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 0, 3, 6, 6), c, 0, 1, 2, 5));
    v128.store(y1, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 1, 4, 7, 7), c, 0, 1, 2, 6));
    v128.store(y2, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 2, 5, 5, 5), c, 0, 1, 4, 7));
  }
  for (; i < n; i++, x += 12, y += 4, y1 += 4, y2 += 4) {
    store<u32>(y, load<u32>(x));
    store<u32>(y1, load<u32>(x, 4));
    store<u32>(y2, load<u32>(x, 8));
  }
}

/** Three rows that begin `step` bytes apart to n triples. */
export function join3(x: usize, step: usize, y: usize, n: usize): void {
  let x1 = x + step, x2 = x1 + step, i: usize = 0;
  for (; i + 4 <= n; i += 4, y += 48, x += 16, x1 += 16, x2 += 16) {
    const a = v128.load(x), b = v128.load(x1), c = v128.load(x2);
    v128.store(y, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 0, 4, 1, 1), c, 0, 1, 4, 2));
    v128.store(y, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 5, 2, 6, 6), c, 0, 5, 1, 2), 16);
    v128.store(y, v128.shuffle<i32>(v128.shuffle<i32>(a, b, 3, 3, 7, 7), c, 6, 0, 2, 7), 32);
  }
  for (; i < n; i++, y += 12, x += 4, x1 += 4, x2 += 4) {
    store<u32>(y, load<u32>(x));
    store<u32>(y, load<u32>(x1), 4);
    store<u32>(y, load<u32>(x2), 8);
  }
}
