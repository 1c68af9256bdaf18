export {
  type Candidate,
  type SamplingOptions,
  samplingCandidates as candidates,
} from '@headwise/kernels';
export { checkPrompt, type GenerateOptions, generate } from './generate.js';
