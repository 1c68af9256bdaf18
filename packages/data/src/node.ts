export { readTextCorpus, type TextDocument } from './node/corpus.js';
export {
  type DeduplicateOptions,
  type DedupReport,
  deduplicate,
} from './node/dedup/deduplicate.js';
export type { DedupMethod, DedupSettings, UnitReport } from './node/dedup/unit-work.js';
export {
  type FilterOptions,
  type FilterReport,
  filterDocuments,
  filterShard,
  type Shard,
} from './node/filter/filter-documents.js';
export type { StepModule } from './node/filter/load-steps.js';
export type { FilterSettings } from './node/filter/unit-work.js';
export { type FoundDocument, findDocuments, type WantedDocuments } from './node/find-documents.js';
export { type Input, type InputSettings, isAddress, openInputs } from './node/inputs.js';
export { documentStats, type StatsOptions } from './node/stats/document-stats.js';
export type { DocumentStats } from './node/stats/unit-work.js';
export { folderSource, openShards } from './node/tokenize/folder-source.js';
export {
  type TokenizeOptions,
  type TokenizeReport,
  tokenizeDocuments,
  tokenizerHash,
} from './node/tokenize/tokenize-documents.js';
export { type OutputSettings, outputEnding, outputFormats } from './node/unit-output.js';
export type { UnitRunOptions } from './node/unit-run.js';
