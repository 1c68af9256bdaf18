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
import type { Findings } from './findings.js';
import type { PageData } from './page-data.js';

export interface PageOptions {
  /** What the model is called. */
  name: string;
  /** Hugging Face's `model_type`. */
  family: string;
  text: string;
  /** The texts of the tokens of the text. */
  tokens: readonly string[];
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
  const { name, family, text, tokens, script } = options;
  const { maps } = found;
  const loss = lossOf(found);
  const heads = new Set(maps.map((map) => map.heads.length));
  const facts = {
    model: name,
    family,
    layers: String(maps.length),
    heads: [...heads].join(', '),
    tokens: String(tokens.length),
    ...(loss === undefined ? {} : { loss: `${loss.toFixed(3)} nats a token` }),
  };
  return documentOf({
    title: `Inside ${name}`,
    about:
      'What a transformer does with a text: where each head attends, and what each layer would say next.',
    lead: `<div class="text">${escapeText(text)}</div>\n`,
    facts,
    main: `<div class="side-by-side">
${headSection(found, options)}
<div>
${modelSection(found)}
${scoreSection(found)}
</div>
</div>
${tokenSection(found, options)}
${comparedSection(found)}
${lensSection(found, options)}`,
    command: 'headwise inspect',
    script: { data: pageData(found), text: script },
  });
}

function headSection({ maps }: Findings, { tokens }: PageOptions): string {
  const [first] = maps;
  if (!first) return '';
  const layers = maps.map(
    ({ layer }, i) => `<option value="${i}">${i}: ${escapeText(layer)}</option>`,
  );
  const initial = { ...first, heads: first.heads.slice(0, 1) };
  return `<section aria-labelledby="head-title">
<h2 id="head-title">Head view</h2>
<p>Each line goes from a token to one that it attends to; the larger the weight, the stronger the line. Point at a token on the left, or press it to keep it.</p>
<div class="controls">
<label>Layer <select id="layer">${layers.join('')}</select></label>
<span>Heads <span id="heads" role="group" aria-label="heads to show"></span></span>
<span id="chosen" role="status"></span>
</div>
<div class="figure" id="head-view">${headView(initial, { tokens, least: tokens.length > 64 ? 0.1 : 0.02 })}</div>
</section>`;
}

function modelSection({ maps }: Findings): string {
  if (maps.length === 0) return '';
  return `<section aria-labelledby="model-title">
<h2 id="model-title">Model view</h2>
<p>All layers and heads at once: queries from top to bottom, keys from left to right. Press a picture to see its lines.</p>
<div class="figure">${modelView(maps)}</div>
</section>`;
}

function scoreSection({ scores }: Findings): string {
  if (scores.length === 0) return '';
  const choices = scoreNames.map(
    ([name, title], i) =>
      `<label><input type="radio" name="score" value="${name}"${i === 0 ? ' checked' : ''}> ${title}</label>`,
  );
  const grids = scoreNames.map(
    ([name], i) =>
      `<div class="figure" data-score="${name}"${i === 0 ? '' : ' hidden'}>${headGrid(scores, name)}</div>`,
  );
  return `<section aria-labelledby="score-title">
<h2 id="score-title">What heads do</h2>
<p>Entropy is low where a head looks at few tokens; an induction head looks at what followed the same token before.</p>
<div class="controls" role="radiogroup" aria-label="score to show">${choices.join('')}</div>
${grids.join('\n')}
</section>`;
}

function tokenSection({ ids, direction, expectations }: Findings, options: PageOptions): string {
  const { tokens, tokenOf } = options;
  const word = (text: string) => escapeText(shownToken(text, 24));
  const rows = tokens.map((token, t) => {
    const expected = expectations[t];
    const cells = expected
      ? [
          `<td><meter value="${expected.probability}" aria-hidden="true"></meter><span class="share">${percent(expected.probability)}</span></td>`,
          `<td>${expected.rank}</td>`,
          `<td class="word">${word(tokenOf(expected.best.id))}</td>`,
          `<td>${percent(expected.best.probability)}</td>`,
        ]
      : ['<td></td>', '<td></td>', '<td></td>', '<td></td>'];
    return `<tr><td>${t}</td><td class="word">${word(token)}</td><td>${ids[t]}</td>${cells.join('')}</tr>`;
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

function lensSection({ lens }: Findings, { tokens, tokenOf }: PageOptions): string {
  if (lens.length === 0) return '';
  return `<section aria-labelledby="lens-title">
<h2 id="lens-title">Logit lens</h2>
<p>The next token that the model would say if it ended after each layer, below each the token that it follows. Point at a cell for the runners-up.</p>
<div class="figure" tabindex="0" role="region" aria-labelledby="lens-title">${lensTable(lens, { tokens, tokenOf })}</div>
</section>`;
}

function pageData({ ids, maps }: Findings): PageData {
  return {
    tokens: ids.length,
    heads: maps.map((map) => map.heads.length),
    maps: maps.map(({ values }) =>
      Buffer.from(
        Uint8Array.from(values, (weight) => Math.round(255 * Math.sqrt(weight))),
      ).toString('base64'),
    ),
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
