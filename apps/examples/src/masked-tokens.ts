import { collatedBatches, maskTokens } from '@headwise/data';

const encodings = [{ ids: [1, 10, 11, 12, 2], specialTokensMask: [1, 0, 0, 0, 1] }]; // as a tokenizer's encodings
const masked = collatedBatches(encodings, maskTokens({ vocabSize: 23, maskId: 3 }), {
  batchSize: 8,
});
console.log(masked.at(0).shape); // [ 8, 5 ]
