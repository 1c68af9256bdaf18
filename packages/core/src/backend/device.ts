import * as tf from '@tensorflow/tfjs';
import { navigatorGpu, pollWithPauses } from '#navigator-gpu';
import { DeviceLostError } from '../errors.js';
import type { Device } from './device-type.js';
import { webgpuBackend } from './webgpu.js';

/** Features that kernels use where the adapter offers them. */
const wantedFeatures: GPUFeatureName[] = [
  'shader-f16',
  'subgroups',
  // Dawn's experiment with matrix units, which no specification names yet.
  'chromium-experimental-subgroup-matrix' as GPUFeatureName,
  'timestamp-query',
  // For TensorFlow.js's own operations on pictures.
  'bgra8unorm-storage',
];

/** Limits that are raised from WebGPU's defaults to what the adapter has. */
const raisedLimits = [
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
] as const satisfies (keyof GPUSupportedLimits)[];

let current: Device | undefined;

const devices = new WeakMap<GPUDevice, Device>();

/** The loss of a device that core requested, if it was lost. */
export function lossOf(gpu: GPUDevice): DeviceLostError | undefined {
  return devices.get(gpu)?.lost;
}

/** The device of the WebGPU backend, lost or not, if that backend was started. */
export function currentDevice(): Device | undefined {
  return current;
}

const softwareDrivers = /llvmpipe|lavapipe|swiftshader|basic render|software/i;

/** Requests a device of our own and runs TensorFlow.js's WebGPU backend on it, or says what is missing. */
export async function startDevice(): Promise<Device | { missing: string }> {
  if (current && !current.lost && tf.findBackendFactory('webgpu')) return current;
  const gpu = await navigatorGpu();
  if ('missing' in gpu) return gpu;
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    return {
      missing:
        "no adapter was found; install the GPU's driver, or Mesa's software driver (Debian, Ubuntu: apt-get install libvulkan1 mesa-vulkan-drivers, version 24 or newer)",
    };
  }
  const limits = Object.fromEntries(raisedLimits.map((name) => [name, adapter.limits[name]]));
  const raw = await adapter.requestDevice({
    requiredFeatures: wantedFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits: limits,
  });
  const { info } = adapter;
  const device: Device = {
    gpu: raw,
    info,
    limits,
    software:
      !!info.isFallbackAdapter || softwareDrivers.test(`${info.architecture} ${info.description}`),
    lost: undefined,
    errors: [],
    readers: new Set(),
  };
  if (device.software) pollWithPauses();
  devices.set(raw, device);
  watch(device);
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => webgpuBackend(device), 3);
  current = device;
  return device;
}

function watch(device: Device): void {
  device.gpu.addEventListener('uncapturederror', (event) => {
    device.errors.push((event as GPUUncapturedErrorEvent).error.message);
  });
  void device.gpu.lost.then(({ reason, message }) => {
    device.lost = new DeviceLostError(reason ?? 'unknown', message);
    for (const reject of device.readers) reject(device.lost);
    device.readers.clear();
  });
}
