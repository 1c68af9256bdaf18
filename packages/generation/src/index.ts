export type { SamplingOptions } from '@headwise/kernels';
export { type Candidate, samplingCandidates as candidates } from '@headwise/kernels/internal';
export { checkPrompt, generate } from './generate.js';
export { type GenerationDefaults, parseGenerationConfig } from './generation-config.js';
export type { GenerateOptions } from './options.js';
export { processScores } from './process-scores.js';
export type { LengthDecay } from './processors/length-decay.js';
export type { LogitsProcessor } from './processors/own.js';
export type { SequenceBias } from './processors/sequence-bias.js';
