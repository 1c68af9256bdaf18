import { type Schedule, warmupCosine, warmupStableDecay } from '@headwise/training';
import type { TrainingPart } from './run-config.js';

/** The schedule of a run's learning rate. */
export function scheduleOf(training: TrainingPart): Schedule {
  const { learningRate: peak, minLearningRate: floor, warmupSteps, steps, decaySteps } = training;
  if (decaySteps !== undefined) {
    return warmupStableDecay({ peak, floor, warmupSteps, decaySteps, totalSteps: steps });
  }
  // A run that is shorter than its warm-up ends while the rate still rises.
  return warmupCosine({ peak, floor, warmupSteps, totalSteps: Math.max(warmupSteps, steps) });
}
