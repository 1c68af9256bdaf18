export {
  type Candidate,
  type SamplingOptions,
  samplingCandidates as candidates,
} from '@headwise/kernels';
export { checkPrompt, generate } from './generate.js';
export { type GenerationDefaults, parseGenerationConfig } from './generation-config.js';
export type { GenerateOptions } from './options.js';
