import { quantize, streamGguf } from '@headwise/gguf';

const weights = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
console.log(quantize(weights, 'q8_0').length); // 68

const chunks: Uint8Array[] = [];
for await (const chunk of streamGguf(
  { 'general.architecture': ['string', 'llama'], 'llama.block_count': ['u32', 1] },
  { 'token_embd.weight': { type: 'q8_0', shape: [2, 32], values: () => weights } },
)) {
  chunks.push(chunk);
}
console.log(chunks.map(({ length }) => length)); // [ 160, 68, 28 ]
