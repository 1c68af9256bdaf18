export type { TokenTexts } from './automaton/vocabulary.js';
export { createGrammar, type Grammar } from './grammar.js';
