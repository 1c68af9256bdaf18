import type { Run, Workload } from '@headwise/testing';
import { jaxTrainer } from '../training/jax.js';
import { ourTrainer } from '../training/ours.js';
import type { TrainedFamily, TrainingSizes } from '../training/sizes.js';
import { stockTrainer } from '../training/stock.js';
import { torchPython, torchTrainer } from '../training/torch.js';
import type { Trainer } from '../training/trainer.js';

const rows = 2;
const [length, vocabulary] = [256, 8192];
const models: Record<string, TrainingSizes> = {
  '4x128': { layers: 4, dim: 128, heads: 4, length, vocabulary },
  '6x384': { layers: 6, dim: 384, heads: 6, length, vocabulary },
};
const families: readonly TrainedFamily[] = ['gpt2', 'bert', 't5'];

/** A whole training step: forward, loss, backward, clipping, update, and the loss read. */
function trainingStep(family: TrainedFamily, size: string, sizes: TrainingSizes): Workload {
  return {
    name: `training/${family}/${size}`,
    backends: ['webgpu', 'wasm'],
    async prepare() {
      const ours = ourTrainer(family, sizes, rows);
      const peers = await peersOf(family, sizes);
      return {
        ours: ours.step,
        peers: Object.fromEntries(
          Object.entries(peers).map(([name, { step }]): [string, Run] => [name, step]),
        ),
        dispose() {
          for (const trainer of [ours, ...Object.values(peers)]) trainer.dispose();
        },
      };
    },
  };
}

async function peersOf(
  family: TrainedFamily,
  sizes: TrainingSizes,
): Promise<Record<string, Trainer>> {
  const peers: Record<string, Trainer> = { stock: stockTrainer(family, sizes, rows) };
  const python = torchPython();
  if (python) peers['torch-cpu'] = await torchTrainer(python, family, sizes, rows);
  else console.log('  no torch-cpu: HEADWISE_TORCH_PYTHON names no Python with PyTorch');
  const jax = await jaxTrainer(family, sizes, rows);
  if (typeof jax === 'string') console.log(`  no jax-js: ${jax}`);
  else peers['jax-js'] = jax;
  return peers;
}

export const workloads: Workload[] = families.flatMap((family) =>
  Object.entries(models).map(([size, sizes]) => trainingStep(family, size, sizes)),
);
