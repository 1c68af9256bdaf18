export {
  type Candidate,
  type SamplingOptions,
  samplingCandidates,
} from '@headwise/kernels';
export { checkPrompt, type GenerateOptions, generate } from './generate.js';
