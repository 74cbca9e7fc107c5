/** Makes an ONNX model, encoded as protobuf here. Field numbers are those of onnx.proto. */

type Bytes = readonly number[];

/** An element type of ONNX, and the bytes of its numbers. */
const TYPES = { float32: 1, float16: 10 } as const;
const OPSET = 13;
const IR_VERSION = 8;

function varint(value: number): Bytes {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}
const integer = (field: number, value: number): Bytes => [...varint(field << 3), ...varint(value)];
const message = (field: number, ...content: Bytes[]): Bytes => {
  const bytes = content.flat();
  return [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
};
const text = (field: number, value: string): Bytes => message(field, [...new TextEncoder().encode(value)]);

function valueInfo(field: number, name: string, type: number, shape: readonly number[]): Bytes {
  const sizes = message(2, ...shape.map((size) => message(1, integer(1, size))));
  return message(field, text(1, name), message(2, message(1, integer(1, type), sizes)));
}

function initializer(name: string, data: Float32Array, shape: readonly number[]): Bytes {
  const raw = [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
  return message(
    5,
    ...shape.map((size) => integer(1, size)),
    integer(2, TYPES.float32),
    text(8, name),
    message(9, raw),
  );
}

const node = (operation: string, inputs: readonly string[], output: string, ...attributes: Bytes[]): Bytes =>
  message(1, ...inputs.map((name) => text(1, name)), text(2, output), text(4, operation), ...attributes);

/**
 * logits = x · weights + bias: the last layer of a classifier. It computes in float32, and its output has the type
 * `type`.
 */
export function linearModel(
  weights: Float32Array,
  bias: Float32Array,
  rows: number,
  type: keyof typeof TYPES = 'float32',
): Uint8Array {
  const n = bias.length;
  const features = weights.length / n;
  const toType = message(5, text(1, 'to'), integer(3, TYPES[type]), integer(20, 2));
  const graph = message(
    7,
    node('MatMul', ['x', 'weights'], 'products'),
    node('Add', ['products', 'bias'], 'sums'),
    node('Cast', ['sums'], 'logits', toType),
    text(2, 'classifier'),
    initializer('weights', weights, [features, n]),
    initializer('bias', bias, [n]),
    valueInfo(11, 'x', TYPES.float32, [rows, features]),
    valueInfo(12, 'logits', TYPES[type], [rows, n]),
  );
  return Uint8Array.from([...integer(1, IR_VERSION), ...graph, ...message(8, text(1, ''), integer(2, OPSET))]);
}
