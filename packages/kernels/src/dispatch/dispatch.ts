import { InputError, ShapeError } from '@headwise/core';
import { bindingLimit, lossOf, sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { recordings } from '../recording/active.js';
import { type Division, divided } from './divide.js';
import { paramBytes } from './immediates.js';
import { forgetKnown } from './known.js';
import { pieceBytes, piecesOf } from './limits.js';
import { compiled } from './pipelines.js';
import type { ElementType, Program } from './program.js';
import type { Recorder } from './recorder.js';

/** A tensor to make, by its shape and type, or one to write in place. */
export type Output = { shape: number[]; dtype: tf.DataType } | tf.TensorInfo;

/** What one run of a program is given. */
export interface DispatchArguments<I extends string, O extends string, U extends string> {
  inputs: Record<I, tf.TensorInfo>;
  outputs: Record<O, Output>;
  params: Record<U, number>;
  /** The number of workgroups in x, y and z. */
  workgroups: readonly [number, number?, number?];
  /** The part to bind of a tensor that is not bound whole, by its name. */
  ranges?: Partial<Record<I | O, Range>> | undefined;
}

/** A part of a buffer, in bytes. */
export interface Range {
  /** A multiple of 256. */
  offset: number;
  size: number;
}

/**
 * Records one run of a program among the operations of TensorFlow.js.
 *
 * A tensor that is larger than one binding of the device is bound as several pieces, by a variant of the program.
 *
 * @returns the outputs, by name; the caller owns them
 * @throws InputError where a tensor is of another type than the program's
 * @throws ShapeError where the device cannot bind that many pieces or the program cannot be divided,
 * DeviceLostError where the device is lost; nothing is recorded then
 */
export function dispatch<I extends string, O extends string, U extends string>(
  backend: WebGPUBackend,
  program: Program<I, O, U>,
  { inputs, outputs, params, workgroups, ranges = {} }: DispatchArguments<I, O, U>,
): Record<O, tf.TensorInfo> {
  const recorder = backend as unknown as Recorder;
  const lost = lossOf(recorder.device);
  if (lost) throw lost;
  checkTypes(program, { ...inputs, ...outputs });
  const division = divisionOf(recorder.device, program, { ...inputs, ...outputs }, ranges);
  const results = {} as Record<O, tf.TensorInfo>;
  const bindings: GPUBufferBinding[] = [];
  const bind = (name: I | O, tensor: tf.TensorInfo) => {
    const buffer = bufferOf(recorder, tensor);
    const range = ranges[name];
    if (range) bindings.push({ buffer, ...range });
    else bindings.push(...bindingsOf(buffer, division?.pieces[name], division?.bytes));
  };
  for (const name of program.inputs) bind(name, inputs[name]);
  for (const name of program.outputs) {
    const output: Output = outputs[name];
    results[name] =
      'dataId' in output ? output : recorder.makeTensorInfo(output.shape, output.dtype);
    bind(name, results[name]);
    // What was read of a tensor that is now written in place no longer holds.
    recorder.tensorMap.get(results[name].dataId).values = null;
    forgetKnown(results[name]);
  }
  const { pipeline, layout, immediates } = compiled(
    recorder.device,
    division ? divided(program, division) : program,
  );
  const values = valuesOf(program, params);
  recordings.get(recorder)?.uniforms(new Int32Array(values));
  if (!immediates) bindings.push(...bindingsOf(uniformBuffer(recorder, values)));
  const bindGroup = recorder.device.createBindGroup({
    layout,
    entries: bindings.map((resource, binding) => ({ binding, resource })),
  });
  recorder.ensureCommandEncoderReady();
  recorder.computePassEncoder ??= recorder.commandEncoder!.beginComputePass();
  recorder.computePassEncoder.setPipeline(pipeline);
  recorder.computePassEncoder.setBindGroup(0, bindGroup);
  if (immediates) recorder.computePassEncoder.setImmediates(0, values);
  recorder.computePassEncoder.dispatchWorkgroups(...(workgroups as [number, number, number]));
  recorder.dispatchCountInPass++;
  if (recorder.dispatchCountInPass >= tf.env().getNumber('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE')) {
    recorder.endComputePassEncoder();
    recorder.submitQueue();
  }
  return results;
}

/** Submits what was recorded and waits until the device has done it. */
export async function finish(backend: WebGPUBackend): Promise<void> {
  const recorder = backend as unknown as Recorder;
  recorder.endComputePassEncoder();
  if (recorder.commandEncoder) recorder.submitQueue();
  await recorder.device.queue.onSubmittedWorkDone();
}

/**
 * Spreads workgroups over x and y, as no dimension may exceed 65,535; the shader takes
 * `workgroup.y * count.x + workgroup.x` and must leave where that is beyond `count`.
 */
export function spread(count: number): [number, number] {
  const y = Math.ceil(count / 65_535);
  return [Math.ceil(count / y), y];
}

/** The tensors that a buffer of some elements may be; u32 are bits, which any may hold, and halves lie two in a word. */
const dtypes: Partial<Record<ElementType, tf.DataType>> = {
  f32: 'float32',
  vec4f: 'float32',
  i32: 'int32',
  f16: 'int32',
  vec4h: 'int32',
};

function checkTypes(
  { label, inputs, outputs, types }: Program,
  tensors: Record<string, { dtype: tf.DataType }>,
): void {
  for (const name of [...inputs, ...outputs]) {
    const { dtype } = tensors[name]!;
    const expected = dtypes[types[name]!];
    if (expected && dtype !== expected) {
      throw new InputError(`${label}: '${name}' has type ${dtype}; expected ${expected}`);
    }
  }
}

/** How the tensors are bound that are larger than one binding; undefined where none is. */
function divisionOf(
  device: GPUDevice,
  { label, inputs, outputs }: Program,
  tensors: Record<string, { shape: number[] }>,
  ranges: Record<string, Range | undefined>,
): Division | undefined {
  const names = [...inputs, ...outputs];
  const bytesOf = (name: string) => ranges[name]?.size ?? 4 * sizeOf(tensors[name]!.shape);
  const most = bindingLimit(device);
  const large = names.filter((name) => bytesOf(name) > most);
  if (large.length === 0) return undefined;
  const pieces = Object.fromEntries(large.map((name) => [name, piecesOf(device, bytesOf(name))]));
  const count = names.reduce((sum, name) => sum + (pieces[name] ?? 1), 0);
  const { maxStorageBuffersPerShaderStage: room } = device.limits;
  if (count > room) {
    const tensor = large.map(
      (name) =>
        `'${name}' of shape [${tensors[name]!.shape.join(', ')}] takes ${bytesOf(name)} bytes`,
    );
    throw new ShapeError(
      `${label}: ${tensor.join(', ')}; the device binds at most ${most} at once, and ${room} buffers where ${count} are needed`,
    );
  }
  return { pieces, bytes: pieceBytes(device) };
}

/** A buffer bound whole, or as pieces of so many bytes. */
function bindingsOf(buffer: GPUBuffer, pieces = 1, bytes = buffer.size): GPUBufferBinding[] {
  // The pool's buffers may be larger than what lies in them.
  if (pieces === 1) return [{ buffer, size: buffer.size }];
  return Array.from({ length: pieces }, (_, i) => ({
    buffer,
    offset: i * bytes,
    size: Math.min(bytes, buffer.size - i * bytes),
  }));
}

/** The buffer of a tensor, uploaded if need be and kept until the commands so far are submitted. */
export function bufferOf(recorder: Recorder, tensor: tf.TensorInfo): GPUBuffer {
  recorder.uploadToGPU(tensor.dataId);
  recorder.commandQueueOwnedIds.add(tensor.dataId);
  return recorder.tensorMap.get(tensor.dataId).resource!;
}

/** The fields of `params`, in a multiple of 16 bytes. */
function valuesOf<U extends string>(
  program: Program<string, string, U>,
  params: Record<U, number>,
): ArrayBuffer {
  const values = new DataView(new ArrayBuffer(paramBytes(program)));
  program.params.forEach(([name, type], i) => {
    if (type === 'f32') values.setFloat32(i * 4, params[name], true);
    else values.setUint32(i * 4, params[name], true);
  });
  return values.buffer as ArrayBuffer;
}

function uniformBuffer(recorder: Recorder, values: ArrayBuffer): GPUBuffer {
  const buffer = recorder.bufferManager.acquireBuffer(
    values.byteLength,
    GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM,
  );
  recorder.device.queue.writeBuffer(buffer, 0, values);
  recorder.uniformPendingDisposal.push(buffer);
  return buffer;
}
