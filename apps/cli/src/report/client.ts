import type { PageData } from './page-data.js';

// Runs in the report itself: it redraws the lines of the head view for what is chosen.

const data = JSON.parse(find('#data').textContent!) as PageData;
const maps = data.maps.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
const view = find('#head-view svg');
const lines = find('#head-view .lines');
const [left, right] = [lines.getAttribute('data-left')!, lines.getAttribute('data-right')!];
const layerChoice = find<HTMLSelectElement>('#layer');
const headChoices = find('#heads');
const announcement = find('#chosen');
const queries = tokenGroups('query');
const keys = tokenGroups('key');
const chosen = { layer: 0, heads: new Set([0]), row: undefined as number | undefined };
let pinned = false;

function find<E extends Element = Element>(selector: string): E {
  const element = document.querySelector<E>(selector);
  if (!element) throw new Error(`the report has no ${selector}`);
  return element;
}

function tokenGroups(side: string): SVGGElement[] {
  return [...view.querySelectorAll<SVGGElement>(`[data-side="${side}"]`)];
}

function middleOf(group: SVGGElement): string {
  return String(Number(group.querySelector('text')!.getAttribute('y')) - 4);
}

function weightOf(head: number, row: number, key: number): number {
  const { tokens } = data;
  return (maps[chosen.layer]![(head * tokens + row) * tokens + key]! / 255) ** 2;
}

function colourOf(head: number): string {
  return data.colours[head % data.colours.length]!;
}

function drawLines(): void {
  const rows = chosen.row === undefined ? queries.map((_, i) => i) : [chosen.row];
  // All lines of a long text at once would be a grey field.
  const least = rows.length === 1 ? 0.01 : rows.length > 64 ? 0.1 : 0.02;
  const drawn: SVGLineElement[] = [];
  for (const head of chosen.heads) {
    for (const row of rows) {
      for (let key = 0; key < data.tokens; key++) {
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
    const weight = Math.max(
      0,
      ...[...chosen.heads].map((head) => weightOf(head, chosen.row ?? i, i)),
    );
    group.classList.toggle('faded', chosen.row !== undefined && weight < least);
  }
}

function showChoice(): void {
  layerChoice.value = String(chosen.layer);
  const heads = Array.from({ length: data.heads[chosen.layer]! }, (_, head) => head);
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
  for (const group of document.querySelectorAll('[data-layer][data-head]')) {
    const isChosen =
      Number(group.getAttribute('data-layer')) === chosen.layer &&
      chosen.heads.has(Number(group.getAttribute('data-head')));
    group.classList.toggle('chosen', isChosen);
    group.setAttribute('aria-pressed', String(isChosen));
  }
  const heads = [...chosen.heads].sort((a, b) => a - b).join(', ');
  announcement.textContent =
    chosen.heads.size === 0 ? 'No head is chosen.' : `Layer ${chosen.layer}, head ${heads}`;
}

function chooseHead(layer: number, head: number): void {
  chosen.layer = layer;
  chosen.heads = new Set([head]);
  showChoice();
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

layerChoice.addEventListener('change', () => chooseHead(Number(layerChoice.value), 0));
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
for (const group of document.querySelectorAll('[data-layer][data-head]')) {
  asButton(group, () =>
    chooseHead(Number(group.getAttribute('data-layer')), Number(group.getAttribute('data-head'))),
  );
}
for (const choice of document.querySelectorAll<HTMLInputElement>('input[name="score"]')) {
  choice.addEventListener('change', () => {
    for (const grid of document.querySelectorAll<HTMLElement>('[data-score]')) {
      grid.hidden = grid.dataset.score !== choice.value;
    }
  });
}
showChoice();
