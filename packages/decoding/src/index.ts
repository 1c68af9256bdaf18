export type { CacheAttentionOptions } from './cache/attend.js';
export { keyValueCacheOf } from './cache/context.js';
export { KeyValueCache, type KeyValueCacheOptions } from './cache/key-value-cache.js';
export type { CacheStorage } from './cache/rows.js';
export { SegmentMemory } from './cache/segment-memory.js';
export { endScores, lastRows, lastScores } from './last-scores.js';
export { type DrawTokens, mostAhead } from './step/drawing.js';
export { type StepInputs, stepLogits } from './step/logits.js';
export { StepLoop, type StepLoopOptions } from './step/loop.js';
export {
  type StepBlockKind,
  type StepExperts,
  type StepFeedForward,
  type StepHead,
  type StepLayer,
  type StepLinear,
  type StepPlan,
  type SteppedModel,
  type StepRotary,
  stepPlanOf,
} from './step/plan.js';
export { rehearse } from './step/rehearse.js';
export type { StepToken } from './step/state.js';
