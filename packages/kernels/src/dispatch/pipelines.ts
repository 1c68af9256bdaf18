import { InputError } from '@headwise/core';
import { isOwnBackend, onPlannedBackend } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { takesImmediates, withImmediates } from './immediates.js';
import type { Program } from './program.js';

/** A pipeline with the layout of its bindings. */
export interface Compiled {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
  /** Its `params` are immediates, and no uniform behind the storage buffers. */
  immediates: boolean;
}

interface DevicePipelines {
  ready: Map<Program, Compiled>;
  /** Those that are being compiled ahead: ours by their program, TensorFlow.js's by their key. */
  pending: Map<Program | string, Promise<void>>;
}

const pipelines = new WeakMap<GPUDevice, DevicePipelines>();

/** The pipelines of TensorFlow.js 4.22's WebGPU backend, by their keys. */
interface StockPipelines<P> {
  pipelineCache: Record<string, P>;
}

/** A pipeline of a device that computes nothing. */
interface PlannedPipeline {
  descriptor: GPUComputePipelineDescriptor;
}

/** The pipeline of a program, compiled when it is first asked for and kept for the device. */
export function compiled(device: GPUDevice, program: Program): Compiled {
  const { ready } = pipelinesOf(device);
  let entry = ready.get(program);
  if (!entry) {
    entry = withLayout(device, program, device.createComputePipeline(descriptor(device, program)));
    ready.set(program, entry);
  }
  return entry;
}

let planning = false;

/**
 * Compiles every pipeline that a step will need, ours and TensorFlow.js's, in parallel, off the main
 * thread. For that the step runs on a device that computes nothing and has no memory; its tensors hold no values.
 *
 * Pipelines are shared by layers and sizes: a model compiles what one block of each kind needs. On
 * other backends than WebGPU of `start` it does nothing.
 *
 * @param step must not read values, nor write into tensors that it did not make
 * @throws GPUPipelineError where the driver refuses a shader
 * @example await compilePipelines(() => model.forward(ids));
 */
export async function compilePipelines(step: () => tf.TensorContainer): Promise<void> {
  if (tf.getBackend() !== 'webgpu' || !isOwnBackend(tf.backend())) return;
  if (planning) {
    throw new InputError('compilePipelines: called within the step of another call');
  }
  const backend = tf.backend() as WebGPUBackend;
  const { programs, stock } = pipelinesFor(step);
  const { ready, pending } = pipelinesOf(backend.device);
  const { pipelineCache } = backend as unknown as StockPipelines<GPUComputePipeline>;
  const asked = [
    ...programs
      .filter((program) => !ready.has(program))
      .map((program) => {
        const make = () => descriptor(backend.device, program);
        const keep = (made: GPUComputePipeline) =>
          void ready.set(program, withLayout(backend.device, program, made));
        return pending.get(program) ?? compileAhead(backend.device, program, make, keep);
      }),
    ...Object.entries(stock)
      .filter(([key]) => !(key in pipelineCache))
      .map(([key, planned]) => {
        const make = () => onDevice(backend.device, planned);
        const keep = (made: GPUComputePipeline) => {
          pipelineCache[key] = made;
        };
        return pending.get(key) ?? compileAhead(backend.device, key, make, keep);
      }),
  ];
  await Promise.all(asked);
}

/** The programs that a step runs, and those of TensorFlow.js by their keys. */
function pipelinesFor(step: () => tf.TensorContainer): {
  programs: Program[];
  stock: Record<string, PlannedPipeline>;
} {
  planning = true;
  try {
    return onPlannedBackend((_, planned) => {
      tf.dispose(tf.tidy(step));
      const { pipelineCache } = planned as unknown as StockPipelines<PlannedPipeline>;
      return { programs: [...pipelinesOf(planned.device).ready.keys()], stock: pipelineCache };
    });
  } finally {
    planning = false;
  }
}

function compileAhead(
  device: GPUDevice,
  key: Program | string,
  make: () => GPUComputePipelineDescriptor,
  keep: (pipeline: GPUComputePipeline) => void,
): Promise<void> {
  const { pending } = pipelinesOf(device);
  const made = device
    .createComputePipelineAsync(make())
    .then(keep)
    // A shader that is refused is asked for anew by the next call.
    .finally(() => pending.delete(key));
  pending.set(key, made);
  return made;
}

function pipelinesOf(device: GPUDevice): DevicePipelines {
  let found = pipelines.get(device);
  if (!found) {
    found = { ready: new Map(), pending: new Map() };
    pipelines.set(device, found);
  }
  return found;
}

function descriptor(device: GPUDevice, program: Program): GPUComputePipelineDescriptor {
  const { label, wgsl } = program;
  const code = takesImmediates(device, program) ? withImmediates(program) : wgsl;
  const module = device.createShaderModule({ label, code });
  return { label, layout: 'auto', compute: { module } };
}

/** What a pipeline of a device that computes nothing was asked for with, for another device. */
function onDevice(
  device: GPUDevice,
  { descriptor }: PlannedPipeline,
): GPUComputePipelineDescriptor {
  const { compute } = descriptor;
  const source = compute.module as unknown as GPUShaderModuleDescriptor;
  return { ...descriptor, compute: { ...compute, module: device.createShaderModule(source) } };
}

function withLayout(device: GPUDevice, program: Program, pipeline: GPUComputePipeline): Compiled {
  const immediates = takesImmediates(device, program);
  return { pipeline, layout: pipeline.getBindGroupLayout(0), immediates };
}
