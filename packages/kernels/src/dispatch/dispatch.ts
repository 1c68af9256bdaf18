import { InputError, ShapeError } from '@headwise/core';
import { lossOf, sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { forgetKnown } from './known.js';
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
}

/**
 * Records one run of a program among the operations of TensorFlow.js.
 *
 * @returns the outputs, by name; the caller owns them
 * @throws InputError where a tensor is of another type than the program's
 * @throws ShapeError where a buffer is larger than the device can bind, DeviceLostError where the
 * device is lost; nothing is recorded then
 */
export function dispatch<I extends string, O extends string, U extends string>(
  backend: WebGPUBackend,
  program: Program<I, O, U>,
  { inputs, outputs, params, workgroups }: DispatchArguments<I, O, U>,
): Record<O, tf.TensorInfo> {
  const recorder = backend as unknown as Recorder;
  const lost = lossOf(recorder.device);
  if (lost) throw lost;
  checkBindings(recorder.device, program, { ...inputs, ...outputs });
  const results = {} as Record<O, tf.TensorInfo>;
  const buffers: GPUBuffer[] = [];
  for (const name of program.inputs) buffers.push(bufferOf(recorder, inputs[name]));
  for (const name of program.outputs) {
    const output: Output = outputs[name];
    results[name] =
      'dataId' in output ? output : recorder.makeTensorInfo(output.shape, output.dtype);
    buffers.push(bufferOf(recorder, results[name]));
    // What was read of a tensor that is now written in place no longer holds.
    recorder.tensorMap.get(results[name].dataId).values = null;
    forgetKnown(results[name]);
  }
  const ready = compiled(recorder.device, program);
  if (!ready) return results;
  const { pipeline, layout } = ready;
  buffers.push(uniformBuffer(recorder, program, params));
  const bindGroup = recorder.device.createBindGroup({
    layout,
    // The pool's buffers may be larger than what lies in them.
    entries: buffers.map((buffer, binding) => ({
      binding,
      resource: { buffer, size: buffer.size },
    })),
  });
  recorder.ensureCommandEncoderReady();
  recorder.computePassEncoder ??= recorder.commandEncoder!.beginComputePass();
  recorder.computePassEncoder.setPipeline(pipeline);
  recorder.computePassEncoder.setBindGroup(0, bindGroup);
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

/** The tensors that a buffer of some elements may be; u32 are bits, which any may hold. */
const dtypes: Partial<Record<ElementType, tf.DataType>> = {
  f32: 'float32',
  vec4f: 'float32',
  i32: 'int32',
};

function checkBindings(
  device: GPUDevice,
  { label, inputs, outputs, types }: Program,
  tensors: Record<string, { shape: number[]; dtype: tf.DataType }>,
): void {
  const { maxStorageBufferBindingSize: most } = device.limits;
  for (const name of [...inputs, ...outputs]) {
    const { shape, dtype } = tensors[name]!;
    const expected = dtypes[types[name]!];
    if (expected && dtype !== expected) {
      throw new InputError(`${label}: '${name}' has type ${dtype}; expected ${expected}`);
    }
    const bytes = 4 * sizeOf(shape);
    if (bytes > most) {
      throw new ShapeError(
        `${label}: '${name}' of shape [${shape.join(', ')}] takes ${bytes} bytes; the device binds at most ${most}`,
      );
    }
  }
}

/** The buffer of a tensor, uploaded if need be and kept until the commands so far are submitted. */
export function bufferOf(recorder: Recorder, tensor: tf.TensorInfo): GPUBuffer {
  recorder.uploadToGPU(tensor.dataId);
  recorder.commandQueueOwnedIds.add(tensor.dataId);
  return recorder.tensorMap.get(tensor.dataId).resource!;
}

function uniformBuffer<U extends string>(
  recorder: Recorder,
  program: Program<string, string, U>,
  params: Record<U, number>,
): GPUBuffer {
  const bytes = new DataView(new ArrayBuffer(Math.ceil(program.params.length / 4) * 16));
  program.params.forEach(([name, type], i) => {
    if (type === 'f32') bytes.setFloat32(i * 4, params[name], true);
    else bytes.setUint32(i * 4, params[name], true);
  });
  const buffer = recorder.bufferManager.acquireBuffer(
    bytes.byteLength,
    GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM,
  );
  recorder.device.queue.writeBuffer(buffer, 0, bytes.buffer);
  recorder.uniformPendingDisposal.push(buffer);
  return buffer;
}
