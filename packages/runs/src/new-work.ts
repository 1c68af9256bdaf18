import { pretrainingWork } from './pretraining-work.js';
import type { RunConfig } from './run-config.js';
import type { RunData } from './run-data.js';
import type { SessionWork } from './session-work.js';
import { trainingWork } from './training-work.js';

/**
 * The work of a run's file, by its objective. What trains and saves a model takes any network, and is typed for decoders, which
 * alone have samples.
 */
export function newWork(config: RunConfig, data: RunData): SessionWork {
  const { objective = 'causal-lm' } = config;
  if (objective === 'causal-lm') return trainingWork(config, data);
  return pretrainingWork(config, data) as unknown as SessionWork;
}
