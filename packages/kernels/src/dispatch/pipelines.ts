import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Program } from './program.js';

/** A pipeline with the layout of its bindings. */
export interface Compiled {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

interface DevicePipelines {
  ready: Map<Program, Compiled>;
  pending: Map<Program, Promise<void>>;
}

const pipelines = new WeakMap<GPUDevice, DevicePipelines>();

/** What the step that runs within `compilePipelines` waits for. */
let asked: Promise<void>[] = [];

/** TensorFlow.js's flag for running operations only to compile what they need. */
const compileOnly = 'WEBGPU_ENGINE_COMPILE_ONLY';

/**
 * The pipeline of a program, compiled when it is first asked for and kept for the device.
 *
 * @returns undefined within `compilePipelines`, where nothing is to be dispatched
 */
export function compiled(device: GPUDevice, program: Program): Compiled | undefined {
  const { ready, pending } = pipelinesOf(device);
  if (tf.env().getBool(compileOnly)) {
    if (!ready.has(program)) asked.push(pending.get(program) ?? compileAhead(device, program));
    return undefined;
  }
  let entry = ready.get(program);
  if (!entry) {
    entry = withLayout(device.createComputePipeline(descriptor(device, program)));
    ready.set(program, entry);
  }
  return entry;
}

/**
 * Compiles every pipeline that a step will need, ours and TensorFlow.js's, in parallel, off the main
 * thread; the step is run for that, but nothing is dispatched and its tensors hold no values.
 *
 * Pipelines are shared by layers and sizes: a model compiles what one block of each kind needs. On
 * other backends than WebGPU there is nothing to compile.
 *
 * @param step must not read values
 * @throws GPUPipelineError where the driver refuses a shader
 * @example await compilePipelines(() => model.forward(ids));
 */
export async function compilePipelines(step: () => tf.TensorContainer): Promise<void> {
  if (tf.getBackend() !== 'webgpu') return;
  if (tf.env().getBool(compileOnly)) {
    throw new InputError('compilePipelines: called within the step of another call');
  }
  const backend = tf.backend() as WebGPUBackend;
  asked = [];
  tf.env().set(compileOnly, true);
  try {
    tf.dispose(tf.tidy(step));
  } finally {
    tf.env().set(compileOnly, false);
  }
  await Promise.all([backend.checkCompileCompletionAsync(), ...asked]);
}

function compileAhead(device: GPUDevice, program: Program): Promise<void> {
  const { ready, pending } = pipelinesOf(device);
  const made = device
    .createComputePipelineAsync(descriptor(device, program))
    .then((pipeline) => void ready.set(program, withLayout(pipeline)))
    // A shader that is refused is asked for anew by the next call.
    .finally(() => pending.delete(program));
  // Awaited only where the step does not throw.
  made.catch(() => {});
  pending.set(program, made);
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

function descriptor(device: GPUDevice, { label, wgsl }: Program): GPUComputePipelineDescriptor {
  const module = device.createShaderModule({ label, code: wgsl });
  return { label, layout: 'auto', compute: { module } };
}

function withLayout(pipeline: GPUComputePipeline): Compiled {
  return { pipeline, layout: pipeline.getBindGroupLayout(0) };
}
