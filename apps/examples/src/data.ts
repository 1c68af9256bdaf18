import {
  packTokenIds,
  sequentialBatches,
  shuffledBatches,
  splitCorpus,
  tokenWindows,
} from '@headwise/data';

const text = 'Call me Ishmael.\nSome years ago, never mind how long precisely,\nhaving little\n';
const { train, validation } = splitCorpus(text, { validation: 0.2 });
const encode = (part: string) => packTokenIds(new TextEncoder().encode(part), { vocabSize: 256 });

const batches = shuffledBatches(tokenWindows(encode(train), { length: 8 }), {
  batchSize: 2,
  seed: 1,
});
const { inputs, targets, shape } = batches.at(1000); // any step, in any order
console.log(shape, inputs[1] === targets[0]); // [ 2, 8 ] true

for (const batch of sequentialBatches(encode(validation), { batchSize: 1, length: 8 })) {
  console.log(batch.shape); // [ 1, 8 ]
}
