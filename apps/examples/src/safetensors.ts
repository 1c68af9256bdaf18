import { readSafetensors, toFloat32, writeSafetensors } from '@headwise/safetensors';

const bytes = writeSafetensors(
  {
    'embed.weight': { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    'embed.scale': { dtype: 'BF16', shape: [1], data: Uint16Array.of(0x3f80) },
  },
  { format: 'pt' },
);

const file = readSafetensors(bytes, { name: 'model.safetensors' });
console.log(file.metadata.format, [...file.tensors.keys()].sort()); // pt [ 'embed.scale', 'embed.weight' ]
console.log(file.get('embed.weight').data); // Float32Array(6) [ 1, 2, 3, 4, 5, 6 ]
console.log(toFloat32(file.get('embed.scale'))); // Float32Array(1) [ 1 ]
