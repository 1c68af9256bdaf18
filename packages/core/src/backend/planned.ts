import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { navigatorGpu } from '#navigator-gpu';
import { BackendError } from '../errors.js';
import { sizeOf } from '../shapes.js';
import type { BufferPool } from './buffer-pool.js';
import { currentDevice } from './device.js';
import type { Device } from './device-type.js';
import { emptyPass } from './empty-pass.js';
import { withoutPendingChecks } from './read.js';
import { standInForOthers } from './stand-ins.js';
import { webgpuBackend } from './webgpu.js';

/** The bytes of GPU buffers, of a run that is planned. */
export interface BufferCount {
  /** In tensors now, those included that commands not yet submitted still use. */
  readonly used: number;
  /** In tensors now that have not been disposed of. */
  readonly live: number;
  /** The most in tensors since the start or the last `restart`. */
  readonly peak: number;
  /** Lets the peak start from what is used now. */
  restart(): void;
  /** Sends tensors to the device, as the first use of each does. */
  send(tensors: readonly tf.TensorInfo[]): void;
  /** Submits the commands so far, and frees what only they still used. */
  settle(): void;
  /** The most in tensors whose last axis has the watched size. */
  readonly watchedPeak: number;
}

export interface PlanningOptions {
  /** Take the place of the device's limits. */
  limits?: Readonly<Record<string, number>> | undefined;
  /** The last axis of the tensors, of at least two axes, whose bytes are counted apart. */
  watch?: number | undefined;
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
  // Where it is not told, parameters of programs take buffers.
  maxImmediateSize: 0,
};

/**
 * Loads what planning needs: WebGPU's constants, in Node from the package `webgpu`. No adapter is asked for.
 *
 * @throws BackendError where WebGPU is not available
 */
export async function preparePlanning(): Promise<void> {
  const gpu = await navigatorGpu();
  if ('missing' in gpu) throw new BackendError(`memory cannot be planned: ${gpu.missing}`);
}

/**
 * Runs a function on a WebGPU backend whose device takes every command, computes nothing, and has no memory: what it would
 * allocate is counted.
 *
 * The device has the features and limits of the one that was started, or the least limits that WebGPU asks for and `shader-f16`. Tensors hold no
 * values, so the function must not read any. It disposes of the variables that it makes; other tensors are freed behind it. Tensors of
 * other backends are taken by their shapes, and stay where they are; the function must not write into them. A pipeline of the device
 * has the `descriptor` that it was asked for with, whose module is a descriptor too.
 *
 * @throws ShapeError where a tensor is larger than the device allows
 */
export function onPlannedBackend<T>(
  run: (count: BufferCount, backend: WebGPUBackend) => T,
  { limits = {}, watch }: PlanningOptions = {},
): T {
  const engine = tf.engine() as unknown as Engine;
  const { backendName, backendInstance, registry } = engine;
  const before = registry.webgpu;
  const backend = webgpuBackend(plannedDevice(limits));
  const count = countingBuffers(backend, watch);
  const endStandingIn = standInForOthers(backend);
  try {
    registry.webgpu = backend;
    engine.backendName = 'webgpu';
    engine.backendInstance = backend;
    return withoutPendingChecks(() => tf.tidy(() => run(count, backend) as never) as T);
  } finally {
    endStandingIn();
    if (before === undefined) delete registry.webgpu;
    else registry.webgpu = before;
    engine.backendName = backendName;
    engine.backendInstance = backendInstance;
  }
}

