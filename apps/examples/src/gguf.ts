import { dequantize, quantize, readGgufHeader, streamGguf } from '@headwise/gguf';
import { blobBytes } from '@headwise/safetensors';

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

const file = blobBytes(new Blob(chunks.map((chunk) => new Uint8Array(chunk))), 'model.gguf');
const { metadata, tensors } = await readGgufHeader(file);
console.log(metadata.get('llama.block_count')); // 1
const { type, shape, begin, end } = tensors.get('token_embd.weight')!;
console.log(type, shape, end - begin); // q8_0 [ 2, 32 ] 68
const bytes = new Uint8Array(end - begin);
await file.read(begin, bytes);
console.log(dequantize(bytes, type)[1]); // 0.84246826171875
