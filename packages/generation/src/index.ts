export type { SamplingOptions } from '@headwise/kernels';
export { type Candidate, samplingCandidates as candidates } from '@headwise/kernels/internal';
export type { Generator } from './batch-scores.js';
export { choices } from './choices.js';
export type { Constraint, ConstraintState } from './constraint.js';
export type { ContextShift } from './context-shift.js';
export type { DolaLayers } from './dola.js';
export type { GeneratedToken, TokenProbability } from './draw.js';
export { encodedSources } from './encoded-sources.js';
export { generate } from './generate.js';
export {
  type GeneratedBatch,
  type GeneratedSequence,
  generateBatch,
} from './generate-batch.js';
export { type GenerationDefaults, parseGenerationConfig } from './generation-config.js';
export type { GenerateOptions } from './options.js';
export { type Perplexity, type PerplexityOptions, perplexity } from './perplexity.js';
export {
  PrefixCache,
  type PrefixCacheOptions,
  type RunTokens,
} from './prefix-cache/prefix-cache.js';
export type { SavedPrefixes } from './prefix-cache/prefix-file.js';
export { processScores } from './process-scores.js';
export type { LengthDecay } from './processors/length-decay.js';
export type { LogitsProcessor } from './processors/own.js';
export type { SequenceBias } from './processors/sequence-bias.js';
export { type TimestampRules, timestampRules } from './processors/timestamps.js';
export { checkPrompt, type PromptLimits } from './prompt.js';
export { type BatchResult, RunningBatch, type RunningBatchOptions } from './running-batch.js';
export type { BatchDetails, RunningSequence } from './running-sequence.js';
export {
  type CompletionScore,
  type PromptAndCompletion,
  type ScoredToken,
  type ScoreOptions,
  score,
  scoreBatch,
} from './score.js';
export type { BeamSearchOptions } from './search/beam-options.js';
export { beamSearch } from './search/beam-search.js';
export type { BeamSequence, EarlyStopping } from './search/beams.js';
export {
  type ContrastiveSearchOptions,
  type ContrastiveSequence,
  contrastiveSearch,
} from './search/contrastive-search.js';
export type { Phrase } from './search/phrases.js';
export { parseSearchConfig, type SearchDefaults } from './search/search-config.js';
export { draftModel, earlyExit } from './speculation/draft-model.js';
export { type PromptLookupOptions, promptLookup } from './speculation/prompt-lookup.js';
export type { Drafter, Speculation } from './speculation/speculation.js';
export type { StopReason } from './stop.js';
export { type StreamOptions, stream } from './stream.js';
