import type { DeviceLostError } from '../errors.js';

/** The WebGPU device that TensorFlow.js runs on, and its loss, if it was lost. */
export interface Device {
  readonly gpu: GPUDevice;
  readonly info: GPUAdapterInfo;
  readonly limits: Record<string, number>;
  readonly software: boolean;
  /** Set once the device is lost. */
  lost: DeviceLostError | undefined;
  /** Validation and out-of-memory errors that have not been reported yet. */
  readonly errors: string[];
  /** Readers to tell when the device is lost. */
  readonly readers: Set<(error: DeviceLostError) => void>;
}
