export { type StepInputs, stepLogits } from './step/logits.js';
export {
  type DrawTokens,
  mostAhead,
  StepLoop,
  type StepLoopOptions,
  type StepToken,
} from './step/loop.js';
export {
  type StepBlockKind,
  type StepFeedForward,
  type StepLayer,
  type StepLinear,
  type StepPlan,
  type SteppedModel,
  type StepRotary,
  stepPlanOf,
} from './step/plan.js';
