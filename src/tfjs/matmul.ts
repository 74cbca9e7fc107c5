import { product } from '../call/shape.js';
import type { KernelCall, KernelFunc, TensorInfo } from './types.js';

/**
 * The wasm backend's matrix product, with transposed operands transposed first. It gives products to XNNPACK, but not those
 * with a transposed operand, which gradients of dense layers are: these run in a loop over single elements, up to fourteen
 * times as long.
 */
export function matMulByTransposing(matMul: KernelFunc, transpose: KernelFunc): KernelFunc {
  return (call) => {
    const matrices = readProduct(call);
    const transposes = matrices && cheapestTransposes(matrices);
    if (transposes === undefined) return matMul(call);
    const { a, b, transposeA, transposeB } = matrices!;
    const backend = call.backend as Backend;
    const temporaries: TensorInfo[] = [];
    const keep = (x: TensorInfo | TensorInfo[]) => {
      temporaries.push(x as TensorInfo);
      return x as TensorInfo;
    };
    const transposed = (x: TensorInfo) => transpose({ inputs: { x }, backend, attrs: { perm: lastTwoSwapped(x) } });
    const multiply = (a: TensorInfo, b: TensorInfo) =>
      matMul({ inputs: { a, b }, backend, attrs: { transposeA: false, transposeB: false } });
    try {
      if (transposes === 'operands') {
        return multiply(transposeA ? keep(transposed(a)) : a, transposeB ? keep(transposed(b)) : b);
      }
      // A · B = (Bᵀ · Aᵀ)ᵀ, for which an operand that comes transposed is right as it is.
      return transposed(keep(multiply(transposeB ? b : keep(transposed(b)), transposeA ? a : keep(transposed(a)))));
    } finally {
      for (const { dataId } of temporaries) backend.disposeData(dataId);
    }
  };
}

/** The part of tfjs-backend-wasm's backend that is used here. */
interface Backend {
  disposeData(dataId: object): void;
}

function lastTwoSwapped({ shape: { length } }: TensorInfo): number[] {
  return [...Array(length - 2).keys(), length - 1, length - 2];
}

/** An [m, k] matrix times a [k, n] one. */
interface MatrixProduct {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/**
 * Undefined where no operand is transposed, for batches of several matrices, other dtypes, and shapes that do not match,
 * which the kernel refuses.
 */
function readProduct({ inputs, attrs }: KernelCall): MatrixProduct | undefined {
  const [transposeA, transposeB] = [attrs!.transposeA === true, attrs!.transposeB === true];
  if (!transposeA && !transposeB) return undefined;
  const [a, b] = [inputs.a!, inputs.b!];
  if (!isMatrix(a) || !isMatrix(b)) return undefined;
  const [m, k] = transposeA ? lastTwo(a).reverse() : lastTwo(a);
  const [rows, n] = transposeB ? lastTwo(b).reverse() : lastTwo(b);
  return k === rows ? { a, b, transposeA, transposeB, m: m!, k: k!, n: n! } : undefined;
}

function lastTwo({ shape }: TensorInfo): number[] {
  return shape.slice(-2);
}

/** Of any rank: the gradients of layers have a batch of one. */
function isMatrix({ dtype, shape }: TensorInfo): boolean {
  return dtype === 'float32' && shape.length >= 2 && product(shape.slice(0, -2)) === 1;
}

/** In as many multiplications of that loop an element is moved, and the kernels are called: measured. */
const MULTIPLICATIONS_PER_ELEMENT = 4;
const MULTIPLICATIONS_PER_CALL = 4000;

/** Whether to transpose the operands that come transposed, or the others and the product; undefined where neither pays. */
function cheapestTransposes({ transposeA, transposeB, m, k, n }: MatrixProduct): 'operands' | 'product' | undefined {
  const [sizeOfA, sizeOfB] = [m * k, k * n];
  // The right one is moved once more: XNNPACK packs it.
  const operands = (transposeA ? sizeOfA : 0) + (transposeB ? sizeOfB : 0) + sizeOfB;
  const others = (transposeA ? 0 : sizeOfA) + (transposeB ? 0 : sizeOfB) + m * n + sizeOfA;
  const moved = Math.min(operands, others);
  if (m * k * n < MULTIPLICATIONS_PER_ELEMENT * moved + MULTIPLICATIONS_PER_CALL) return undefined;
  return operands <= others ? 'operands' : 'product';
}
