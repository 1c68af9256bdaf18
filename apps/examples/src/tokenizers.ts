import { Tokenizer, trainByteLevelBpe } from '@headwise/tokenizers';

const text = 'It was the whale, the white whale! 🐋 The whale.';
const tokenizer = await trainByteLevelBpe([text], { vocabSize: 264, specialTokens: ['<end>'] });

const { ids, tokens, offsets } = tokenizer.encode('the whale 🐋<end>');
console.log(tokens.join(' ')); // the Ġwhale Ġ ð Ł Ĳ ĭ <end>
console.log(offsets[1], 'the whale 🐋<end>'.slice(...offsets[1]!)); // [ 3, 9 ]  whale
console.log(tokenizer.decode(ids)); // the whale 🐋

const stream = tokenizer.decodeStream();
console.log(JSON.stringify(ids.map((id) => stream.push(id)))); // ["the"," whale"," ","","","","🐋",""]

const again = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)));
console.log(again.decode(again.encode('a whale').ids)); // a whale
