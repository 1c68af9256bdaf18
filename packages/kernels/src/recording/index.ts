import { InputError } from '@headwise/core';
import { lossOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { forgetKnown } from '../dispatch/known.js';
import { changingData } from './active.js';
import { type Backend, flush, webgpuBackend } from './backend.js';
import { StepBuffers } from './buffers.js';
import { type Command, encode, joinPasses } from './commands.js';
import { mapTensors } from './containers.js';
import { hook } from './hooks.js';
import { StepOutputs } from './outputs.js';
import { Trace } from './trace.js';

export { overwriteTensor } from './overwrite.js';

/** Encoders that hold the commands of a replay. */
const replayed = new WeakSet<GPUCommandEncoder>();

/** A step that was recorded: its commands, over buffers that are its own. */
export interface Recording<T> {
  /** What the step returned; after `replay` the same tensors hold the new values, unless they were lent. */
  readonly outputs: T;
  /** The number of dispatches that a replay submits. */
  readonly dispatches: number;
  /**
   * A hash of everything that JavaScript decided: pipelines, sizes of dispatches, and the numbers that it gave to tensors and to operations.
   * Two recordings of one step with different inputs differ in it where something else than those inputs decides what the step computes.
   */
  readonly trace: string;
  /**
   * Whether a tensor that the step reads was disposed, or assigned anew, since it was recorded, or a buffer that it lent is in use:
   * `replay` throws then.
   */
  readonly stale: boolean;
  /**
   * Records the commands of the step again, without the JavaScript of its operations. As those of other operations, they are submitted when
   * something is read, and at the latest by the next replay of a step.
   *
   * @param times how often, one after the other, in one submission; default 1
   * @throws InputError where a tensor that the step reads was disposed, or assigned anew, since it was recorded
   * @throws DeviceLostError
   */
  replay(times?: number): void;
  /**
   * Disposes the outputs, whose buffers other work may have until the next replay: that returns them in new tensors. With the
   * option `lend` only.
   */
  lendOutputs(): void;
  /** Frees the outputs, and the buffers that the step used. */
  dispose(): void;
}

export interface RecordOptions {
  /**
   * Tensors of ids, masks and the like that are overwritten between replays. Operations that would decide by their values in
   * JavaScript decide on the device, or refuse to be recorded. Default none.
   */
  changing?: readonly tf.Tensor[] | undefined;
  /**
   * Lends the buffers of intermediate results to other work between replays, so that the step takes no more memory than one that is
   * not recorded. Where other work has one of them when the step is to be replayed, the recording is stale. Default false.
   */
  lend?: boolean | undefined;
}

/**
 * Runs a step of GPU work once and records its pipelines, bindings and dispatches, to submit them again.
 *
 * Tensors that the step reads are read anew by each replay: write new values into them with
 * `overwriteTensor`. Everything that JavaScript decided is as it was: shapes, numbers, branches. The step
 * must not read values back, and changes state only in place.
 *
 * @param step what it returns are the outputs; all else that it makes it must let go of
 * @throws what the step throws, and nothing of it stays then
 * @throws InputError on another backend than WebGPU of `start`, and where the step frees or moves a tensor that it
 * was given, or keeps one that it does not return
 * @example
 * const x = tf.tensor1d([1, 2, 3]);
 * const recording = recordStep(() => x.square().sum());
 * overwriteTensor(x, Float32Array.of(4, 5, 6));
 * recording.replay();
 * await recording.outputs.data(); // [77]
 */
export function recordStep<T extends tf.TensorContainer>(
  step: () => T,
  { changing = [], lend = false }: RecordOptions = {},
): Recording<T> {
  const backend = webgpuBackend('record');
  const buffers = new StepBuffers(backend.bufferManager);
  const log: Command[] = [];
  const trace = new Trace();
  const made = new Set<object>();
  const used = new Map<object, GPUBuffer>();
  const restore = hook(backend, { buffers, log, trace, made, used });
  for (const { dataId } of changing) changingData.add(dataId);
  let outputs: T;
  let whole = false;
  try {
    outputs = tf.tidy(() => mapTensors(step(), (tensor) => tf.keep(tensor.clone())));
    whole = true;
  } finally {
    // While the hooks are on: what the step let go of stays with the recording.
    flush(backend);
    restore();
    changingData.clear();
    if (!whole) buffers.dispose();
  }
  const own = new StepOutputs(backend, outputs, made);
  const given = new Map([...used].filter(([dataId]) => !made.has(dataId)));
  try {
    checkUnmoved(backend, given, 'the step itself');
    const kept = [...made].filter((id) => backend.tensorMap.has(id) && !own.data.includes(id));
    if (kept.length > 0) {
      throw new InputError(
        `recordStep: the step keeps tensors that it does not return (${kept.length}), by tf.keep or by assigning a variable; change state in place`,
      );
    }
  } catch (error) {
    own.dispose();
    buffers.dispose();
    throw error;
  }
  const commands = joinPasses(log);
  trace.addCommands(commands);
  if (lend) buffers.lend();
  const isBack = () => buffers.isBack && own.isBack;
  return {
    get outputs() {
      return own.tensors;
    },
    dispatches: commands.filter(({ kind }) => kind === 'dispatch').length,
    trace: trace.hash,
    get stale() {
      return movedIn(backend, given) !== undefined || !isBack();
    },
    replay(times = 1) {
      const lost = lossOf(backend.device);
      if (lost) throw lost;
      checkUnmoved(backend, given, 'something after it was recorded');
      // A driver may reset a GPU that one submission keeps busy for seconds.
      if (backend.commandEncoder && replayed.has(backend.commandEncoder)) flush(backend);
      if (!isBack()) {
        throw new InputError(
          'a recorded step needs a buffer that it lent and other work still uses',
        );
      }
      buffers.takeBack();
      own.takeBack();
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      const encoder = backend.commandEncoder!;
      for (let i = 0; i < times; i++) encode(encoder, commands);
      replayed.add(encoder);
      // What others compute in them comes after these commands, and before those of the next replay.
      if (lend) buffers.lend();
      // Values that were read before are old now.
      for (const dataId of [...own.data, ...given.keys()]) {
        backend.tensorMap.get(dataId).values = null;
        backend.commandQueueOwnedIds.add(dataId);
        forgetKnown({ dataId });
      }
    },
    lendOutputs() {
      if (!lend) throw new InputError("lendOutputs: the step was recorded without 'lend'");
      own.lend();
    },
    dispose() {
      own.dispose();
      flush(backend);
      buffers.dispose();
    },
  };
}

/** The buffer of the first tensor of a step that no longer lies there. */
function movedIn(backend: Backend, given: ReadonlyMap<object, GPUBuffer>): GPUBuffer | undefined {
  for (const [dataId, buffer] of given) {
    const lies = backend.tensorMap.has(dataId) && backend.tensorMap.get(dataId).resource === buffer;
    if (!lies) return buffer;
  }
  return undefined;
}

/** Throws unless every tensor that a step was given still lies in the buffer that it lay in. */
function checkUnmoved(backend: Backend, given: ReadonlyMap<object, GPUBuffer>, by: string): void {
  const moved = movedIn(backend, given);
  if (!moved) return;
  throw new InputError(
    `a recorded step reads a tensor of ${moved.size} bytes that ${by} disposed or assigned anew; change it in place`,
  );
}
