import { BackendError } from '@headwise/core';
import { planRun } from '@headwise/runs';
import { MemoryPlanError } from '@headwise/training';
import type { RunConfig } from '../model/run-config.js';
import { runFileOf } from '../model/run-file.js';

/** The memory that a run takes on WebGPU, in bytes, or why it cannot be told. */
export type RunMemory =
  | { bytes: number; problem?: undefined }
  | { bytes?: undefined; problem: string };

/** Plans the memory of a run as `headwise train` does for its file. */
export async function runMemory(config: RunConfig, vocabSize: number): Promise<RunMemory> {
  try {
    // What the GPU has, no browser tells.
    const { peak } = await planRun(runFileOf(config), vocabSize, {
      limit: Number.POSITIVE_INFINITY,
    });
    return { bytes: peak };
  } catch (error) {
    if (error instanceof BackendError || error instanceof MemoryPlanError) {
      return { problem: error.message };
    }
    throw error;
  }
}
