import * as tf from '@tensorflow/tfjs';
import { stockBert } from '../stock/bert.js';
import { stockGpt2 } from '../stock/gpt2.js';
import { StockTrainer } from '../stock/model.js';
import { stockT5 } from '../stock/t5.js';
import { type TrainedFamily, type TrainingSizes, trainingIds } from './sizes.js';
import type { Trainer } from './trainer.js';

const families = { gpt2: stockGpt2, bert: stockBert, t5: stockT5 };

/** Trains the same model in operations of TensorFlow.js alone. */
export function stockTrainer(family: TrainedFamily, sizes: TrainingSizes, rows: number): Trainer {
  const trainer = new StockTrainer(families[family](sizes));
  const ids = trainingIds(family, sizes, rows);
  const batch = {
    inputs: tf.tensor2d(ids.inputs, [rows, sizes.length], 'int32'),
    targets: tf.tensor1d(ids.targets, 'int32'),
    ...(family === 'bert'
      ? {
          weights: tf.tensor1d(
            ids.targets.map((id) => (id < 0 ? 0 : 1)),
            'float32',
          ),
        }
      : {}),
  };
  return {
    async step() {
      const loss = trainer.step(batch);
      const [value] = await loss.data();
      loss.dispose();
      return { loss: value! };
    },
    dispose() {
      trainer.dispose();
      tf.dispose(batch);
    },
  };
}
