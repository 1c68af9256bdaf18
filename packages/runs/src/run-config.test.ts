import { expect, test } from 'vitest';
import { parseFinetuneConfig } from './finetune/config.js';
import { checkRunFits, modelConfig, newModel, newOptimizer } from './model.js';
import { parseRunConfig } from './parse-run-config.js';

const sizes = { dim: 16, heads: 2, layers: 1, context: 16 };
const text = {
  tokenizer: { kind: 'character' },
  data: { corpus: 'a.txt' },
  training: { steps: 3 },
};

test('a file of the command line from before, and what was parsed, read as the same', () => {
  const config = parseRunConfig({ model: { family: 'gpt2', ...sizes }, ...text });
  expect(config).toEqual(parseRunConfig({ model: sizes, ...text }));
  expect(parseRunConfig(config)).toEqual(config);
  expect(modelConfig(config.model, 30)).toMatchObject({ model_type: 'gpt2', vocab_size: 30 });
});

test('a task decides the context and the vocabulary', () => {
  const { context: _, ...model } = sizes;
  const data = { task: 'reverse', length: 3 };
  const task = { model, data, training: { steps: 3 }, samples: { every: 2 } };
  const config = parseRunConfig(task);
  expect(config.model.context).toBe(6);
  expect(parseRunConfig(config)).toEqual(config);
  for (const [wrong, message] of [
    [{ ...task, tokenizer: { kind: 'character' } }, "unknown key 'tokenizer'"],
    [{ ...task, model: sizes }, "'model.context' is 16; these problems of 'reverse' need 6"],
    [{ ...task, data: { task: 'addition', length: 3 } }, "'data.length' is 3"],
    [{ ...task, samples: { prompt: 'ab' } }, "unknown key 'samples.prompt'"],
  ] as const) {
    expect(() => parseRunConfig(wrong), message).toThrow(message);
  }
});

test('the file of a fine-tuning run is told from that of a run', () => {
  const config = parseFinetuneConfig({ method: 'sft', data: {}, training: { steps: 1 } });
  expect(() => parseRunConfig(config, 'tuned/trainer/config.json')).toThrow(
    'tuned/trainer/config.json: is of a fine-tuning run, whose \'method\' is "sft"',
  );
});

test('what does not hold together is refused by name', () => {
  for (const [wrong, message] of [
    [{ model: { ...sizes, family: 'gpt2', norm: 'rms' } }, "'model.family' is 'gpt2', which does"],
    [{ model: { ...sizes, position: 'rotary', dim: 6 } }, 'rotary positions need an even width'],
    [{ model: { ...sizes, kvHeads: 3 } }, "'model.heads' 2 is not divisible by 'model.kvHeads' 3"],
    [{ model: { context: 4, config: { model_type: 'llama', vocab_size: 9 } } }, 'leave it out'],
    [{ data: { source: 'copy' } }, "'data.source' is of the lab's own settings"],
    [{ training: { steps: 9, warmupSteps: 3, decaySteps: 7 } }, "are more than 'training.steps' 9"],
    [
      { training: { steps: 9, adamwRate: 0.5 } },
      "'training.adamwRate' is 0.5 and 'training.optimizer'",
    ],
  ] as const) {
    expect(() => parseRunConfig({ model: sizes, ...text, ...wrong }), message).toThrow(message);
  }
});

test('a model that cannot be trained is refused before it is made', () => {
  const check = (config: object) =>
    checkRunFits(parseRunConfig({ model: { config, context: 64 }, ...text }));
  check({ model_type: 'llama', hidden_size: 16, num_attention_heads: 2, num_hidden_layers: 1 });
  expect(() => check({ model_type: 'bert' })).toThrow('runs train decoders that predict');
  expect(() => check({ model_type: 't5' })).toThrow('runs train decoders that predict');
  expect(() => check({ model_type: 'gpt3' })).toThrow("'model.config': 'model_type' is");
  expect(() => check({ model_type: 'gpt2', n_layers: 2 })).toThrow('n_layers');
  expect(() => check({ model_type: 'gpt2', n_positions: 32 })).toThrow(
    "the longest sequence is 32; 'model.context' is 64",
  );
});

test('Muon takes the matrices of linear maps, and AdamW the rest', () => {
  const config = parseRunConfig({
    model: sizes,
    ...text,
    training: { steps: 1, optimizer: 'muon' },
  });
  const model = newModel(config, 7);
  const optimizer = newOptimizer(model, config);
  const slots = Object.keys(optimizer.state);
  expect(optimizer.name).toBe('muon');
  expect(slots.filter((name) => name.endsWith('.blocks.0.mlp.up.weight'))).toHaveLength(1);
  expect(slots.filter((name) => name.endsWith('.tokens.weight'))).toHaveLength(2);
  optimizer.dispose();
  model.params.dispose();
});
