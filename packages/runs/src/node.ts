export { readCorpus } from './node/corpus.js';
export { readRunFile } from './node/read-run-file.js';
export { RunFolder, type RunInputs } from './node/run-folder.js';
