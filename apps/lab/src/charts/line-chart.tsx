import { type ReactElement, useEffect, useId, useRef, useState } from 'react';
import uPlot from 'uplot';
import { colour, runColour, useTheme } from '../theme.js';
import { figure } from '../ui/numbers.js';
import { DrawQueue } from './draw-queue.js';
import { type Series, thin } from './series.js';

/** A line of a chart. */
export interface Line extends Series {
  name: string;
  /** Which run colour. */
  colour: number;
  dashed?: boolean;
}

export interface LineChartProps {
  title: string;
  /** What the values are in. */
  unit?: string;
  xTitle: string;
  lines: readonly Line[];
  log?: boolean;
  height: number;
  /** Given a function that makes a picture of the chart. */
  onPicture?: (picture: () => Promise<Blob | undefined>) => void;
}

const queue = new DrawQueue(requestAnimationFrame.bind(window));

/** Points of a line that are drawn; a screen has no more columns. */
const mostPoints = 700;

/** Lines over a common axis, with the values under the pointer. */
export function LineChart(props: LineChartProps): ReactElement {
  const { title, unit, xTitle, lines, log = false, height, onPicture } = props;
  const theme = useTheme();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [cursor, setCursor] = useState<number | null>(null);
  const latest = useRef(lines);
  latest.current = lines;
  const heading = useId();
  const shape = lines.map((line) => `${line.name}/${line.colour}/${line.dashed ?? false}`).join();

  useEffect(() => {
    const parent = place.current!;
    const observer = new ResizeObserver(() => {
      plot.current?.setSize({ width: parent.clientWidth, height });
    });
    queue.add(place, () => {
      const options = optionsOf({
        lines: latest.current,
        log,
        height,
        width: parent.clientWidth,
        onCursor: setCursor,
      });
      plot.current = new uPlot(options, dataOf(latest.current, log), parent);
      observer.observe(parent);
      count(parent);
    });
    onPicture?.(async () => plot.current && pictureOf(plot.current));
    return () => {
      queue.remove(place);
      observer.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape, log, theme, height]);

  useEffect(() => {
    // A chart that is not made yet is made with the latest lines.
    if (!plot.current) return;
    queue.add(place, () => {
      plot.current?.setData(dataOf(latest.current, log));
      if (place.current) count(place.current);
    });
  }, [lines, log]);

  const at = cursor === null ? undefined : plot.current?.data[0][cursor];
  return (
    <figure className="chart" aria-labelledby={heading}>
      <figcaption className="row apart">
        <span id={heading}>
          <strong>{title}</strong> {unit && <span className="muted small">{unit}</span>}
        </span>
        <span className="num small muted">
          {at === undefined ? '\u00a0' : `${xTitle} ${figure(at)}`}
        </span>
      </figcaption>
      <div ref={place} className="chart-place" role="img" aria-label={summary(title, lines)} />
      <ul className="legend small">
        {lines.map((line) => (
          <li key={`${line.name}${line.dashed}`} className="row">
            <span className={`swatch c${line.colour} ${line.dashed ? 'dashed' : ''}`} />
            <span className="legend-name">{line.name}</span>
            <span className="num">{figure(valueAt(line, at))}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** Counts how often a chart was drawn, for tests. */
function count({ dataset }: HTMLElement): void {
  dataset.draws = String(Number(dataset.draws ?? 0) + 1);
}

/** What a reader who does not see the chart should know. */
function summary(title: string, lines: readonly Line[]): string {
  const parts = lines
    .filter(({ y }) => y.length > 0)
    .map(({ name, y }) => `${name}: first ${figure(y[0])}, last ${figure(y.at(-1))}`);
  return `${title}. ${parts.length > 0 ? parts.join('; ') : 'No values yet.'}`;
}

/** The value at or before a place, or the last. */
function valueAt({ x, y }: Series, at: number | undefined): number | undefined {
  if (at === undefined) return y.at(-1);
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return y[low - 1];
}

function dataOf(lines: readonly Line[], log: boolean): uPlot.AlignedData {
  if (lines.length === 0) return [[]];
  const tables = lines.map((line): uPlot.AlignedData => {
    const { x, y } = thin(line, mostPoints);
    return [[...x], log ? y.map((value) => (value > 0 ? value : null)) : [...y]];
  });
  return uPlot.join(tables);
}

function optionsOf({
  lines,
  log,
  width,
  height,
  onCursor,
}: {
  lines: readonly Line[];
  log: boolean;
  width: number;
  height: number;
  onCursor: (index: number | null) => void;
}): uPlot.Options {
  const axis = {
    stroke: colour('--muted'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    legend: { show: false },
    padding: [8, 16, 0, 0],
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { distr: log ? 3 : 1 } },
    axes: [
      { ...axis, size: 26, values: (_, ticks) => ticks.map((tick) => figure(tick)) },
      {
        ...axis,
        size: 58,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : figure(tick))),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.name,
        stroke: runColour(line.colour),
        width: 1.75,
        spanGaps: true,
        points: { show: false },
        ...(line.dashed ? { dash: [5, 4] } : {}),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)] },
  };
}

/** The chart as it is drawn, on its own ground. */
function pictureOf({ ctx }: uPlot): Promise<Blob | undefined> {
  const { canvas } = ctx;
  const copy = document.createElement('canvas');
  copy.width = canvas.width;
  copy.height = canvas.height;
  const drawing = copy.getContext('2d')!;
  drawing.fillStyle = colour('--surface');
  drawing.fillRect(0, 0, copy.width, copy.height);
  drawing.drawImage(canvas, 0, 0);
  return new Promise((made) => copy.toBlob((blob) => made(blob ?? undefined), 'image/png'));
}
