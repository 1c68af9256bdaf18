import { trainByteLevelBpe } from '@headwise/tokenizers';

const text = 'the whale, the white whale, the sea '.repeat(10);
const tokenizer = await trainByteLevelBpe([text], { vocabSize: 270 });
const { ids, tokens, offsets } = tokenizer.encode('the white sea');
console.log(tokens); // [ 'the', 'Ġwhite', 'Ġsea' ]
console.log(offsets); // [ [ 0, 3 ], [ 3, 9 ], [ 9, 13 ] ]
console.log(tokenizer.decode(ids)); // the white sea
