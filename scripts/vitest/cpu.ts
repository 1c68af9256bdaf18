import * as tf from '@tensorflow/tfjs';

// Unit tests compute on the cpu backend; a test of another backend starts it itself.
tf.env().set('PROD', true);
await tf.setBackend('cpu');
