import { InputError } from '@headwise/core';
import { countWrite, isOwnBackend, lossOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { forgetKnown, rememberKnown } from '../dispatch/known.js';
import { checkAgain } from '../ids/index.js';
import { changingData, recordingBackends } from './active.js';
import { type BufferManager, StepBuffers } from './buffers.js';
import { type Command, encode, joinPasses, loggingEncoder } from './commands.js';
import { mapTensors, tensorsIn } from './containers.js';
import { Trace } from './trace.js';

interface TensorData {
  resource?: GPUBuffer | undefined;
  /** A copy on the CPU, where the values were read. */
  values: unknown;
}

/** The parts of TensorFlow.js 4.22's WebGPU backend that a recording stands in for. */
interface Backend {
  device: GPUDevice;
  bufferManager: BufferManager & Record<string, unknown>;
  tensorMap: { has(dataId: object): boolean; get(dataId: object): TensorData };
  commandEncoder: GPUCommandEncoder | null;
  write(values: unknown, shape: number[], dtype: tf.DataType): object;
  uploadToGPU(dataId: object): void;
  ensureCommandEncoderReady(): void;
  /** Data whose memory is kept until the commands so far are submitted. */
  commandQueueOwnedIds: Pick<WeakSet<object>, 'has' | 'add'>;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** A step that was recorded: its commands, over buffers that are its own. */
export interface Recording<T> {
  /** What the step returned; after `replay` the same tensors hold the new values. */
  readonly outputs: T;
  /** The number of dispatches that a replay submits. */
  readonly dispatches: number;
  /**
   * A hash of the pipelines, the sizes of the dispatches, and the values that JavaScript gave to tensors. Two recordings of one step
   * with different inputs differ in it where something else than those inputs decides what the step computes.
   */
  readonly trace: string;
  /**
   * Whether a tensor that the step reads was disposed, or assigned anew, since it was recorded, or a buffer that it lent is in use:
   * `replay` throws then.
   */
  readonly stale: boolean;
  /**
   * Submits the step again, without the JavaScript of its operations.
   *
   * @param times how often, one after the other, in one submission; default 1
   * @throws InputError where a tensor that the step reads was disposed, or assigned anew, since it was recorded
   * @throws DeviceLostError
   */
  replay(times?: number): void;
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
  const returned = tensorsIn(outputs).map(({ dataId }) => dataId);
  const given = new Map([...used].filter(([dataId]) => !made.has(dataId)));
  try {
    checkUnmoved(backend, given, 'the step itself');
    const kept = [...made].filter((id) => backend.tensorMap.has(id) && !returned.includes(id));
    if (kept.length > 0) {
      throw new InputError(
        `recordStep: the step keeps tensors that it does not return (${kept.length}), by tf.keep or by assigning a variable; change state in place`,
      );
    }
  } catch (error) {
    tf.dispose(outputs);
    buffers.dispose();
    throw error;
  }
  const commands = joinPasses(log);
  trace.addCommands(commands);
  if (lend) buffers.lend();
  return {
    outputs,
    dispatches: commands.filter(({ kind }) => kind === 'dispatch').length,
    trace: trace.hash,
    get stale() {
      // What was disposed stays in its place until the commands before are submitted.
      flush(backend);
      return movedIn(backend, given) !== undefined || !buffers.isBack;
    },
    replay(times = 1) {
      const lost = lossOf(backend.device);
      if (lost) throw lost;
      checkUnmoved(backend, given, 'something after it was recorded');
      flush(backend);
      if (!buffers.isBack) {
        throw new InputError(
          'a recorded step needs a buffer that it lent and other work still uses',
        );
      }
      buffers.takeBack();
      const encoder = backend.device.createCommandEncoder();
      for (let i = 0; i < times; i++) encode(encoder, commands);
      backend.device.queue.submit([encoder.finish()]);
      // What others compute in them comes after this submission, and is done before the next.
      if (lend) buffers.lend();
      // Values that were read before are old now.
      for (const dataId of [...returned, ...given.keys()]) {
        backend.tensorMap.get(dataId).values = null;
        forgetKnown({ dataId });
      }
    },
    dispose() {
      tf.dispose(outputs);
      flush(backend);
      buffers.dispose();
    },
  };
}

/**
 * Writes new values into a tensor, in its place.
 *
 * All tensors that share its values, such as reshaped ones, change with it.
 *
 * @param values row-major, as many as the tensor has
 * @throws InputError on another backend than WebGPU, for another number of values, and for an id outside its space
 * where the tensor was looked up by before
 */
export function overwriteTensor(tensor: tf.Tensor, values: Float32Array | Int32Array): void {
  const backend = webgpuBackend('overwrite');
  if (values.length !== tensor.size) {
    throw new InputError(
      `overwriteTensor: ${values.length} values for a tensor of shape [${tensor.shape.join(', ')}], which has ${tensor.size}`,
    );
  }
  checkAgain(tensor, values);
  // What was recorded before reads the old values.
  flush(backend);
  backend.uploadToGPU(tensor.dataId);
  flush(backend);
  const data = backend.tensorMap.get(tensor.dataId);
  const same = tensor.dtype === 'float32' ? Float32Array : Int32Array;
  const typed = values instanceof same ? values : same.from(values);
  backend.device.queue.writeBuffer(data.resource!, 0, typed as Float32Array<ArrayBuffer>);
  data.values = null;
  countWrite(tensor);
  if (typed instanceof Int32Array) rememberKnown(tensor, typed);
}

/** What is kept of a step while it is recorded. */
interface Kept {
  buffers: StepBuffers;
  log: Command[];
  trace: Trace;
  /** Data of the tensors that it made. */
  made: Set<object>;
  /** Data of the tensors that it used, and where they lay. */
  used: Map<object, GPUBuffer>;
}

/** Makes the backend record what a step does; returns what takes that back. */
function hook(backend: Backend, { buffers, log, trace, made, used }: Kept): () => void {
  const { bufferManager, write, uploadToGPU } = backend;
  const forward = tf.env().getBool('WEBGPU_CPU_FORWARD');
  const hooks: Partial<Backend> = {
    write(...tensor) {
      trace.addValues(tensor[0]);
      const dataId = write.apply(backend, tensor);
      made.add(dataId);
      return dataId;
    },
    uploadToGPU(dataId) {
      uploadToGPU.call(backend, dataId);
      used.set(dataId, backend.tensorMap.get(dataId).resource!);
    },
    ensureCommandEncoderReady() {
      backend.commandEncoder ??= loggingEncoder(backend.device.createCommandEncoder(), log);
    },
  };
  // Buffers are used again in the order of the commands: no result needs to wait for a submission.
  const noIds = { has: () => false, add: () => noIds as unknown as WeakSet<object> };
  flush(backend);
  // Small tensors must not be computed on the CPU, where nothing is recorded.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  // A backend may have methods of its own in the place of its class's.
  const own = Object.keys(hooks).map((name) => Object.getOwnPropertyDescriptor(backend, name));
  Object.assign(backend, hooks);
  Object.defineProperty(backend, 'commandQueueOwnedIds', {
    get: () => noIds,
    set: () => {},
    configurable: true,
  });
  recordingBackends.add(backend);
  backend.bufferManager = new Proxy(bufferManager, {
    get: (target, name) =>
      name === 'acquireBuffer' || name === 'releaseBuffer'
        ? buffers[name].bind(buffers)
        : Reflect.get(target, name),
  });
  return () => {
    recordingBackends.delete(backend);
    backend.bufferManager = bufferManager;
    for (const [i, name] of Object.keys(hooks).entries()) {
      Reflect.deleteProperty(backend, name);
      if (own[i]) Object.defineProperty(backend, name, own[i]);
    }
    Object.defineProperty(backend, 'commandQueueOwnedIds', {
      value: new WeakSet(),
      writable: true,
      configurable: true,
      enumerable: true,
    });
    tf.env().set('WEBGPU_CPU_FORWARD', forward);
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

/** Submits what the backend has recorded so far. */
function flush(backend: Backend): void {
  backend.endComputePassEncoder();
  if (backend.commandEncoder) backend.submitQueue();
}

function webgpuBackend(caller: string): Backend {
  if (tf.getBackend() !== 'webgpu') {
    throw new InputError(
      `${caller}: works on the backend 'webgpu'; in use is '${tf.getBackend()}'`,
    );
  }
  const backend = tf.backend() as unknown as Backend;
  if (!isOwnBackend(backend)) {
    throw new InputError(
      `${caller}: works on the device that start() requested; in use is another one`,
    );
  }
  const lost = lossOf(backend.device);
  if (lost) throw lost;
  return backend;
}
