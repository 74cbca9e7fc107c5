// Makes ONNX models of one node, encoded as protobuf here. Field numbers are those of onnx.proto.
import { inputsOf } from '../cases.mjs';

const FLOAT = 1;
const INT64 = 7;
const OPSET = 13;

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
const number = (field, value) => [...varint(field << 3), ...varint(value)];
const bytes = (field, content) => [...varint((field << 3) | 2), ...varint(content.length), ...content];
const text = (field, value) => bytes(field, new TextEncoder().encode(value));

const integer = (name, value) => [...text(1, name), ...number(3, value), ...number(20, 2)];
const integers = (name, values) => [...text(1, name), ...values.flatMap((v) => number(8, v)), ...number(20, 7)];

function valueInfo(name, { type, shape }) {
  const dimensions = shape.flatMap((size) => bytes(1, number(1, size)));
  return [...text(1, name), ...bytes(2, bytes(1, [...number(1, type), ...bytes(2, dimensions)]))];
}

/** The model y = op(inputs). */
function oneNodeModel(op, { inputs, output, type = FLOAT, attributes }) {
  const names = Object.keys(inputs);
  const node = [
    ...names.flatMap((name) => text(1, name)),
    ...text(2, 'y'),
    ...text(4, op),
    ...attributes.flatMap((attribute) => bytes(5, attribute)),
  ];
  const graph = [
    ...bytes(1, node),
    ...text(2, 'graph'),
    ...names.flatMap((name) => bytes(11, valueInfo(name, inputs[name]))),
    ...bytes(12, valueInfo('y', { type, shape: output })),
  ];
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, [...text(1, ''), ...number(2, OPSET)])]);
}

const MODELS = {
  softmax: ([rows, n]) => ['Softmax', [rows, n], [integer('axis', 1)]],
  logSoftmax: ([rows, n]) => ['LogSoftmax', [rows, n], [integer('axis', 1)]],
  logSumExp: ([rows]) => ['ReduceLogSumExp', [rows], [integers('axes', [1]), integer('keepdims', 0)]],
  argmax: ([rows]) => ['ArgMax', [rows], [integer('axis', 1), integer('keepdims', 0)], INT64],
  sigmoid: (shape) => ['Sigmoid', shape, []],
  crossEntropy: () => ['SoftmaxCrossEntropyLoss', [], []],
};

/**
 * The worker's part that both ONNX Runtimes share.
 * @param ort the module
 * @param version of the package
 * @param options of the session
 */
export function onnxPeer(ort, version, options) {
  return {
    version,
    async prepare({ operation, shape }) {
      if (!(operation in MODELS)) return undefined;
      const [op, output, attributes, type] = MODELS[operation](shape);
      const { x, targets } = inputsOf({ operation, shape });
      const inputs = { x: { type: FLOAT, shape } };
      const feeds = { x: new ort.Tensor('float32', x, shape) };
      if (targets.length > 0) {
        inputs.targets = { type: INT64, shape: [shape[0]] };
        feeds.targets = new ort.Tensor('int64', BigInt64Array.from(targets, BigInt), [shape[0]]);
      }
      const session = await ort.InferenceSession.create(
        oneNodeModel(op, { inputs, output, type, attributes }),
        options,
      );
      // Passing an output tensor makes onnxruntime-node no faster, and onnxruntime-web ignores it.
      const run = () => session.run(feeds);
      return { run, result: async () => (await run()).y.data, dispose: () => session.release() };
    },
  };
}
