import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { navigatorGpu } from '#navigator-gpu';
import { BackendError } from '../errors.js';
import type { BufferPool } from './buffer-pool.js';
import { currentDevice } from './device.js';
import type { Device } from './device-type.js';
import { webgpuBackend } from './webgpu.js';

/** The bytes of GPU buffers, of a run that is planned. */
export interface BufferCount {
  /** In tensors now, those included that commands not yet submitted still use. */
  readonly used: number;
  /** The most in tensors since the start or the last `restart`. */
  readonly peak: number;
  /** Lets the peak start from what is used now. */
  restart(): void;
}

/** The parts of TensorFlow.js's engine that choose the backend. */
interface Engine {
  registry: Record<string, unknown>;
  backendName: string;
  backendInstance: unknown;
}

/** The limits of a device where none has been started: the least that WebGPU asks for. */
const leastLimits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 2 ** 14,
  maxComputeWorkgroupsPerDimension: 65_535,
  minStorageBufferOffsetAlignment: 256,
};

/**
 * Loads what planning needs: WebGPU's constants, in Node from the package `webgpu`. No adapter is asked for.
 *
 * @throws BackendError where they cannot be had
 */
export async function preparePlanning(): Promise<void> {
  const gpu = await navigatorGpu();
  if ('missing' in gpu) throw new BackendError(`memory cannot be planned: ${gpu.missing}`);
}

/**
 * Runs a function on a WebGPU backend whose device takes every command, computes nothing, and has no memory: what it would
 * allocate is counted.
 *
 * The device has the features and limits of the one that was started, or the least that WebGPU asks for. Tensors hold no
 * values, so the function must not read any. It owns what it makes; what it leaves is freed.
 *
 * @param limits take the place of the device's
 */
export function onPlannedBackend<T>(
  run: (count: BufferCount, backend: WebGPUBackend) => T,
  limits: Record<string, number> = {},
): T {
  const engine = tf.engine() as unknown as Engine;
  const { backendName, backendInstance, registry } = engine;
  const before = registry.webgpu;
  const backend = webgpuBackend(plannedDevice(limits));
  const count = countingBuffers(backend);
  try {
    registry.webgpu = backend;
    engine.backendName = 'webgpu';
    engine.backendInstance = backend;
    return tf.tidy(() => {
      const result = run(count, backend);
      return result as never;
    }) as T;
  } finally {
    if (before === undefined) delete registry.webgpu;
    else registry.webgpu = before;
    engine.backendName = backendName;
    engine.backendInstance = backendInstance;
  }
}

function countingBuffers(backend: WebGPUBackend): BufferCount {
  const pool = (backend as unknown as { bufferManager: BufferPool }).bufferManager;
  const acquire = pool.acquireBuffer;
  let peak = 0;
  pool.acquireBuffer = (...given) => {
    const buffer = acquire.apply(pool, given);
    peak = Math.max(peak, pool.numBytesUsed);
    return buffer;
  };
  return {
    get used() {
      return pool.numBytesUsed;
    },
    get peak() {
      return peak;
    },
    restart() {
      peak = pool.numBytesUsed;
    },
  };
}

function plannedDevice(limits: Record<string, number>): Device {
  const real = currentDevice();
  const of = (name: string) => real?.gpu.limits[name as 'maxBufferSize'];
  const own = Object.fromEntries(
    Object.entries(leastLimits).map(([name, least]) => [name, limits[name] ?? of(name) ?? least]),
  );
  const info = real?.info ?? ({ vendor: '', architecture: '', device: '', description: '' } as GPUAdapterInfo);
  const nothing = () => {};
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: nothing,
    clearBuffer: nothing,
    finish: () => ({}),
  };
  const pipeline = { getBindGroupLayout: () => ({}) };
  const gpu = {
    limits: own,
    features: real?.gpu.features ?? new Set<string>(),
    adapterInfo: real?.gpu.adapterInfo ?? info,
    queue: { submit: nothing, writeBuffer: nothing },
    createBuffer: plannedBuffer,
    createShaderModule: () => ({}),
    createComputePipeline: () => pipeline,
    createBindGroup: () => ({}),
    createCommandEncoder: () => encoder,
  };
  return {
    gpu: gpu as unknown as GPUDevice,
    info,
    limits: own,
    software: real?.software ?? false,
    lost: undefined,
    errors: [],
    readers: new Set(),
  };
}

/** A buffer without memory; what the CPU writes into it is lost. */
function plannedBuffer({ size, usage, mappedAtCreation }: GPUBufferDescriptor): GPUBuffer {
  // TensorFlow.js tells buffers from textures by their class.
  const buffer: GPUBuffer = Object.create(GPUBuffer.prototype);
  const properties = {
    size,
    usage,
    mapState: mappedAtCreation ? 'mapped' : 'unmapped',
    getMappedRange: () => new ArrayBuffer(size),
    unmap: () => {},
    destroy: () => {},
  };
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(buffer, name, { value, configurable: true });
  }
  return buffer;
}
