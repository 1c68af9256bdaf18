export { checkPrompt, type GenerateOptions, generate } from './generate.js';
export { argmax, type Candidate, candidates, type SamplingOptions, sample } from './sample.js';
