export {
  type ChainOfThoughtOptions,
  chainOfThought,
  type Thought,
} from './answers/chain-of-thought.js';
export {
  byJson,
  byOption,
  byPattern,
  type Extracted,
  type Extractor,
  type PatternOptions,
} from './answers/extract.js';
export {
  type AnsweredPart,
  type LeastToMost,
  type LeastToMostOptions,
  leastToMost,
} from './answers/least-to-most.js';
export {
  type Consensus,
  countVotes,
  type Sample,
  type SelfConsistencyOptions,
  selfConsistency,
  type Vote,
} from './answers/majority.js';
export {
  type Piped,
  pipe,
  runStep,
  type Step,
  type StepRecord,
  type StepResult,
  type StepRun,
  type WriteSlotOptions,
  writeSlot,
} from './answers/steps.js';
export { type Bm25, type Bm25Options, bm25 } from './choose/bm25.js';
export {
  type BalancedOptions,
  balancedExamples,
  type ExampleChooser,
  firstExamples,
  randomExamples,
  shuffledExamples,
} from './choose/example-chooser.js';
export {
  type MarginalRelevanceOptions,
  maximalMarginalRelevance,
} from './choose/marginal-relevance.js';
export {
  type DiverseOptions,
  diverseExamples,
  type ExampleOrder,
  type SimilarOptions,
  similarExamples,
} from './choose/similar-examples.js';
export {
  bm25Similarity,
  embeddingSimilarity,
  type Similarity,
  type SimilarityIndex,
} from './choose/similarity.js';
export { definePrompt } from './define-prompt.js';
export { type FitOptions, type FittedPrompt, fitPrompt, type PromptCut } from './fit.js';
export { type LocalModelOptions, localModel } from './local-model.js';
export {
  type BackTranslationOptions,
  backTranslation,
  type SourceDocument,
  scoreForm,
} from './make/back-translation.js';
export {
  type ConstitutionOptions,
  constitutionJudge,
  revisionJudge,
  verdictForm,
} from './make/constitution.js';
export {
  type Evolution,
  type EvolveOptions,
  evolvedInstructions,
  sameForm,
} from './make/evolve.js';
export {
  choicesJudge,
  type Judge,
  type JudgedAnswers,
  type Reward,
  rewardJudge,
  type Verdict,
} from './make/judge.js';
export { LeftOut } from './make/left-out.js';
export { type MakeOptions, makeExamples } from './make/make-examples.js';
export {
  type AnswerTask,
  answerMessages,
  answerText,
  type Query,
} from './make/make-form.js';
export {
  type MakePrompts,
  makePrompts,
  type OwnPrompts,
  type WrittenPrompt,
} from './make/make-prompts.js';
export {
  type Answered,
  type AskedRecord,
  type AskOptions,
  MakeRun,
  type MakeSettings,
  type Provenance,
} from './make/make-run.js';
export { type NoDuplicatesOptions, noDuplicates } from './make/no-duplicates.js';
export {
  type PreferenceQuery,
  type PreferencesOptions,
  preferenceMethods,
  preferences,
} from './make/preferences.js';
export type {
  DraftRow,
  LeftOutRow,
  MadeEntry,
  MadeExample,
  MakeItem,
  Making,
  PastEntry,
  Recipe,
} from './make/recipe.js';
export { type ResponsesOptions, responses } from './make/responses.js';
export { rougeL } from './make/rouge.js';
export {
  answerLength,
  byStep,
  noRefusals,
  type Refused,
  type RowFilter,
  refusalPatterns,
} from './make/row-filter.js';
export { longerAnswer, matchingAnswer, rightAnswer, shorterAnswer } from './make/rules.js';
export { type SelfInstructOptions, selfInstruct } from './make/self-instruct.js';
export { evolutions, principles } from './make/wordings.js';
export { calibrated } from './options/calibration.js';
export {
  type Normalization,
  normalizedScore,
  type OptionScore,
  optionProbabilities,
} from './options/normalization.js';
export {
  type ChooseOptions,
  chooseOptions,
  type OptionChoice,
  type OptionQuestion,
  type ScoreOptionsOptions,
  scoreOptions,
} from './options/options.js';
export type {
  ContinuationScore,
  PromptModel,
  ScoreRequest,
  WorkOptions,
  WrittenText,
} from './prompt-model.js';
export { type PromptReader, promptReader } from './reader.js';
export { CutStreamError, type RequestOptions, ServerModelError } from './server/requests.js';
export { type ServerModel, type ServerModelOptions, serverModel } from './server/server-model.js';
export { serverModels } from './server/server-models.js';
export type {
  AnyValue,
  CutSide,
  ListSlot,
  MessageItem,
  MessagesSlot,
  NumberSlot,
  Slot,
  SlotNames,
  SlotValue,
  TextSlot,
} from './slots.js';
export { defineTask, type Task, type TaskDefinition, type TaskOf } from './task.js';
export {
  type ExampleName,
  type MessageValues,
  type PromptDefinition,
  PromptTemplate,
  type PromptValues,
  type ValuesOf,
} from './template.js';
export type { MessagePart, TemplateMessage, TemplateParts } from './template-parts.js';
export { type TrialLeak, trialLeaks } from './trial/leaks.js';
export { accuracyOf, type PromptCandidate } from './trial/optimize/candidate.js';
export {
  type OptimizedPrompt,
  type OptimizeOptions,
  optimizePrompt,
} from './trial/optimize/optimize.js';
export type { Reflection, ReflectionOptions } from './trial/optimize/reflect.js';
export { type PromptSearch, type SearchOptions, searchPrompt } from './trial/optimize/search.js';
export { parseTrialPrompt } from './trial/parse-trial-prompt.js';
export {
  planTrial,
  type TrialChooser,
  type TrialExample,
  type TrialOptions,
  type TrialPlan,
  type TrialVariant,
} from './trial/plan.js';
export type { TrialCall, TrialRecord, TrialScore } from './trial/record.js';
export {
  type Comparison,
  type ConditionResult,
  type TrialReport,
  type TrialReportOptions,
  trialReport,
} from './trial/report.js';
export { type RunTrialOptions, runTrial, type TrialPart, wholeParts } from './trial/run-trial.js';
export {
  type BootstrapOptions,
  bootstrapDifference,
  bootstrapMean,
  type Difference,
  type Estimate,
  type Outcomes,
} from './trial/statistics/bootstrap.js';
export {
  type CalibrationBin,
  calibrationBins,
  calibrationError,
  type RatedAnswer,
} from './trial/statistics/calibration-error.js';
export { holmAdjusted } from './trial/statistics/holm.js';
export { mcnemarTest } from './trial/statistics/mcnemar.js';
export {
  comparisonsOfBest,
  comparisonTable,
  type TrialTable,
  trialLines,
  trialTable,
} from './trial/table.js';
export {
  defineTrialPrompt,
  type TrialPrompt,
  type TrialPromptDefinition,
} from './trial/trial-prompt.js';
