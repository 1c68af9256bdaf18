export { readTextCorpus, type TextDocument } from './node/corpus.js';
