import type { PageData } from './page-data.js';

// Runs in the report itself: it redraws the lines of the head view for what is chosen.

const data = JSON.parse(find('#data').textContent!) as PageData;
const groups = data.groups.map(({ title, keys: keyCount, maps }, index) => {
  const view = find(`#head-view [data-group="${index}"]`);
  const tokens = (side: string) => [...view.querySelectorAll<SVGGElement>(`[data-side="${side}"]`)];
  return {
    ...{ title, view, keyCount, queries: tokens('query'), keys: tokens('key') },
    lines: view.querySelector('.lines')!,
    maps: maps.map(({ heads, values }) => ({
      heads,
      values: Uint8Array.from(atob(values), (c) => c.charCodeAt(0)),
    })),
  };
});
/** The choices of the layer, in their order. */
const layers = groups.flatMap((group) => group.maps.map((map, layer) => ({ group, map, layer })));
/** What shows one head: in the model view, and in the grids of scores. */
const pictures = [...document.querySelectorAll('[data-layer][data-head]')].map((picture) => ({
  picture,
  group: groups[Number(picture.closest('[data-group]')!.getAttribute('data-group'))]!,
  layer: Number(picture.getAttribute('data-layer')),
  head: Number(picture.getAttribute('data-head')),
}));
const layerChoice = find<HTMLSelectElement>('#layer');
const headChoices = find('#heads');
const announcement = find('#chosen');
const chosen = { ...layers[0]!, heads: new Set([0]), row: undefined as number | undefined };
let pinned = false;

function find<E extends Element = Element>(selector: string): E {
  const element = document.querySelector<E>(selector);
  if (!element) throw new Error(`the report has no ${selector}`);
  return element;
}

function middleOf(group: SVGGElement): string {
  return String(Number(group.querySelector('text')!.getAttribute('y')) - 4);
}

function weightOf(head: number, row: number, key: number): number {
  const { queries, keyCount } = chosen.group;
  return (chosen.map.values[(head * queries.length + row) * keyCount + key]! / 255) ** 2;
}

function colourOf(head: number): string {
  return data.colours[head % data.colours.length]!;
}

function drawLines(): void {
  const { queries, keys, lines } = chosen.group;
  const [left, right] = [lines.getAttribute('data-left')!, lines.getAttribute('data-right')!];
  const rows = chosen.row === undefined ? queries.map((_, i) => i) : [chosen.row];
  // All lines of a long text at once would be a grey field.
  const least = rows.length === 1 ? 0.01 : rows.length > 64 ? 0.1 : 0.02;
  const drawn: SVGLineElement[] = [];
  for (const head of chosen.heads) {
    for (const row of rows) {
      for (let key = 0; key < keys.length; key++) {
        const weight = weightOf(head, row, key);
        if (weight < least) continue;
        const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
        const attributes = {
          x1: left,
          y1: middleOf(queries[row]!),
          x2: right,
          y2: middleOf(keys[key]!),
          stroke: colourOf(head),
          'stroke-opacity': Math.sqrt(weight).toFixed(3),
          'stroke-width': '1.5',
        };
        for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
        drawn.push(line);
      }
    }
  }
  lines.replaceChildren(...drawn);
  for (const [i, group] of queries.entries()) {
    group.classList.toggle('faded', chosen.row !== undefined && i !== chosen.row);
  }
  for (const [i, group] of keys.entries()) {
    const { row } = chosen;
    const isSeen =
      row === undefined || [...chosen.heads].some((head) => weightOf(head, row, i) >= least);
    group.classList.toggle('faded', !isSeen);
  }
}

function showChoice(): void {
  layerChoice.value = String(layers.findIndex(({ map }) => map === chosen.map));
  for (const { view } of groups) view.toggleAttribute('hidden', view !== chosen.group.view);
  const heads = Array.from({ length: chosen.map.heads }, (_, head) => head);
  headChoices.replaceChildren(
    ...heads.map((head) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = String(head);
      button.ariaPressed = String(chosen.heads.has(head));
      button.ariaLabel = `head ${head}`;
      button.style.setProperty('--colour', colourOf(head));
      button.addEventListener('click', () => {
        if (!chosen.heads.delete(head)) chosen.heads.add(head);
        button.ariaPressed = String(chosen.heads.has(head));
        mark();
        drawLines();
      });
      return button;
    }),
  );
  mark();
  drawLines();
}

/** Marks the chosen heads wherever heads are shown. */
function mark(): void {
  for (const { picture, group, layer, head } of pictures) {
    const isChosen = group === chosen.group && layer === chosen.layer && chosen.heads.has(head);
    picture.classList.toggle('chosen', isChosen);
    picture.setAttribute('aria-pressed', String(isChosen));
  }
  const heads = [...chosen.heads].sort((a, b) => a - b).join(', ');
  const { title } = chosen.group;
  announcement.textContent =
    chosen.heads.size === 0
      ? 'No head is chosen.'
      : `${title === '' ? 'Layer' : `${title}, layer`} ${chosen.layer}, head ${heads}`;
}

function choose(choice: (typeof layers)[number], head: number): void {
  // A row of one group's tokens is none of another's.
  if (choice.group !== chosen.group) unpin();
  Object.assign(chosen, choice, { heads: new Set([head]) });
  showChoice();
}

function unpin(): void {
  pinned = false;
  chosen.row = undefined;
  for (const query of chosen.group.queries) query.setAttribute('aria-pressed', 'false');
}

function look(row: number | undefined): void {
  chosen.row = row;
  drawLines();
}

/** Makes a part of a figure a button, for pointer and keyboard. */
function asButton(group: Element, press: () => void): void {
  // An image hides what it is made of from assistive technology; a group of buttons does not.
  group.closest('svg')!.setAttribute('role', 'group');
  group.setAttribute('tabindex', '0');
  group.setAttribute('role', 'button');
  group.addEventListener('click', press);
  group.addEventListener('keydown', (event) => {
    const { key } = event as KeyboardEvent;
    if (key !== 'Enter' && key !== ' ') return;
    event.preventDefault();
    press();
  });
}

layerChoice.addEventListener('change', () => choose(layers[Number(layerChoice.value)]!, 0));
for (const { queries } of groups) {
  for (const [i, group] of queries.entries()) {
    asButton(group, () => {
      pinned = !(pinned && chosen.row === i);
      look(pinned ? i : undefined);
      for (const other of queries)
        other.setAttribute('aria-pressed', String(pinned && other === group));
    });
    for (const [comes, goes] of [
      ['pointerenter', 'pointerleave'],
      ['focus', 'blur'],
    ]) {
      group.addEventListener(comes!, () => {
        if (!pinned) look(i);
      });
      group.addEventListener(goes!, () => {
        if (!pinned) look(undefined);
      });
    }
  }
}
for (const { picture, group, layer, head } of pictures) {
  asButton(picture, () => choose({ group, layer, map: group.maps[layer]! }, head));
}
// A choice shows the part that has its value, and hides the others.
for (const name of ['score', 'look']) {
  for (const choice of document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)) {
    choice.addEventListener('change', () => {
      for (const part of document.querySelectorAll<HTMLElement>(`[data-${name}]`)) {
        part.hidden = part.dataset[name] !== choice.value;
      }
    });
  }
}
showChoice();
