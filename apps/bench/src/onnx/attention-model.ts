import { bytes, type Field, joined, message, number, text } from './protobuf.js';

/** The size of attention over one sequence, `[1, T, H Dh]`. */
export interface AttentionSize {
  heads: number;
  length: number;
  width: number;
}

/** The contributed operators of onnxruntime that are fused attention. */
export type AttentionOperator = 'MultiHeadAttention' | 'GroupQueryAttention';

/** Element types of a TensorProto. */
const float32 = 1;
const int32 = 6;

/**
 * An ONNX model of one operator, from `q k v` `[1, T, H Dh]` to `y` of the same shape.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto,
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
export function attentionModel(
  operator: AttentionOperator,
  { heads, length, width }: AttentionSize,
  causal: boolean,
): Uint8Array {
  const whole = [1, length, heads * width];
  const perHead = [1, heads, length, width];
  const grouped = operator === 'GroupQueryAttention';
  const node = grouped
    ? operatorNode(operator, ['q', 'k', 'v', '', '', 'lengths', 'total'], ['y', 'keys', 'values'], {
        num_heads: heads,
        kv_num_heads: heads,
      })
    : operatorNode(operator, ['q', 'k', 'v'], ['y'], {
        num_heads: heads,
        unidirectional: Number(causal),
      });
  const constants = grouped
    ? [scalar('lengths', [1], length - 1), scalar('total', [], length)]
    : [];
  const outputs = [value('y', whole)];
  if (grouped) outputs.push(value('keys', perHead), value('values', perHead));
  return joined([
    number(1, 8), // ir_version
    message(7, [
      message(1, node),
      text(2, 'attention'),
      ...constants.map((tensor) => message(5, tensor)),
      ...['q', 'k', 'v'].map((name) => message(11, value(name, whole))),
      ...outputs.map((output) => message(12, output)),
    ]),
    message(8, [text(1, ''), number(2, 20)]), // opset_import
    message(8, [text(1, 'com.microsoft'), number(2, 1)]),
  ]);
}

/** A NodeProto; its attributes are whole numbers. */
function operatorNode(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, number>,
): Field[] {
  return [
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, operator),
    ...Object.entries(attributes).map(([name, attribute]) =>
      message(5, [text(1, name), number(3, attribute), number(20, 2)]),
    ),
    text(7, 'com.microsoft'),
  ];
}

/** A ValueInfoProto of float32. */
function value(name: string, shape: readonly number[]): Field[] {
  const dimensions = shape.map((n) => message(1, [number(1, n)]));
  return [text(1, name), message(2, [message(1, [number(1, float32), message(2, dimensions)])])];
}

/** A TensorProto that holds one int32. */
function scalar(name: string, shape: readonly number[], constant: number): Field[] {
  const raw = new Uint8Array(Int32Array.of(constant).buffer);
  return [...shape.map((n) => number(1, n)), number(2, int32), text(8, name), bytes(9, raw)];
}
