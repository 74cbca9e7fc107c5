import { product } from '../call/shape.js';
import type { KernelCall, KernelFunc, TensorInfo } from './types.js';

/**
 * The wasm backend's matrix product, with transposed operands transposed in a step of their own. The backend leaves
 * products to XNNPACK, except those with a transposed operand, such as the gradients of dense layers: these run in a
 * scalar loop, which takes up to fourteen times as long.
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
      // A · B = (Bᵀ · Aᵀ)ᵀ, for which an operand that is passed transposed needs no transposition.
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

/** The product of an [m, k] and a [k, n] matrix. */
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
 * Undefined if no operand is transposed, for batches of several matrices, for other dtypes, and for shapes that do not
 * match, which the original kernel rejects.
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

/** A batch of one matrix, of any rank, as the gradients of layers have it. */
function isMatrix({ dtype, shape }: TensorInfo): boolean {
  return dtype === 'float32' && shape.length >= 2 && product(shape.slice(0, -2)) === 1;
}

/** Measured costs of moving one element and of calling the kernels, in multiplications of the scalar loop. */
const MULTIPLICATIONS_PER_ELEMENT = 4;
const MULTIPLICATIONS_PER_CALL = 4000;

/**
 * Whether to transpose the operands that are passed transposed, or else the other operands and the product; undefined
 * if neither pays.
 */
function cheapestTransposes({ transposeA, transposeB, m, k, n }: MatrixProduct): 'operands' | 'product' | undefined {
  const [sizeOfA, sizeOfB] = [m * k, k * n];
  // The right operand is moved twice: XNNPACK packs it.
  const operands = (transposeA ? sizeOfA : 0) + (transposeB ? sizeOfB : 0) + sizeOfB;
  const others = (transposeA ? 0 : sizeOfA) + (transposeB ? 0 : sizeOfB) + m * n + sizeOfA;
  const moved = Math.min(operands, others);
  if (m * k * n < MULTIPLICATIONS_PER_ELEMENT * moved + MULTIPLICATIONS_PER_CALL) return undefined;
  return operands <= others ? 'operands' : 'product';
}
