import { hex, viridis } from './colours.js';
import { element, label } from './svg.js';

/** A bar of all colours with what its ends stand for. */
export function colourScale({
  x,
  y,
  from,
  to,
  note,
}: {
  x: number;
  y: number;
  from: string;
  to: string;
  note?: string | undefined;
}): string {
  const steps = 24;
  const bars = Array.from({ length: steps }, (_, i) =>
    element('rect', {
      x: x + 4 * i,
      y,
      width: 4,
      height: 10,
      fill: hex(viridis(i / (steps - 1))),
      'shape-rendering': 'crispEdges',
    }),
  );
  return element(
    'g',
    {},
    ...bars,
    label(from, { x, y: y + 24 }),
    label(to, { x: x + 4 * steps, y: y + 24, 'text-anchor': 'end' }),
    ...(note ? [label(note, { x: x + 4 * steps + 10, y: y + 10 })] : []),
  );
}
