import { showShape } from '../errors.js';
import { dtypeOf, type Operand } from './place.js';
import { areEqual } from './shape.js';

/** @throws TypeError unless both have the same dtype, RangeError unless they have the same shape or length. */
export function checkLikeness(operation: string, operand: Operand, first: Operand): void {
  if (operand.elementBytes !== first.elementBytes) {
    const { argument } = operand;
    throw new TypeError(
      `${operation}: ${argument} is ${dtypeOf(operand)}, expected ${dtypeOf(first)}, as ${first.argument}`,
    );
  }
  checkSameShape(operation, operand, first);
}

/** @throws RangeError unless they have the same shape, or length where one has no shape. */
export function checkSameShape(
  operation: string,
  { argument, shape, length }: Pick<Operand, 'argument' | 'shape' | 'length'>,
  first: Operand,
): void {
  const expectedShape = first.shape;
  const hasShapes = shape !== undefined && expectedShape !== undefined;
  if (hasShapes ? areEqual(shape, expectedShape) : length === first.length) return;
  const got = hasShapes ? `has shape ${showShape(shape)}` : `has ${length} elements`;
  const expected = hasShapes ? showShape(expectedShape) : `${first.length}`;
  throw new RangeError(`${operation}: ${argument} ${got}, expected ${expected}, as ${first.argument}`);
}
