import type { ReactElement } from 'react';

const paths = {
  play: 'M5 3.5v9l7.5-4.5z',
  pause: 'M5 3.5h2v9H5zM9 3.5h2v9H9z',
  stop: 'M4 4h8v8H4z',
  fork: 'M5 2.5v11M5 8c4 0 6-1 6-4.5M9.2 5 11 3l1.8 2',
  link: 'M6.5 9.5l3-3M7 4.5l1.2-1.2a2.7 2.7 0 0 1 3.8 3.8L10.8 8.3M9 11.5l-1.2 1.2A2.7 2.7 0 0 1 4 8.9l1.2-1.2',
  download: 'M8 2.5v7.5M5 7.2 8 10.2l3-3M3 13.5h10',
  bin: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9',
  close: 'M4 4l8 8M12 4l-8 8',
  sun: 'M8 5.2A2.8 2.8 0 1 1 8 10.8 2.8 2.8 0 0 1 8 5.2M8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6z',
  file: 'M4 1.8h5l3 3v9.4H4zM9 1.8v3h3',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  check: 'M3 8.5l3.2 3.2L13 4.8',
} as const;

export type IconName = keyof typeof paths;

const filled = new Set<IconName>(['play', 'pause', 'stop']);

/** A small picture beside words; it says nothing that they do not. */
export function Icon({ name }: { name: IconName }): ReactElement {
  const solid = filled.has(name);
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill={solid ? 'currentColor' : 'none'}
      stroke={solid ? 'none' : 'currentColor'}
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
