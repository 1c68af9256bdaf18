import { start } from '@headwise/kernels';
import {
  type HistoryEntry,
  parseAxes,
  prepareData,
  ranked,
  Session,
  settingsText,
  sweepTrials,
  type TrialResult,
} from '@headwise/runs';

await start({ prefer: 'cpu' });
const run = {
  model: { dim: 16, heads: 2, layers: 1, position: 'rotary' },
  data: { task: 'reverse', length: 3 },
  training: { steps: 20 },
};
const axes = parseAxes(['training.learningRate=0.0001,0.02', 'model.heads=1,2']);
const trials = sweepTrials(run, { axes }, 'run.json');
console.log(trials.length); // 4

const results: TrialResult[] = [];
for (const { name, settings, config } of trials) {
  const history: HistoryEntry[] = [];
  const session = await Session.open({
    config,
    data: await prepareData(config, {}),
    // In memory; a RunFolder is one that resumes.
    storage: {
      state: async () => undefined,
      rewind: async () => ({ validated: false }),
      note: (entry) => history.push(entry),
      save: async () => {},
    },
  });
  await session.begin(); // measures the validation part
  while (await session.advance());
  session.dispose();
  results.push({ name, settings, config, status: 'done', history });
}
const [best] = ranked(results);
console.log(settingsText({ rate: best!.settings['training.learningRate'] })); // rate=0.02
