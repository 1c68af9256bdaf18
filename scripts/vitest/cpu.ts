import { registerWasmKernels } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

// Unit tests compute on the cpu backend; a test of another backend starts it itself.
tf.env().set('PROD', true);
await tf.setBackend('cpu');
// As start() does on wasm: tests of that backend run over its kernels.
registerWasmKernels();
