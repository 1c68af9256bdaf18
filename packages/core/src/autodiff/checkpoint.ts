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

/** A part of a forward pass. */
type Part = (ctx: ForwardContext | undefined) => tf.Tensor;

/**
 * The result of a part, and behind it the scores of its routers, which are results too: a loss may add to them.
 *
 * @param paths gets the path of each router
 */
function withScores(f: Part, ctx: ForwardContext | undefined, paths: string[] = []): tf.Tensor[] {
  if (!ctx?.onRouting) return [f(ctx)];
  const scores: tf.Tensor[] = [];
  const onRouting = (path: string, seen: tf.Tensor2D) => {
    paths.push(path);
    // They are seen inside of tidies.
    scores.push(tf.keep(seen.clone()));
  };
  try {
    return [f({ ...ctx, onRouting }), ...scores];
  } catch (error) {
    tf.dispose(scores);
    throw error;
  }
}

/**
 * Computes a part again as far as gradients read it: its last operations are recorded, and compute nothing.
 *
 * @param operations how many the first pass recorded, and how many of them are needed
 * @returns the tape, and the ids of the results, which are freed
 */
function tapedAgain(
  f: () => tf.Tensor[],
  operations: { all: number; needed: number },
): { results: number[]; tape: TapeNode[] } {
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
  tf.dispose(skipping.result);
  if (skipping.tape.length === operations.all) {
    return { results: skipping.result.map(({ id }) => id), tape: skipping.tape };
  }
  // What the first pass computed for all has gone, and is counted with the part: the last operations are others.
  disposeSaved(skipping.tape);
  const { result, tape } = taped(f);
  tf.dispose(result);
  return { results: result.map(({ id }) => id), tape };
}

/**
 * A part of a forward pass whose intermediate results are not kept: the backward pass computes them again.
 *
 * It keeps its inputs alone, so that the activations of a model are those between its parts, and of one part at a time; the
 * forward pass is computed twice. Dropout drops the same values again. Routers' scores are results like the part's own: `ctx.onRouting` sees them
 * once, and a loss that it adds to has their gradients.
 *
 * @param f a function of tensors of enclosing scopes and of variables, which gives the same again
 * @see Chen et al. 2016, https://arxiv.org/abs/1604.06174
 */
export function checkpointed(f: Part, ctx: ForwardContext | undefined): tf.Tensor {
  if (!isRecording()) return f(ctx);
  const state = ctx?.random?.state;
  const paths: string[] = [];
  const { result: results, tape } = taped(() => withScores(f, ctx, paths));
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
    outputs: results,
    saved,
    gradient: (dys, names = Object.keys(inputs)) =>
      withTensors(held, () => {
        const again = tapedAgain(
          () => withScores(f, state && ctx ? { ...ctx, random: new Random(state) } : ctx),
          operations,
        );
        const ids = names.map((name) => inputs[name]!.id);
        const given = new Map(again.results.map((id, i) => [id, dys[i]!.clone()]));
        const gradients = backward(again.tape, given, ids);
        return Object.fromEntries(
          names.map((name, i) => [
            name,
            () => gradients.get(ids[i]!) ?? tf.zeros(inputs[name]!.shape),
          ]),
        );
      }),
  });
  const [result, ...scores] = results;
  for (const [i, seen] of scores.entries()) {
    ctx?.onRouting?.(paths[i]!, seen as tf.Tensor2D);
    seen.dispose();
  }
  return result!;
}
