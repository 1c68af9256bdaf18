import { binRange } from '@headwise/data';
import { escapeText } from '@headwise/inspect/figures';
import { documentOf } from './document.js';
import type { RuleFinding, Share, StageFinding } from './pipeline-findings.js';

/** What the pages of pipelines have besides the style of reports. */
const pipelineStyle = /* css */ `
.funnel { display: grid; gap: .5rem; padding: 0; margin: 0; list-style: none; }
.funnel li { display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr 5rem; gap: .75rem; align-items: center; }
.funnel .name { overflow-wrap: anywhere; }
.funnel .value { text-align: right; font-variant-numeric: tabular-nums; }
.track { height: 1.25rem; background: var(--raised); border-radius: .25rem; }
.track svg { display: block; width: 100%; height: 100%; }
.track rect, .sizes rect { fill: var(--accent); }
.sizes { max-width: 32rem; }
.sizes text { fill: var(--quiet); font-size: 11px; }
.sizes .label { text-anchor: end; }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
.text { max-height: 14rem; overflow-y: auto; }
.id { color: var(--quiet); font-size: .85rem; margin: 1rem 0 -.75rem; overflow-wrap: anywhere; }
td.dropped { padding-left: 2rem; }
@media (max-width: 40rem) {
  .funnel li { grid-template-columns: 1fr 4.5rem; }
  .funnel .track { grid-column: 1 / -1; order: 1; }
}
`;

const measures = ['documents', 'bytes', 'tokens'] as const;
type Measure = (typeof measures)[number];

/** One page of what a pipeline kept and dropped, by rule; it needs nothing besides itself and runs no script. */
export function pipelinePage(stages: readonly StageFinding[]): string {
  const raw = stages[0]!.read;
  const last = stages.at(-1)!.steps.at(-1)!.kept;
  const shown = measures.filter((measure) => raw[measure] !== undefined);
  const facts = shown.map((measure) => {
    const [part, all] = [last[measure] ?? 0, raw[measure]!];
    const name = measure === 'tokens' ? 'tokens, estimated' : measure;
    return [name, `${number(part)} of ${number(all)}, ${percent(part, all)}`] as const;
  });
  return documentOf({
    title: 'What the pipeline kept',
    about:
      'Documents before and after each step, and what each rule dropped. Percentages are shares of all that was read.',
    facts: Object.fromEntries(facts),
    main: `${funnel(stages, raw, shown.at(-1)!)}
${table(stages, raw, shown)}
${measuredSection(stages)}
<section aria-labelledby="rules-title">
<h2 id="rules-title">What each rule dropped</h2>
<p>Sizes of the documents and the first of them, where rejects were stored.</p>
${stages.flatMap(({ steps }) => steps.flatMap(({ step, rules }) => rules.map((rule) => ruleSection(step, rule)))).join('\n')}
</section>`,
    command: 'headwise data report',
    css: pipelineStyle,
  });
}

function funnel(stages: readonly StageFinding[], raw: Share, measure: Measure): string {
  const all = raw[measure]!;
  const rows = stages.flatMap(({ steps }) => steps.map(({ step, kept }) => [step, kept] as const));
  const items = ([['read', raw], ...rows] as const).map(
    ([name, share]) =>
      `<li><span class="name">${escapeText(name)}</span><span class="track"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${((100 * (share[measure] ?? 0)) / Math.max(1, all)).toFixed(2)}" height="10" rx="1"/></svg></span><span class="value">${percent(share[measure] ?? 0, all)}</span></li>`,
  );
  return `<section aria-labelledby="funnel-title">
<h2 id="funnel-title">What is left after each step</h2>
<p>In ${measure}.</p>
<ul class="funnel">${items.join('\n')}</ul>
</section>`;
}

