import { isWanted } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { hasKernel, runGradients, runKernel } from '../dispatch/register.js';
import { type AttentionAttributes, operandInputs } from './webgpu.js';

/**
 * Saves what q, k and v lie in, the tables, the output and the rows' statistics; the weights are recomputed.
 *
 * The gradient of a table is a pass of its own, which is only run where it is asked for.
 */
export const attentionGradient: tf.GradConfig = {
  kernelName: 'headwise/Attention',
  saveAllInputs: true,
  outputsToSave: [true, true],
  gradFunc: (dys, saved, attributes) => {
    const [dy] = dys as unknown as tf.Tensor[];
    const given = attributes as unknown as AttentionAttributes;
    const inputs = [...(saved as tf.Tensor[]), dy!];
    const operands = operandInputs(given);
    const tables = inputs.slice(operands, -3);
    const names = [...Array.from({ length: operands }, (_, i) => String(i)), 'rows'];
    const of = runGradients(
      'headwise/AttentionGradient',
      inputs,
      names,
      attributes as object,
      (name) => (name === 'rows' ? tables.length > 0 : isWanted(name)),
    );
    const ofTables = tables.map(
      (table, n) => () => tableGradient(given, inputs, of.rows!(), table, n),
    );
    // By index, as the inputs are: TensorFlow.js types gradients by name.
    const thunks: object = [...names.slice(0, -1).map((name) => of[name]), ...ofTables];
    return thunks as ReturnType<tf.GradFunc>;
  },
};

/** What looking up in a table, and being a sink, adds to its gradient. */
function tableGradient(
  attributes: AttentionAttributes,
  inputs: readonly tf.Tensor[],
  rows: tf.Tensor,
  table: tf.Tensor,
  n: number,
): tf.Tensor {
  const { score } = attributes;
  if (table.dtype !== 'float32') return tf.zeros(table.shape);
  const parts: tf.Tensor[] = [];
  if (score.lookups.some((site) => site.table === n)) {
    const given = [...inputs.slice(0, -3), inputs.at(-1)!, rows];
    const ofTable = { ...attributes, table: n };
    const own = runKernel('headwise/AttentionTableGradient', given, ofTable)[0]!;
    parts.push(own.reshape(table.shape));
  }
  if (score.sink?.text === String(n)) parts.push(sinkGradient(table, rows));
  return parts.length === 0 ? tf.zeros(table.shape) : tf.addN(parts);
}

/** `−Σ e^(sink − log-sum-exp) D` over the queries of each head: a sink's value is 0. */
function sinkGradient(sinks: tf.Tensor, rows: tf.Tensor): tf.Tensor {
  if (hasKernel('headwise/AttentionSinkGradient')) {
    return runKernel('headwise/AttentionSinkGradient', { sinks, rows })[0]!;
  }
  const [batch, heads, queries] = rows.shape as [number, number, number, number];
  const field = (n: number) => rows.slice([0, 0, 0, n], [batch, heads, queries, 1]);
  const weight = sinks.reshape([1, heads, 1, 1]).sub(field(0)).sub(field(1)).exp();
  return weight.mul(field(2)).neg().sum([0, 2, 3]);
}
