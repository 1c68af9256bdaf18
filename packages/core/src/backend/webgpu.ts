import type * as tf from '@tensorflow/tfjs';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { InputError, ShapeError } from '../errors.js';
import { sizeOf } from '../shapes.js';
import { bindingLimit } from './binding.js';
import { BufferPool } from './buffer-pool.js';
import type { Device } from './device-type.js';

/** Milliseconds in which a loss is reported after it aborted a read; a busy machine takes more than 50. */
const lossReport = 10_000;

/** A program of TensorFlow.js, which binds each tensor whole. */
interface StockProgram {
  readonly shaderKey: string;
  readonly outputShape: number[];
}

/** The parts of TensorFlow.js 4.22's WebGPU backend that are replaced or asked here. */
interface Backend {
  readonly commandEncoder: GPUCommandEncoder | null;
  readonly tensorMap: {
    has(dataId: object): boolean;
    get(dataId: object): { values: unknown; dtype: tf.DataType };
  };
  bufferManager: BufferPool;
  /** Data that commands not yet submitted use. */
  commandQueueOwnedIds: Pick<WeakSet<object>, 'has' | 'add'>;
  disposeData(dataId: object, force?: boolean): boolean;
  tensorToBinding(tensor?: tf.TensorInfo): GPUBindingResource | null;
  runWebGPUProgram(
    program: StockProgram,
    inputs: tf.TensorInfo[],
    ...rest: unknown[]
  ): tf.TensorInfo;
  read(dataId: object): Promise<unknown>;
  readSync(dataId: object): unknown;
}

const own = new WeakSet<object>();
const noIds: Backend['commandQueueOwnedIds'] = {
  has: () => false,
  add: () => noIds as WeakSet<object>,
};

/** Whether a backend was made here: its buffers come from our pool. */
export const isOwnBackend = (backend: object): boolean => own.has(backend);

/**
 * TensorFlow.js's WebGPU backend on a device of ours: its buffers come from a pool that is bounded, those of disposed tensors serve the
 * commands that follow, and what reads or computes once the device is lost throws the `DeviceLostError`.
 */
export function webgpuBackend(device: Device): WebGPUBackend {
  const made = new WebGPUBackend(device.gpu, device.info);
  const backend = made as unknown as Backend;
  const stock: Backend = Object.getPrototypeOf(backend);
  const hasValues = (dataId: object) =>
    backend.tensorMap.has(dataId) && backend.tensorMap.get(dataId).values != null;
  const replaced: Partial<Backend> = {
    bufferManager: new BufferPool(device.gpu, () => backend.commandEncoder !== null),
    // Commands run in their order, so that those to come may have the buffer of what those before have used: nothing waits for a
    // submission. The pool destroys no buffer before that.
    disposeData(dataId, force) {
      const ids = backend.commandQueueOwnedIds;
      backend.commandQueueOwnedIds = noIds;
      try {
        return stock.disposeData.call(backend, dataId, force);
      } finally {
        backend.commandQueueOwnedIds = ids;
      }
    },
    // A buffer of the pool may be larger than its tensor; shaders see the tensor.
    tensorToBinding(tensor) {
      const binding = stock.tensorToBinding.call(backend, tensor);
      return binding && 'buffer' in binding
        ? { buffer: binding.buffer, size: binding.buffer.size }
        : binding;
    },
    runWebGPUProgram(program, inputs, ...rest) {
      if (device.lost) throw device.lost;
      checkBindings(
        program,
        [program.outputShape, ...inputs.map(({ shape }) => shape)],
        device.gpu,
      );
      return stock.runWebGPUProgram.call(backend, program, inputs, ...rest);
    },
    async read(dataId) {
      const values = stock.read.bind(backend, dataId);
      return hasValues(dataId) ? values() : untilLost(device, values);
    },
    readSync(dataId) {
      if (!hasValues(dataId)) {
        if (device.lost) throw device.lost;
        if (typeof OffscreenCanvas === 'undefined') {
          throw new InputError(
            "a tensor on the backend 'webgpu' was read synchronously, by dataSync or by using it on another backend, which needs OffscreenCanvas; read it with `await tensor.data()`",
          );
        }
      }
      return stock.readSync.call(backend, dataId);
    },
  };
  Object.assign(backend, replaced);
  own.add(made);
  return made;
}

/** Throws for a tensor that a program of TensorFlow.js cannot bind: the driver would refuse it, and leave zeros. */
function checkBindings(
  { shaderKey }: StockProgram,
  shapes: readonly (readonly number[])[],
  gpu: GPUDevice,
): void {
  const most = bindingLimit(gpu);
  for (const shape of shapes) {
    const bytes = 4 * sizeOf(shape);
    if (bytes <= most) continue;
    throw new ShapeError(
      `TensorFlow.js's program '${shaderKey}': a tensor of shape [${shape.join(', ')}] takes ${bytes} bytes; the device binds at most ${most} at once`,
    );
  }
}

/** What a read gives, or the error of the device once that is lost. */
async function untilLost<T>(device: Device, read: () => Promise<T>): Promise<T> {
  if (device.lost) throw device.lost;
  let reject!: (error: Error) => void;
  const lost = new Promise<never>((_, r) => {
    reject = r;
  });
  device.readers.add(reject);
  try {
    return await Promise.race([read(), lost]);
  } catch (error) {
    // Aborted reads reject before the loss is reported, which may come from another process.
    if ((error as Error).name === 'AbortError') await within(device.gpu.lost, lossReport);
    throw device.lost ?? error;
  } finally {
    device.readers.delete(reject);
  }
}

/** Waits for a promise, but no longer than so many milliseconds. */
async function within(promise: Promise<unknown>, most: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((done) => {
    timer = setTimeout(done, most);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
