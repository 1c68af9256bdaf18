import type { AttentionMap } from '@headwise/inspect';
import { patchView } from '@headwise/inspect/figures';
import type { Findings, Looks } from './findings.js';

/** Patches that are drawn in all views together; beyond, layers have no view of their own. */
const mostPatches = 60_000;

/** Where each word of a caption looks; empty where there is none. */
export function looksSection({ looks }: Findings): string {
  if (!looks || looks.words.length === 0 || looks.maps.length === 0) return '';
  const { words, maps } = looks;
  const isShort = words.length * maps[0]!.keys * (maps.length + 1) <= mostPatches;
  const views = [
    { name: 'all', title: 'all layers', map: together(maps) },
    ...(isShort && maps.length > 1
      ? maps.map((map, layer) => ({ name: String(layer), title: `layer ${layer}`, map }))
      : []),
  ];
  const choices = views.map(
    ({ name, title }, i) =>
      `<label><input type="radio" name="look" value="${name}"${i === 0 ? ' checked' : ''}> ${title}</label>`,
  );
  const figures = views.map(
    ({ name, map }, i) =>
      `<div class="figure" data-look="${name}" tabindex="0" role="region" aria-labelledby="look-title"${i === 0 ? '' : ' hidden'}>${viewOf(map, looks)}</div>`,
  );
  const above =
    views.length > 1
      ? `<div class="controls" role="radiogroup" aria-label="layers to show">${choices.join('')}</div>\n`
      : '';
  return `<section aria-labelledby="look-title">
<h2 id="look-title">Where each word looks</h2>
<p>Cross-attention while the word is chosen, the mean over heads. The brighter a patch, the more attention it gets beside the word's brightest; point at one for its share. The percentage below a word is the attention that lies on all patches together: the rest is on [CLS], the encoder's vector of the whole picture.</p>
${above}${figures.join('\n')}
</section>`;
}

/** The maps as one of all heads, whose mean is that over layers and heads. */
function together(maps: readonly AttentionMap[]): AttentionMap {
  const values = new Float32Array(maps.reduce((sum, map) => sum + map.values.length, 0));
  let at = 0;
  for (const map of maps) {
    values.set(map.values, at);
    at += map.values.length;
  }
  const heads = Array.from({ length: maps.reduce((sum, map) => sum + map.heads.length, 0) });
  const { rows, keys } = maps[0]!;
  return { layer: 'all layers', heads: heads.map((_, i) => i), rows, keys, values };
}

function viewOf(map: AttentionMap, { words, shown, patch }: Looks): string {
  return patchView(map, { queryTokens: words, picture: shown, patch, side: 128 });
}
