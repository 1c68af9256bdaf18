/** Attributes of an element; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Text as it may stand in an element or an attribute: nothing in it is markup, or no XML. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** An element of these attributes around children that are markup already. */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}="${escapeText(typeof value === 'number' ? short(value) : value!)}"`,
    )
    .join('');
  return children.length === 0
    ? `<${name}${written}/>`
    : `<${name}${written}>${children.join('')}</${name}>`;
}

/** A line of text in the colour of what surrounds the figure. */
export function label(text: string, attributes: Attributes): string {
  return element('text', attributes, escapeText(text));
}

/** What a pointer that rests on an element reads. */
export function hint(text: string): string {
  return element('title', {}, escapeText(text));
}

/** A whole figure, which can stand in a page or in a file. */
export function figure(
  { width, height, title }: { width: number; height: number; title: string },
  ...children: string[]
): string {
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${short(width)} ${short(height)}`,
      width,
      height,
      role: 'img',
      'aria-label': title,
      fill: 'currentColor',
      'font-family': 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
      'font-size': 12,
    },
    ...children,
  );
}

/** A rectangle among many of the same kind. */
export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One path for all rectangles of one look: far fewer elements than a rectangle each. */
export function cellsPath(cells: readonly Cell[], attributes: Attributes): string {
  const d = cells
    .map(({ x, y, width, height }) => {
      const [w, h] = [short(width), short(height)];
      return `M${short(x)} ${short(y)}h${w}v${h}h${short(-width)}z`;
    })
    .join('');
  return element('path', { d, 'shape-rendering': 'crispEdges', ...attributes });
}

/** A number with at most two digits behind the point. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
