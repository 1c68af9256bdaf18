import { isHeadwiseError } from '@headwise/errors';
import { Tokenizer } from '@headwise/tokenizers';

try {
  Tokenizer.fromJSON({ model: { type: 'Word' } });
} catch (error) {
  if (!isHeadwiseError(error)) throw error; // a mistake in the program
  console.log(error.name); // TokenizerError
}