/** The parts of TensorFlow.js 4.22's WebGPU backend that planning replaces. */
interface Backend {
  bufferManager: BufferPool;
  tensorMap: {
    get(
      dataId: object,
    ): { shape: number[]; values: unknown; resource?: GPUBuffer | undefined } | undefined;
  };
  tensorDataPendingDisposal: object[];
  stagingPendingDisposal: GPUBuffer[];
  uniformPendingDisposal: GPUBuffer[];
  uploadToGPU(dataId: object): void;
  releaseResource(dataId: object): void;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** Counts the buffers of a backend, which takes values without copying them. */
function countingBuffers(given: WebGPUBackend, watch: number | undefined): BufferCount {
  const backend = given as unknown as Backend;
  const pool = backend.bufferManager;
  const { acquireBuffer, takeBuffers } = pool;
  let peak = 0;
  pool.acquireBuffer = (...asked) => {
    const buffer = acquireBuffer.apply(pool, asked);
    peak = Math.max(peak, pool.numBytesUsed);
    return buffer;
  };
  pool.takeBuffers = (sizes) => {
    takeBuffers.call(pool, sizes);
    peak = Math.max(peak, pool.numBytesUsed);
  };
  let watched = 0;
  let watchedPeak = 0;
  const isWatched = (shape: number[]) => shape.length > 1 && shape.at(-1) === watch;
  const stock: Backend = Object.getPrototypeOf(backend);
  const { STORAGE, COPY_SRC, COPY_DST, MAP_WRITE } = GPUBufferUsage;
  backend.uploadToGPU = (dataId) => {
    const tensor = backend.tensorMap.get(dataId)!;
    if (tensor.resource) return;
    const bytes = 4 * sizeOf(tensor.shape);
    const hasValues = tensor.values != null;
    // A recording stands in for the pool.
    const { bufferManager } = backend;
    const buffer = bufferManager.acquireBuffer(bytes, STORAGE | COPY_SRC | COPY_DST, hasValues);
    if (hasValues && buffer.mapState === 'unmapped') {
      const staging = bufferManager.acquireBuffer(bytes, MAP_WRITE | COPY_SRC, true, false);
      backend.stagingPendingDisposal.push(staging);
    }
    tensor.values = null;
    tensor.resource = buffer;
    if (isWatched(tensor.shape)) {
      watched += bytes;
      watchedPeak = Math.max(watchedPeak, watched);
    }
  };
  backend.releaseResource = (dataId) => {
    const tensor = backend.tensorMap.get(dataId);
    if (tensor?.resource && isWatched(tensor.shape)) watched -= tensor.resource.size;
    stock.releaseResource.call(backend, dataId);
  };
  return {
    get used() {
      return pool.numBytesUsed;
    },
    get live() {
      const {
        tensorDataPendingDisposal: gone,
        stagingPendingDisposal,
        uniformPendingDisposal,
      } = backend;
      const buffers = [
        ...gone.map((dataId) => backend.tensorMap.get(dataId)?.resource),
        ...stagingPendingDisposal,
        ...uniformPendingDisposal,
      ];
      return buffers.reduce((left, buffer) => left - (buffer?.size ?? 0), pool.numBytesUsed);
    },
    get peak() {
      return peak;
    },
    get watchedPeak() {
      return watchedPeak;
    },
    restart() {
      peak = pool.numBytesUsed;
    },
    send(tensors) {
      for (const { dataId } of tensors) backend.uploadToGPU(dataId);
    },
    settle() {
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
    },
  };
}

function plannedDevice(limits: Readonly<Record<string, number>>): Device {
  const real = currentDevice();
  const of = (name: string) => real?.gpu.limits[name as 'maxBufferSize'];
  const own = Object.fromEntries(
    Object.entries(leastLimits).map(([name, least]) => [name, limits[name] ?? of(name) ?? least]),
  );
  const info =
    real?.info ?? ({ vendor: '', architecture: '', device: '', description: '' } as GPUAdapterInfo);
  const nothing = () => {};
  const pass = emptyPass();
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: nothing,
    clearBuffer: nothing,
    finish: () => ({}),
  };
  const gpu = {
    limits: own,
    features: real?.gpu.features ?? new Set<string>(['shader-f16']),
    adapterInfo: real?.gpu.adapterInfo ?? info,
    queue: { submit: nothing, writeBuffer: nothing },
    createBuffer: plannedBuffers(),
    createShaderModule: (descriptor: GPUShaderModuleDescriptor) => descriptor,
    createComputePipeline: (descriptor: GPUComputePipelineDescriptor) => ({
      descriptor,
      getBindGroupLayout: () => ({}),
    }),
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

/** Makes buffers without memory; what the CPU writes into them is lost. */
function plannedBuffers(): (descriptor: GPUBufferDescriptor) => GPUBuffer {
  let mapped = new ArrayBuffer(0);
  // TensorFlow.js tells buffers from textures by their class.
  const shared = Object.create(GPUBuffer.prototype, {
    size: { value: 0, writable: true },
    usage: { value: 0, writable: true },
    mapState: { value: 'unmapped', writable: true },
    getMappedRange: {
      value(this: GPUBuffer) {
        if (mapped.byteLength < this.size) mapped = new ArrayBuffer(this.size);
        return mapped;
      },
    },
    unmap: { value() {} },
    destroy: { value() {} },
  });
  return ({ size, usage, mappedAtCreation }) =>
    Object.assign(Object.create(shared), {
      size,
      usage,
      mapState: mappedAtCreation ? 'mapped' : 'unmapped',
    });
}
