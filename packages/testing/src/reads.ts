import * as tf from '@tensorflow/tfjs';

/** What the GPU does with the buffers of some tensors. */
export interface Reads {
  /** The labels of the kernels that bind one of them, once a dispatch. */
  kernels: string[];
  /** Bytes that commands copy from them. */
  copied: number;
}

/** The parts of TensorFlow.js's WebGPU backend that hold commands and buffers. */
interface Backend {
  device: GPUDevice;
  tensorMap: { get(dataId: object): { resource?: GPUBuffer | undefined } };
  commandEncoder: object | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

type Method = (...args: never[]) => unknown;

/** Puts a function before a method of a GPU object, which is given its arguments and result. */
function watch(object: object, name: string, seen: (args: unknown[], result: unknown) => void) {
  const method = (object as Record<string, Method>)[name]!.bind(object) as (
    ...args: unknown[]
  ) => unknown;
  Object.assign(object, {
    [name]: (...args: unknown[]) => {
      const result = method(...args);
      seen(args, result);
      return result;
    },
  });
}

/**
 * Runs something on WebGPU and says which kernels and copies read the buffers of some tensors.
 *
 * @param tensors called after the run
 */
export async function readsOf(
  tensors: () => readonly tf.Tensor[],
  run: () => unknown,
): Promise<Reads> {
  const backend = tf.backend() as unknown as Backend;
  const { device } = backend;
  const flush = () => {
    backend.endComputePassEncoder();
    if (backend.commandEncoder) backend.submitQueue();
  };
  const bound = new Map<unknown, GPUBuffer[]>();
  const dispatches: { label: string; buffers: GPUBuffer[] }[] = [];
  const copies: { source: GPUBuffer; bytes: number }[] = [];
  flush();
  watch(device, 'createBindGroup', ([descriptor], group) => {
    const { entries } = descriptor as {
      entries: { resource: { buffer?: GPUBuffer | undefined } }[];
    };
    bound.set(
      group,
      entries.flatMap(({ resource }) => resource.buffer ?? []),
    );
  });
  watch(device, 'createCommandEncoder', (_, encoder) => {
    watch(encoder as object, 'copyBufferToBuffer', ([source, ...rest]) => {
      copies.push({ source: source as GPUBuffer, bytes: rest.at(-1) as number });
    });
    watch(encoder as object, 'beginComputePass', (_, pass) => {
      let label = '';
      let buffers: GPUBuffer[] = [];
      watch(pass as object, 'setPipeline', ([pipeline]) => {
        label = (pipeline as GPUComputePipeline).label;
      });
      watch(pass as object, 'setBindGroup', ([, group]) => {
        buffers = bound.get(group) ?? [];
      });
      watch(pass as object, 'dispatchWorkgroups', () => void dispatches.push({ label, buffers }));
    });
  });
  try {
    await run();
    flush();
  } finally {
    for (const name of ['createBindGroup', 'createCommandEncoder']) {
      Reflect.deleteProperty(device, name);
    }
  }
  const watched = new Set(tensors().map(({ dataId }) => backend.tensorMap.get(dataId).resource));
  return {
    kernels: dispatches
      .filter(({ buffers }) => buffers.some((buffer) => watched.has(buffer)))
      .map(({ label }) => label),
    copied: copies
      .filter(({ source }) => watched.has(source))
      .reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
