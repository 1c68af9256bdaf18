import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deduplicate, filterDocuments, tokenizeDocuments } from '@headwise/data/node';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { expect, test } from 'vitest';
import { pipelineFindings } from './pipeline-findings.js';
import { pipelinePage } from './pipeline-page.js';

const folder = mkdtempSync(join(tmpdir(), 'headwise-report-'));
const prose = (i: number) =>
  `Captain <b>${String.fromCharCode(97 + (i % 26))}</b> had to see that all of the crew of his ship would be with him at sea, and to be there. `.repeat(
    3 + (i % 3),
  );
const texts = Array.from({ length: 30 }, (_, i) =>
  i % 5 === 0 ? `- a <whale>\n`.repeat(40) : prose(i % 20),
);
const raw = join(folder, 'raw.jsonl');
writeFileSync(raw, texts.map((text, i) => JSON.stringify({ id: `d${i}`, text })).join('\n'));
const tokenizer = await trainByteLevelBpe([prose(1)], { vocabSize: 300 });
const [filtered, unique, tokens] = ['filtered', 'unique', 'tokens'].map((name) =>
  join(folder, name),
);
await filterDocuments([raw], filtered!, { steps: [{ step: 'gopher-quality' }], rejects: true });
await deduplicate([join(filtered!, 'documents')], unique!, { method: 'exact' });
await tokenizeDocuments([join(unique!, 'documents')], tokens!, { tokenizer });

test('counts are those of the runs, with sizes and examples of rejects, and a page of them escapes texts', async () => {
  const stages = await pipelineFindings([filtered!, unique!, tokens!], tokenizer);
  expect(stages.map(({ command, read }) => [command, read.documents])).toEqual([
    ['filter', 30],
    ['dedup', 24],
    ['tokenize', stages[1]!.steps[0]!.kept.documents],
  ]);
  const [step] = stages[0]!.steps;
  const { rule, dropped, bySize, examples } = step!.rules[0]!;
  expect([rule, dropped.documents]).toEqual(['gopher_too_many_bullets', 6]);
  // 480 bytes: in the range from 256 to 511.
  expect(bySize).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 6]);
  expect(examples!.map(({ id }) => id)).toEqual(['d0', 'd5', 'd10']);
  const counted = tokenizer.encode(texts[0]!).length * 6;
  expect(dropped.tokens).toBe(counted);
  const page = pipelinePage(stages);
  expect(page).toContain('&#60;whale');
  expect(page).not.toContain('<whale>');
  expect(page).not.toMatch(/<script|https?:\/\//);
});

test('what steps measured is shown from its first bin to its last, with labels of its edges', async () => {
  const [stage] = await pipelineFindings([filtered!]);
  const measured = { name: 'perplexity', edges: [1, Math.SQRT2, 2, 4], counts: [0, 0, 3, 9, 0] };
  const steps = stage!.steps.map((step) => ({ ...step, measured }));
  const page = pipelinePage([{ ...stage!, steps }]);
  expect(page).toContain('What steps measured');
  expect(page).toContain('gopher-quality: perplexity');
  const shown = page.slice(page.indexOf('What steps measured'), page.indexOf('What each rule'));
  expect([...shown.matchAll(/class="label"[^>]*>([^<]+)/g)].map(([, label]) => label)).toEqual([
    '1.41 – 2',
    '2 – 4',
  ]);
  expect(pipelinePage([stage!])).not.toContain('What steps measured');
});

test('a folder without a run is refused by name', async () => {
  await expect(pipelineFindings([folder])).rejects.toThrow(
    `${folder}: holds no run; expected a folder`,
  );
});
