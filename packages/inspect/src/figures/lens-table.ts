import { InputError } from '@headwise/core';
import type { LensLayer } from '../logit-lens.js';
import { checkList } from './check.js';
import { hex, inkOn, viridis } from './colours.js';
import { colourScale } from './scale.js';
import { element, figure, hint, label } from './svg.js';
import { labelWidth, shownToken } from './tokens.js';

export interface LensTableOptions {
  /** The tokens of the text. */
  tokens: readonly string[];
  /** The text of a token by its id. */
  tokenOf: (id: number) => string;
}

const [height, most] = [24, 10];

/**
 * The next token that each layer would say after each token of a text, coloured by its probability; the
 * last layer is on top.
 *
 * @returns an SVG
 * @throws InputError where there is not a token for each position
 * @see nostalgebraist 2020, https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens
 */
export function lensTable(
  layers: readonly LensLayer[],
  { tokens, tokenOf }: LensTableOptions,
): string {
  checkList('tokens', tokens);
  for (const { name, tokens: read } of layers) {
    if (read.length === tokens.length) continue;
    throw new InputError(
      `lensTable: '${name}' has ${read.length} positions; got ${tokens.length} tokens`,
    );
  }
  const shown = (text: string) => shownToken(text, most);
  const labels = [
    ...tokens,
    ...layers.flatMap((layer) => layer.tokens.map(({ ids }) => tokenOf(ids[0]!))),
  ].map(shown);
  const width = Math.max(40, ...labels.map(labelWidth)) + 12;
  const left = Math.max(0, ...layers.map(({ name }) => labelWidth(name))) + 12;
  const x = (t: number) => left + t * (width + 2);
  const rows = [...layers].reverse();
  const cells = rows.flatMap(({ name, tokens: read }, row) =>
    read.map(({ ids, probabilities }, t) => {
      const colour = viridis(probabilities[0]!);
      const best = ids.map(
        (id, i) => `${percent(probabilities[i]!)}  ${JSON.stringify(tokenOf(id))}`,
      );
      const y = row * (height + 2);
      return element(
        'g',
        {},
        hint(`${name}, after ${JSON.stringify(tokens[t]!)}\n${best.join('\n')}`),
        element('rect', { x: x(t), y, width, height, rx: 3, fill: hex(colour) }),
        label(shown(tokenOf(ids[0]!)), {
          x: x(t) + width / 2,
          y: y + 16,
          'text-anchor': 'middle',
          fill: inkOn(colour),
        }),
      );
    }),
  );
  const names = rows.map(({ name }, row) =>
    label(name, { x: left - 8, y: row * (height + 2) + 16, 'text-anchor': 'end' }),
  );
  const bottom = rows.length * (height + 2);
  const text = tokens.map((token, t) =>
    label(shown(token), { x: x(t) + width / 2, y: bottom + 16, 'text-anchor': 'middle' }),
  );
  return figure(
    {
      width: Math.max(x(tokens.length), left + 240),
      height: bottom + 66,
      title: `The best next token after each of ${tokens.length} tokens, in ${layers.length} layers`,
    },
    ...cells,
    ...names,
    ...text,
    colourScale({ x: left, y: bottom + 32, from: '0 %', to: '100 %', note: 'probability' }),
  );
}

function percent(probability: number): string {
  return `${(100 * probability).toFixed(1)} %`;
}
