import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LanguageModel } from '@headwise/core';
import { generate } from '@headwise/generation';
import { createModel, loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import type { Contestants, Run, Workload } from '@headwise/testing';
import { type Decoded, type Decoder, msPerToken } from '../decoded.js';
import { transformersDecoder } from '../onnx/transformers.js';
import { peersFolder } from '../peers.js';
import { chromiumPath, wllamaDecoder } from '../wllama/decoder.js';

const folder = fileURLToPath(new URL('models/gpt2-small', peersFolder));
const made = existsSync(join(folder, 'config.json'));
const prompt = Array.from({ length: 16 }, (_, i) => (i * 7919 + 464) % 50_257);
const tokens = 16;

/** A token of greedy decoding with the same weights: by `generate`, by transformers.js on onnxruntime-web, and by wllama. */
async function contestants(): Promise<Contestants> {
  const { network, params } = made
    ? await loadModel(folderFiles(folder))
    : createModel({ model_type: 'gpt2' }, { seed: 1 });
  const ours = () => decode(network as LanguageModel);
  const decoders = made ? await peers() : {};
  if (!made) {
    console.log(`  no peers: ${folder} does not exist; tools/peers/README.md says how it is made`);
  }
  const expected = made ? await ours() : undefined;
  for (const [name, decoder] of Object.entries(decoders)) {
    const { ids } = await decoder.decode(prompt, tokens);
    console.log(`  ${name}: ${agreement(ids, expected!.ids)}`);
  }
  const timed =
    (run: () => Promise<Decoded>): Run =>
    async () => ({ ms: msPerToken(await run()) });
  return {
    ours: timed(ours),
    peers: Object.fromEntries(
      Object.entries(decoders).map(([name, decoder]) => [
        name,
        timed(() => decoder.decode(prompt, tokens)),
      ]),
    ),
    dispose: () => {
      params.dispose();
      for (const decoder of Object.values(decoders)) void decoder.dispose();
    },
  };
}

/** Peers on the processor, which is also where a software adapter computes; wllama with a thread for each core. */
async function peers(): Promise<Record<string, Decoder>> {
  const decoders: Record<string, Decoder> = {
    'transformers.js wasm': await transformersDecoder(folder),
  };
  const chromium = chromiumPath();
  if (!chromium) {
    console.log('  no wllama: Chromium was not found; install it, or point CHROMIUM at it');
    return decoders;
  }
  decoders.wllama = await wllamaDecoder(folder, availableParallelism(), chromium);
  return decoders;
}

async function decode(network: LanguageModel): Promise<Decoded> {
  const ids: number[] = [];
  const times: number[] = [];
  for await (const id of generate(network, prompt, { temperature: 0, maxNewTokens: tokens })) {
    ids.push(id);
    times.push(performance.now());
  }
  return { ids, times };
}

/** How far two decodings of the same weights are the same. */
function agreement(ids: readonly number[], expected: readonly number[]): string {
  const differs = expected.findIndex((id, i) => ids[i] !== id);
  return differs < 0
    ? `the same ${expected.length} tokens`
    : `differs at token ${differs + 1} of ${expected.length}`;
}

export const workloads: Workload[] = [
  {
    name: 'generate/peers/gpt2-small/f32',
    backends: ['webgpu'],
    installsPeers: made,
    prepare: contestants,
  },
];
