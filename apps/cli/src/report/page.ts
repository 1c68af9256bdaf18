import {
  escapeText,
  type HeadScoreName,
  headColours,
  headGrid,
  headView,
  lensTable,
  modelView,
  shownToken,
} from '@headwise/inspect/figures';
import { documentOf } from './document.js';
import type { Findings, MapGroup } from './findings.js';
import { looksSection } from './looks.js';
import type { PageData } from './page-data.js';

/** A text, or the bytes of a PNG, under a title. */
type Shown = { title?: string | undefined } & ({ text: string } | { picture: Uint8Array });

export interface PageOptions {
  /** What the model is called. */
  name: string;
  /** Hugging Face's `model_type`. */
  family: string;
  /** What was read and written, each under a title; one alone may have none. */
  texts: readonly Shown[];
  tokenOf: (id: number) => string;
  /** The page's own script, a module without imports. */
  script: string;
}

const scoreNames: readonly (readonly [HeadScoreName, string])[] = [
  ['entropy', 'entropy'],
  ['distance', 'distance'],
  ['previousToken', 'previous token'],
  ['induction', 'induction'],
];

/** One page that shows what was found in a model, and needs nothing besides itself. */
export function reportPage(found: Findings, options: PageOptions): string {
  const { name, family, texts, script } = options;
  const { groups } = found;
  const loss = lossOf(found);
  const heads = new Set(groups.flatMap(({ maps }) => maps.map((map) => map.heads.length)));
  const facts = {
    model: name,
    family,
    layers: groups
      .map(({ title, maps }) => `${maps.length} ${title.toLowerCase()}`.trim())
      .join(', '),
    heads: [...heads].join(', '),
    tokens: String(found.tokens.ids.length),
    ...(loss === undefined ? {} : { loss: `${loss.toFixed(3)} nats a token` }),
  };
  return documentOf({
    title: `Inside ${name}`,
    about: `What a transformer does with a ${found.looks ? 'picture' : 'text'}: where each head attends, and what each layer would say next.`,
    lead: texts.map(leadOf).join(''),
    facts,
    main: `${looksSection(found)}
<div class="side-by-side">
${headSection(found)}
<div>
${modelSection(found)}
${scoreSection(found)}
</div>
</div>
${tokenSection(found, options)}
${comparedSection(found)}
${lensSection(found, options)}`,
    command: 'headwise inspect',
    pictures: found.looks !== undefined,
    script: { data: pageData(found), text: script },
  });
}

function leadOf(shown: Shown): string {
  const { title } = shown;
  const above = title === undefined ? '' : `<p class="text-title">${escapeText(title)}</p>\n`;
  if ('text' in shown) return `${above}<div class="text">${escapeText(shown.text)}</div>\n`;
  const address = `data:image/png;base64,${Buffer.from(shown.picture).toString('base64')}`;
  return `${above}<img class="picture" src="${address}" alt="what the model reads">\n`;
}

function headSection({ groups }: Findings): string {
  if (groups.length === 0) return '';
  let choice = 0;
  const layers = groups.map(({ title, maps }) => {
    const options = maps.map(
      ({ layer }, i) => `<option value="${choice++}">${i}: ${escapeText(layer)}</option>`,
    );
    return title === ''
      ? options.join('')
      : `<optgroup label="${escapeText(title)}">${options.join('')}</optgroup>`;
  });
  const views = groups.map(({ maps: [first], queries, keys }, g) => {
    const view = headView(
      { ...first!, heads: first!.heads.slice(0, 1) },
      { tokens: keys, queryTokens: queries, least: queries.length > 64 ? 0.1 : 0.02 },
    );
    return `<div class="figure" data-group="${g}"${g === 0 ? '' : ' hidden'}>${view}</div>`;
  });
  return `<section aria-labelledby="head-title">
<h2 id="head-title">Head view</h2>
<p>Each line goes from a token to one that it attends to; the larger the weight, the stronger the line. Point at a token on the left, or press it to keep it.</p>
<div class="controls">
<label>Layer <select id="layer">${layers.join('')}</select></label>
<span>Heads <span id="heads" role="group" aria-label="heads to show"></span></span>
<span id="chosen" role="status"></span>
</div>
<div id="head-view">${views.join('\n')}</div>
</section>`;
}

function modelSection({ groups }: Findings): string {
  if (groups.length === 0) return '';
  const views = groups.map((group, g) => figureOf(group, g, modelView(group.maps)));
  return `<section aria-labelledby="model-title">
<h2 id="model-title">Model view</h2>
<p>All layers and heads at once: queries from top to bottom, keys from left to right. Press a picture to see its lines.</p>
${views.join('\n')}
</section>`;
}

/** A figure of a group, under the group's title where it has one. */
function figureOf({ title, about }: MapGroup, index: number, figure: string): string {
  const above =
    title === '' ? '' : `<h3>${escapeText(title)} <span>${escapeText(about)}</span></h3>\n`;
  return `${above}<div class="figure" data-group="${index}">${figure}</div>`;
}

