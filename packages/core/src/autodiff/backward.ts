import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { sharedZeros } from '../zeros.js';
import { disposeSaved, type TapeNode } from './tape.js';
import { wanting } from './wanted.js';

/**
 * The gradients of some tensors, from those of a tape's results: reverse-mode differentiation that frees what it has used.
 *
 * TensorFlow.js keeps every saved tensor and the gradient of every intermediate result until the last gradient is there.
 * Here both go as soon as their operation is done, so that the memory falls from the activations to the gradients.
 *
 * @param tape of the operations; what it saved is freed
 * @param dys gradients of the tape's results, by the results' ids; freed
 * @param sources the ids of the tensors to have gradients of
 * @returns the gradients by id, which the caller disposes; without those of sources that the results do not depend on
 * @throws Error for an operation without a gradient
 */
export function backward(
  tape: readonly TapeNode[],
  dys: ReadonlyMap<number, tf.Tensor>,
  sources: Iterable<number>,
): Map<number, tf.Tensor> {
  const gradients = new Map(dys);
  const wanted = new Set(sources);
  const dependent = new Set(wanted);
  const nodes = tape.map((node) => {
    const depends = Object.values(node.inputs).some((input) => dependent.has(input?.id as number));
    if (depends) for (const { id } of node.outputs) dependent.add(id);
    else disposeSaved([node]);
    return { node, depends };
  });
  try {
    for (const { node, depends } of nodes.reverse()) {
      const used = node.outputs.map(({ id }) => gradients.get(id) ?? null);
      if (depends && used.some((dy) => dy !== null)) {
        for (const [id, dx] of gradientsOfNode(node, used, dependent)) {
          add(gradients, id, dx);
        }
      }
      disposeSaved([node]);
      for (const { id } of node.outputs) {
        if (wanted.has(id)) continue;
        gradients.get(id)?.dispose();
        gradients.delete(id);
      }
    }
  } catch (error) {
    disposeSaved(tape);
    tf.dispose([...gradients.values()]);
    throw error;
  }
  for (const [id, gradient] of gradients) {
    if (wanted.has(id)) continue;
    gradient.dispose();
    gradients.delete(id);
  }
  return gradients;
}

/**
 * Gradients of the inputs of one operation, each a tensor of its own; those that nothing depends on are not computed.
 *
 * @param given gradients of its outputs; null for those that nothing read
 */
function gradientsOfNode(
  { kernelName, inputs, outputs, gradient, saved = [] }: TapeNode,
  given: readonly (tf.Tensor | null)[],
  dependent: ReadonlySet<number>,
): [id: number, dx: tf.Tensor][] {
  if (!gradient) throw new Error(`the operation '${kernelName}' has no gradient`);
  const names = Object.keys(inputs).filter((name) => dependent.has(inputs[name]?.id as number));
  const made: Record<string, tf.Tensor> = tf.tidy(() => {
    // TensorFlow.js would fill an array for each output that nothing read.
    const dys = given.map((dy, i) => {
      const { shape, dtype } = outputs[i]!;
      return (
        dy ?? (dtype === 'float32' ? tf.tensor(sharedZeros(sizeOf(shape)), shape, dtype) : null)
      );
    });
    const thunks = wanting(names, () => gradient(dys, names));
    // Not a tensor that is freed behind it, nor one for two inputs.
    const taken = new Set<unknown>([...dys, ...saved]);
    const own = names.map((name) => {
      const thunk = thunks[name];
      if (!thunk) throw new Error(`the operation '${kernelName}' has no gradient for '${name}'`);
      const dx = thunk();
      const { shape } = inputs[name]!;
      if (dx.shape.join() !== shape.join()) {
        throw new Error(
          `the gradient of '${kernelName}' for '${name}' has shape [${dx.shape}]; expected [${shape}]`,
        );
      }
      const mine = taken.has(dx) ? dx.clone() : dx;
      taken.add(mine);
      return [name, mine] as const;
    });
    return Object.fromEntries(own);
  });
  return names.map((name) => [inputs[name]!.id, made[name]!]);
}

/** Adds a gradient to what a tensor has already; both are freed. */
function add(gradients: Map<number, tf.Tensor>, id: number, dx: tf.Tensor): void {
  const before = gradients.get(id);
  if (!before) {
    gradients.set(id, dx);
    return;
  }
  gradients.set(id, before.add(dx));
  before.dispose();
  dx.dispose();
}
