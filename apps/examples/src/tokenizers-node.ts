import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainWordPiece } from '@headwise/tokenizers';
import { loadTokenizer, saveTokenizer } from '@headwise/tokenizers/node';

const trained = await trainWordPiece(['the whale, the white whale'], { vocabSize: 30 });
const path = join(await mkdtemp(join(tmpdir(), 'tokenizer-')), 'tokenizer.json');
await saveTokenizer(trained, path);
const tokenizer = await loadTokenizer(path);
console.log(tokenizer.vocabSize === trained.vocabSize); // true