function scoreSection({ groups }: Findings): string {
  if (groups.length === 0) return '';
  const choices = scoreNames.map(
    ([name, title], i) =>
      `<label><input type="radio" name="score" value="${name}"${i === 0 ? ' checked' : ''}> ${title}</label>`,
  );
  const grids = scoreNames.map(([name], i) => {
    const figures = groups.flatMap((group, g) =>
      group.scoreNames.includes(name) ? [figureOf(group, g, headGrid(group.scores, name))] : [],
    );
    return `<div data-score="${name}"${i === 0 ? '' : ' hidden'}>${figures.join('\n')}</div>`;
  });
  return `<section aria-labelledby="score-title">
<h2 id="score-title">What heads do</h2>
<p>Entropy is low where a head looks at few tokens; an induction head looks at what followed the same token before.</p>
<div class="controls" role="radiogroup" aria-label="score to show">${choices.join('')}</div>
${grids.join('\n')}
</section>`;
}

function tokenSection(
  { tokens, direction, expectations }: Findings,
  { tokenOf }: PageOptions,
): string {
  const word = (text: string) => escapeText(shownToken(text, 24));
  const rows = tokens.texts.map((token, t) => {
    const expected = expectations[t];
    const cells = expected
      ? [
          `<td><meter value="${expected.probability}" aria-hidden="true"></meter><span class="share">${percent(expected.probability)}</span></td>`,
          `<td>${expected.rank}</td>`,
          `<td class="word">${word(tokenOf(expected.best.id))}</td>`,
          `<td>${percent(expected.best.probability)}</td>`,
        ]
      : ['<td></td>', '<td></td>', '<td></td>', '<td></td>'];
    return `<tr><td>${t}</td><td class="word">${word(token)}</td><td>${tokens.ids[t]}</td>${cells.join('')}</tr>`;
  });
  const heads = ['#', 'token', 'id', 'expected with', 'rank', 'best guess', 'with'];
  const columns = heads.map((head) => {
    const left = head === 'token' || head === 'best guess';
    return `<th scope="col"${left ? ' class="word"' : ''}>${head}</th>`;
  });
  return `<section aria-labelledby="token-title">
<h2 id="token-title">Tokens</h2>
<p>How likely the model thought each token to be, from ${sources[direction]}, and what it thought likeliest.</p>
<div class="table" tabindex="0" role="region" aria-labelledby="token-title"><table>
<thead><tr>${columns.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
</section>`;
}

/** What tokens are expected from. */
const sources: Readonly<Record<Findings['direction'], string>> = {
  before: 'what comes before it',
  both: 'all the others where it alone is hidden',
  source: 'the source and the tokens before it',
};

function comparedSection({ compared = [] }: Findings): string {
  if (compared.length === 0) return '';
  const rows = [...compared]
    .sort((a, b) => b.cosine - a.cosine)
    .map(
      ({ text, cosine }) =>
        `<tr><td><meter value="${Math.max(0, cosine)}" aria-hidden="true"></meter><span class="share">${cosine.toFixed(3)}</span></td><td class="word">${escapeText(text)}</td></tr>`,
    );
  return `<section aria-labelledby="compared-title">
<h2 id="compared-title">Similarity</h2>
<p>The cosines of the text's vector with those of other texts, the most alike first.</p>
<div class="table" tabindex="0" role="region" aria-labelledby="compared-title"><table>
<thead><tr><th scope="col">cosine</th><th scope="col" class="word">text</th></tr></thead>
<tbody class="compared">
${rows.join('\n')}
</tbody></table></div>
</section>`;
}

function lensSection({ lens, tokens }: Findings, { tokenOf }: PageOptions): string {
  const [first] = lens;
  if (!first) return '';
  // What a target ends with is not read.
  const texts = tokens.texts.slice(0, first.tokens.length);
  return `<section aria-labelledby="lens-title">
<h2 id="lens-title">Logit lens</h2>
<p>The next token that the model would say if it ended after each layer, below each the token that it follows. Point at a cell for the runners-up.</p>
<div class="figure" tabindex="0" role="region" aria-labelledby="lens-title">${lensTable(lens, { tokens: texts, tokenOf })}</div>
</section>`;
}

function pageData({ groups }: Findings): PageData {
  return {
    groups: groups.map(({ title, keys, maps }) => ({
      title,
      keys: keys.length,
      maps: maps.map(({ heads, values }) => ({
        heads: heads.length,
        values: Buffer.from(
          Uint8Array.from(values, (weight) => Math.round(255 * Math.sqrt(weight))),
        ).toString('base64'),
      })),
    })),
    colours: headColours,
  };
}

/** The mean over the tokens that were expected; of hidden ones the pseudo-log-likelihood. */
function lossOf({ expectations }: Findings): number | undefined {
  const known = expectations.flatMap((one) => one ?? []);
  if (known.length === 0) return undefined;
  return known.reduce((loss, { probability }) => loss - Math.log(probability), 0) / known.length;
}

function percent(probability: number): string {
  return `${(100 * probability).toFixed(1)} %`;
}
