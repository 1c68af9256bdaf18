import * as tf from '@tensorflow/tfjs';

/** One operation that TensorFlow.js recorded. */
export interface TapeNode {
  kernelName: string;
  inputs: Record<string, tf.Tensor>;
  outputs: tf.Tensor[];
  /** The gradients of the inputs, by name, from those of the outputs; of those that are named, where some are. */
  gradient?:
    | ((dys: (tf.Tensor | null)[], names?: readonly string[]) => Record<string, () => tf.Tensor>)
    | undefined;
  /** Clones of what `gradient` reads; the tape owns them. */
  saved?: readonly (tf.Tensor | null)[] | undefined;
}

/** The parts of TensorFlow.js 4.22's engine that record operations. */
interface Engine {
  state: { gradientDepth: number; kernelDepth: number; activeTape: TapeNode[] | null };
  startTape(): void;
  endTape(): void;
}

const engine = () => tf.engine() as unknown as Engine;

/** The ids of tensors that depend on the sources of the innermost tape, where that has some. */
let dependents: ReadonlySet<number> | undefined;

/** Whether a gradient with respect to a tensor can be asked for, as far as is known while operations are recorded. */
export const mayNeedGradient = ({ id }: tf.Tensor): boolean => dependents?.has(id) ?? true;

/** Whether operations are recorded now, for gradients. */
export function isRecording(): boolean {
  const { gradientDepth, kernelDepth } = engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}

/**
 * Runs a function and records its operations on a tape of its own.
 *
 * @param sources ids of tensors; operations that depend on none of them are not recorded, and save nothing. Default: all are
 * @param recorded is called after each operation that is recorded, with the number of those so far
 * @returns its result, and the tape, whose saved tensors the caller disposes
 */
export function taped<T extends tf.TensorContainer>(
  f: () => T,
  sources?: Iterable<number>,
  recorded?: (count: number) => void,
): { result: T; tape: TapeNode[] } {
  const { state } = engine();
  const outer = { tape: state.activeTape, depth: state.gradientDepth, kernels: state.kernelDepth };
  state.gradientDepth = 0;
  state.kernelDepth = 0;
  engine().startTape();
  const tape = state.activeTape!;
  keepShapesAlone(tape);
  if (recorded) tellOfEach(tape, recorded);
  const outerDependents = dependents;
  dependents = sources && leaveOutConstants(tape, new Set(sources));
  try {
    return { result: tf.tidy(f), tape };
  } catch (error) {
    disposeSaved(tape);
    throw error;
  } finally {
    dependents = outerDependents;
    engine().endTape();
    state.activeTape = outer.tape;
    state.gradientDepth = outer.depth;
    state.kernelDepth = outer.kernels;
  }
}

/** Operations whose gradients read of what they save the shapes alone. */
const readingShapes: ReadonlySet<string> = new Set([
  ...['Add', 'AddN', 'Sub', 'Sum', 'Mean'],
  ...['Reshape', 'ExpandDims', 'Concat', 'Pack', 'Slice', 'PadV2'],
]);

/** Frees at once what TensorFlow.js saves for the sake of its shape, such as the summands of a residual stream. */
function keepShapesAlone(tape: TapeNode[]): void {
  const push = tape.push.bind(tape);
  tape.push = (...nodes) => {
    for (const node of nodes) {
      if (!readingShapes.has(node.kernelName)) continue;
      // Its gradient keeps the tensors themselves, and with them their shapes.
      disposeSaved([node]);
      node.saved = [];
    }
    return push(...nodes);
  };
}

function tellOfEach(tape: TapeNode[], recorded: (count: number) => void): void {
  const push = tape.push.bind(tape);
  tape.push = (...nodes) => {
    const count = push(...nodes);
    recorded(count);
    return count;
  };
}

/**
 * Lets a tape take the operations alone that depend on some tensors; what others saved is freed.
 *
 * @returns the ids of these tensors and of all that depend on them
 */
function leaveOutConstants(tape: TapeNode[], dependent: Set<number>): ReadonlySet<number> {
  const push = tape.push.bind(tape);
  tape.push = (...nodes) => {
    for (const node of nodes) {
      if (Object.values(node.inputs).some((input) => dependent.has(input?.id as number))) {
        for (const { id } of node.outputs) dependent.add(id);
        push(node);
      } else {
        disposeSaved([node]);
      }
    }
    return tape.length;
  };
  return dependent;
}

/** Adds an operation to the tape that is being recorded. */
export function record(node: TapeNode): void {
  engine().state.activeTape!.push(node);
}

/** Frees what a tape saved for the backward pass. */
export function disposeSaved(tape: readonly TapeNode[]): void {
  for (const { saved } of tape) {
    for (const tensor of saved ?? []) if (tensor && !tensor.isDisposed) tensor.dispose();
  }
}
