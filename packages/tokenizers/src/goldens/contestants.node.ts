import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { published, publishedPath } from './read.node.js';

// These packages have a lockfile of their own, and are installed when they are first timed.
const require = createRequire(new URL('../../../../tools/peers/package.json', import.meta.url));

/** Encodes a text; what is timed. */
export type Encode = (text: string) => unknown;

/** The tokenizers that are timed on a published `tokenizer.json`, each made when called. */
export const contestants: Readonly<Record<string, Readonly<Record<string, () => Encode>>>> = {
  gpt2: {
    ours: ours('gpt2'),
    'gpt-tokenizer': gptTokenizer('r50k_base'),
    'js-tiktoken': jsTiktoken('gpt2'),
    '@huggingface/tokenizers': huggingFace('gpt2'),
  },
  // GPT-4's, with the pattern of Llama 3, is the nearest that the others have.
  llama3: {
    ours: ours('llama3'),
    'gpt-tokenizer (cl100k_base)': gptTokenizer('cl100k_base'),
    'js-tiktoken (cl100k_base)': jsTiktoken('cl100k_base'),
    '@huggingface/tokenizers': huggingFace('llama3'),
  },
  llama2: { ours: ours('llama2'), '@huggingface/tokenizers': huggingFace('llama2') },
  gemma3: { ours: ours('gemma3'), '@huggingface/tokenizers': huggingFace('gemma3') },
};

function ours(name: string): () => Encode {
  return () => {
    const tokenizer = published(name);
    return (text) => tokenizer.encode(text);
  };
}

function gptTokenizer(encoding: string): () => Encode {
  return () => {
    const { encode } = require(`gpt-tokenizer/encoding/${encoding}`) as { encode: Encode };
    return (text) => encode(text);
  };
}

function jsTiktoken(encoding: string): () => Encode {
  return () => {
    const { Tiktoken } = require('js-tiktoken/lite') as {
      Tiktoken: new (ranks: unknown) => { encode(text: string): number[] };
    };
    const tokenizer = new Tiktoken(require(`js-tiktoken/ranks/${encoding}`));
    return (text) => tokenizer.encode(text);
  };
}

function huggingFace(name: string): () => Encode {
  return () => {
    const path = publishedPath(name);
    const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
    const config = read(path.replace('tokenizer.json', 'tokenizer_config.json'));
    const tokenizer = new HuggingFaceTokenizer(read(path), config);
    return (text) => tokenizer.encode(text);
  };
}
