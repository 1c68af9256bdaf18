export {
  generateText,
  type Prompt,
  streamText,
  type TextModel,
  type TextOptions,
  type TextPiece,
} from './generate-text.js';
export { type LoadedText, type LoadTextOptions, load } from './load.js';