function table(stages: readonly StageFinding[], raw: Share, shown: readonly Measure[]): string {
  const cells = (share: Share) =>
    shown
      .map((measure) => {
        const value = share[measure] ?? 0;
        return `<td>${number(value)}</td><td>${percent(value, raw[measure]!)}</td>`;
      })
      .join('');
  const row = (name: string, share: Share, kind = '') =>
    `<tr><td class="word ${kind}">${escapeText(name)}</td>${cells(share)}</tr>`;
  const rows = stages.flatMap(({ command, folder, read, steps }) => [
    row(`${command}: ${folder}`, read),
    ...steps.flatMap(({ step, kept, rewritten, rules }) => [
      ...rules.map(({ rule, dropped }) => row(`dropped: ${rule}`, dropped, 'dropped')),
      ...(rewritten ? [row('rewritten', rewritten, 'dropped')] : []),
      row(`kept by ${step}`, kept),
    ]),
  ]);
  return `<section aria-labelledby="table-title">
<h2 id="table-title">Rules</h2>
<div class="table" tabindex="0" role="region" aria-labelledby="table-title"><table>
<thead><tr><th scope="col" class="word">step or rule</th>${shown.map((measure) => `<th scope="col" colspan="2">${measure}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
</section>`;
}

function ruleSection(step: string, { rule, dropped, bySize, examples = [] }: RuleFinding): string {
  if (!bySize) return '';
  const texts = examples.map(
    ({ id, text }) =>
      `<p class="id">${escapeText(id)}</p><div class="text" tabindex="0">${escapeText(text)}</div>`,
  );
  return `<details>
<summary>${escapeText(`${step}: ${rule}`)}, ${number(dropped.documents)} documents</summary>
${sizes(bySize)}
${texts.join('\n')}
</details>`;
}

/** Histograms of what steps measured, such as perplexities. */
function measuredSection(stages: readonly StageFinding[]): string {
  const found = stages.flatMap(({ steps }) => steps.filter(({ measured }) => measured));
  if (found.length === 0) return '';
  const histograms = found.map(({ step, measured }) => {
    const { name, edges, counts } = measured!;
    const labels = counts.map((_, i) => {
      if (i === 0) return `below ${short(edges[0]!)}`;
      return i === edges.length
        ? `from ${short(edges.at(-1)!)}`
        : `${short(edges[i - 1]!)} – ${short(edges[i]!)}`;
    });
    return `<h3>${escapeText(`${step}: ${name}`)}</h3>\n${bars(`Documents by ${name}`, labels, counts)}`;
  });
  return `<section aria-labelledby="measured-title">
<h2 id="measured-title">What steps measured</h2>
<p>Of the documents that reached each step.</p>
${histograms.join('\n')}
</section>`;
}

/** A histogram of documents by their bytes, a bar a power of two. */
function sizes(counts: readonly number[]): string {
  const labels = counts.map((_, i) => binRange(i).join(' – '));
  return bars('Documents by bytes', labels, counts);
}

/** A histogram from the first bin that is not empty to the last. */
function bars(title: string, labels: readonly string[], counts: readonly number[]): string {
  const first = Math.max(
    0,
    counts.findIndex((count) => count > 0),
  );
  const end = counts.findLastIndex((count) => count > 0) + 1;
  const most = Math.max(1, ...counts);
  const rows = counts.slice(first, end).map((count, i) => {
    const y = 18 * i;
    return `<text class="label" x="120" y="${y + 12}">${labels[first + i]}</text><rect x="128" y="${y + 2}" width="${((200 * count) / most).toFixed(1)}" height="13" rx="2"/><text x="${(134 + (200 * count) / most).toFixed(1)}" y="${y + 12}">${number(count)}</text>`;
  });
  return `<p>${escapeText(title)}</p>
<svg class="sizes" viewBox="0 0 400 ${18 * rows.length}" role="img" aria-label="${escapeText(title)}">${rows.join('')}</svg>`;
}

/** A bound in three digits. */
const short = (value: number): string => String(Number(value.toPrecision(3)));

const number = (value: number): string => value.toLocaleString('en-US');
const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;
