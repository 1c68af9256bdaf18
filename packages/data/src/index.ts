export { type Batch, type ShuffledBatches, sequentialBatches, shuffledBatches } from './batches.js';
export {
  type CollatedBatches,
  type Collator,
  collatedBatches,
  type EncodedText,
  type PaddedRows,
  type PaddingOptions,
  padRows,
} from './collate.js';
export {
  type CompletionBatch,
  type CountedTokens,
  completions,
  countedTokens,
  type Judgement,
  judgedCompletions,
  learnSpans,
  mismatched,
  type Preference,
  type PromptCompletion,
  preferencePairs,
  type ReferredBatch,
} from './completions.js';
export { type CorruptSpansOptions, corruptSpans } from './corrupt-spans.js';
export { decodeText } from './decode-text.js';
export {
  type DuplicateOptions,
  type Duplicates,
  findDuplicates,
  findRepeatedParts,
  type RepeatedParts,
  type RunStore,
  withoutRepeatedParts,
} from './dedup/find-duplicates.js';
export type { KeyRun, StoredRun } from './dedup/key-run.js';
export { MinHash, type MinHashOptions } from './dedup/minhash.js';
export { repeatedSubstrings, type Span, withoutSpans } from './dedup/substrings.js';
export { type Part, textKey } from './dedup/text-keys.js';
export {
  type DenoisingOptions,
  deleteTokens,
  denoising,
  hideTokens,
  infillText,
  type Noise,
  permuteSentences,
  rotateDocument,
} from './denoise.js';
export type { Document, Documents, JsonValue } from './documents/document.js';
export { settingsOver } from './documents/settings.js';
export {
  type Measure,
  type MeasuredOutcome,
  type Outcome,
  ruleStep,
  type Step,
} from './documents/step.js';
export {
  type StepMaker,
  type StepSettings,
  type StepsOptions,
  type StepTools,
  stepsOf,
} from './documents/steps.js';
export { addSize, addSizes, binRange, type SizeHistogram } from './documents/survey.js';
export {
  type Amount,
  addTally,
  applySteps,
  batchOf,
  emptyTally,
  type MeasureHistogram,
  type Rejection,
  type StepTally,
} from './documents/tally.js';
export { DataError } from './errors.js';
export type { Examples } from './examples/check-example.js';
export type {
  ExampleFormat,
  ExampleMessage,
  ExampleOf,
  TextOrMessages,
} from './examples/formats.js';
export {
  checkExamples,
  parseExamples,
  type RowOptions,
  type Rows,
} from './examples/parse-examples.js';
export { readExamples, readRows } from './examples/read-examples.js';
export { packTokenIds, type TokenIds } from './ids.js';
export { type LabelledText, type LabelledTexts, labelledTexts } from './labelled.js';
export {
  type MaskedBatch,
  type MaskingUnit,
  type MaskTokensOptions,
  maskTokens,
} from './mask-tokens.js';
export { type PackingOptions, type Piece, packLengths } from './pack.js';
export {
  type DocumentsRow,
  type MarkedTokens,
  type PackedBatch,
  type PackedRow,
  packDocuments,
  packedRows,
} from './packed.js';
export { type SequencePair, type SequencePairs, sequencePairs } from './pairs.js';
export {
  type ReplacePiiOptions,
  replacePii,
  replacePiiDefaults,
} from './pii/replace-pii.js';
export { type C4QualityOptions, c4Quality, c4QualityDefaults } from './quality/c4-quality.js';
export {
  type DecontaminateOptions,
  decontaminate,
  decontaminateDefaults,
  type EvaluationExample,
} from './quality/decontaminate.js';
export {
  type FinewebQualityOptions,
  finewebQuality,
  finewebQualityDefaults,
} from './quality/fineweb-quality.js';
export {
  type GopherQualityOptions,
  gopherQuality,
  gopherQualityDefaults,
} from './quality/gopher-quality.js';
export {
  type GopherRepetitionOptions,
  gopherRepetition,
  gopherRepetitionDefaults,
} from './quality/gopher-repetition.js';
export { type ByteFile, blobFile, httpFile } from './readers/byte-file.js';
export type { Decompress, Decompressors } from './readers/decompress.js';
export type { Compression, DocumentFormat } from './readers/formats.js';
export { type ReadDocumentsOptions, readDocuments } from './readers/read-documents.js';
export type { RecordFields, SourceDocument } from './readers/source-document.js';
export { type LanguageOptions, language, languageDefaults } from './rules/language.js';
export { type UrlRulesOptions, urlRules, urlRulesDefaults } from './rules/url-rules.js';
export {
  type EncodedSentencePair,
  type MaskedPairBatch,
  maskPairs,
  type SentencePairsOptions,
  type Sentences,
  sentencePairs,
} from './sentence-pairs.js';
export { type ByteSource, blobSource, httpSource } from './shards/byte-source.js';
export {
  parseManifest,
  type ShardEntry,
  type ShardsManifest,
  type TokenDtype,
  tokensFile,
} from './shards/manifest.js';
export { type DrawnWindow, type MixtureSource, mixture } from './shards/mixture.js';
export {
  type CurriculumStage,
  type MixtureSettings,
  type MixtureWeights,
  mixtureWeights,
  parseMixture,
  type SourceSettings,
} from './shards/mixture-file.js';
export {
  type ShardBatches,
  type ShardBatchesOptions,
  type ShardSource,
  shardBatches,
  wholeWindows,
  windowsIn,
} from './shards/shard-batches.js';
export { type ShardTokens, TokenShards } from './shards/token-shards.js';
export {
  type EncoderRows,
  type SimilarBatch,
  type SimilarTexts,
  similarTexts,
} from './similar.js';
export { type Split, splitCorpus } from './split.js';
export { splitExamples } from './split-examples.js';
export { countEnglishSentences, englishTokens, englishWords } from './text/english-words.js';
export { type TokenBatchesOptions, tokenBatches } from './token-batches.js';
export { tokenWindows, type Windows } from './windows.js';
export { type ParquetOptions, parquetChunks } from './writers/parquet.js';
