import { showShape } from '../errors.js';
import { dtypeOf, type Operand } from './place.js';
import { areEqual } from './shape.js';

/** Checks that an operand has the dtype and shape of the first one. @throws TypeError, RangeError */
export function checkLikeness(operation: string, operand: Operand, first: Operand): void {
  if (operand.elementBytes !== first.elementBytes) {
    const { argument } = operand;
    throw new TypeError(
      `${operation}: ${argument} is ${dtypeOf(operand)}, expected ${dtypeOf(first)}, as ${first.argument}`,
    );
  }
  checkSameShape(operation, operand, first);
}

/**
 * Checks that an operand has the shape of the first one, or its length if one of them has no shape. @throws RangeError
 */
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
