import * as tf from '@tensorflow/tfjs';
import type { ForwardContext } from '../layer.js';
import { Random } from '../random.js';
import { backward } from './backward.js';
import { disposeSaved, isRecording, record, type TapeNode, taped } from './tape.js';
import { neededOperations, skipDispatches } from './unread.js';

/**
 * Runs a function to which tensors are there again that their scope has freed, but not their memory: `saved` holds it.
 */
function withTensors<T>(tensors: readonly tf.Tensor[], f: () => T): T {
  const freed = tensors.filter(({ isDisposed }) => isDisposed) as unknown as {
    isDisposedInternal: boolean;
  }[];
  for (const tensor of freed) tensor.isDisposedInternal = false;
  try {
    return f();
  } finally {
    for (const tensor of freed) tensor.isDisposedInternal = true;
  }
}

/**
 * Computes a part again as far as gradients read it: its last operations are recorded, and compute nothing.
 *
 * @param operations how many the first pass recorded, and how many of them are needed
 * @returns the tape, and the id of the result, which is freed
 */
function tapedAgain(
  f: () => tf.Tensor,
  operations: { all: number; needed: number },
): { result: number; tape: TapeNode[] } {
  let end: (() => void) | undefined;
  const skipping = taped(
    () => {
      try {
        return f();
      } finally {
        end?.();
      }
    },
    undefined,
    (count) => {
      if (count === operations.needed && count < operations.all) end = skipDispatches();
    },
  );
  skipping.result.dispose();
  if (skipping.tape.length === operations.all) {
    return { result: skipping.result.id, tape: skipping.tape };
  }
  // What the first pass computed for all has gone, and is counted with the part: the last operations are others.
  disposeSaved(skipping.tape);
  const { result, tape } = taped(f);
  result.dispose();
  return { result: result.id, tape };
}

/**
 * A part of a forward pass whose intermediate results are not kept: the backward pass computes them again.
 *
 * It keeps its inputs alone, so that the activations of a model are those between its parts, and of one part at a time; the
 * forward pass is computed twice. Dropout drops the same values again.
 *
 * @param f a function of tensors of enclosing scopes and of variables, which gives the same again
 * @see Chen et al. 2016, https://arxiv.org/abs/1604.06174
 */
export function checkpointed(
  f: (ctx: ForwardContext | undefined) => tf.Tensor,
  ctx: ForwardContext | undefined,
): tf.Tensor {
  if (!isRecording()) return f(ctx);
  const state = ctx?.random?.state;
  const { result, tape } = taped(() => f(ctx));
  const operations = { all: tape.length, needed: neededOperations(tape) };
  const made = new Set(tape.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
  const inputs: Record<string, tf.Tensor> = {};
  for (const tensor of tape.flatMap((node) => Object.values(node.inputs))) {
    // Constants that `f` made are gone.
    if (tensor && !tensor.isDisposed && !made.has(tensor.id)) inputs[tensor.id] = tensor;
  }
  disposeSaved(tape);
  const held = Object.values(inputs).filter((tensor) => !(tensor instanceof tf.Variable));
  // A clone has memory of its own on wasm, a reshaped tensor has not.
  const { result: saved, tape: reshapes } = taped(() =>
    held.map((tensor) => tf.keep(tf.reshape(tensor, tensor.shape))),
  );
  disposeSaved(reshapes);
  record({
    kernelName: 'Checkpoint',
    inputs,
    outputs: [result],
    saved,
    gradient: ([dy], names = Object.keys(inputs)) =>
      withTensors(held, () => {
        const again = tapedAgain(
          () => f(state && ctx ? { ...ctx, random: new Random(state) } : ctx),
          operations,
        );
        const ids = names.map((name) => inputs[name]!.id);
        const dys = new Map([[again.result, dy!.clone()]]);
        const gradients = backward(again.tape, dys, ids);
        return Object.fromEntries(
          names.map((name, i) => [
            name,
            () => gradients.get(ids[i]!) ?? tf.zeros(inputs[name]!.shape),
          ]),
        );
      }),
  });
  return result;
}
