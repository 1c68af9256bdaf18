import { type ReactElement, useEffect, useRef, useState } from 'react';
import { desk } from '../desk.js';
import { Button } from '../ui/button.js';
import { percent, visible } from '../ui/numbers.js';
import { TileCanvas } from './tile-canvas.js';
import { bounded, fit, type Size, type View, zoomed } from './view.js';

interface Pointed {
  row: number;
  key: number;
  weight: number | undefined;
}

/** Screen pixels that an arrow key moves by. */
const stride = 60;

/** A map of thousands of tokens, to move in and to zoom. */
export function BigMap({
  map,
  label,
  tokens,
}: {
  /** A map that the desk holds under this name. */
  map: { name: string; size: number; levels: number };
  label: string;
  tokens: readonly { text: string }[];
}): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const tiles = useRef<TileCanvas>(undefined);
  const view = useRef<View>({ x: 0, y: 0, scale: 1 });
  const drag = useRef<{ x: number; y: number } | undefined>(undefined);
  const [pointed, setPointed] = useState<Pointed>();
  const [whole, setWhole] = useState(false);
  const area = (): Size => ({
    width: canvas.current!.clientWidth,
    height: canvas.current!.clientHeight,
  });
  const show = (next: View) => {
    view.current = next;
    setWhole(false);
    tiles.current?.show(next);
  };
  useEffect(() => {
    const element = canvas.current!;
    const resize = () => {
      element.width = element.clientWidth * window.devicePixelRatio;
      element.height = element.clientHeight * window.devicePixelRatio;
      tiles.current?.show(view.current);
    };
    resize();
    setWhole(false);
    view.current = fit(map.size, { width: element.clientWidth, height: element.clientHeight });
    tiles.current = new TileCanvas(element, map, view.current, () => {
      setWhole(true);
    });
    const observer = new ResizeObserver(resize);
    observer.observe(element);
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const factor = Math.exp(-event.deltaY / 300);
      const size = { width: element.clientWidth, height: element.clientHeight };
      const at = { x: event.offsetX, y: event.offsetY };
      view.current = zoomed(view.current, factor, at, map.size, size);
      tiles.current?.show(view.current);
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', wheel);
      tiles.current?.close();
    };
  }, [map]);

  const moveBy = (dx: number, dy: number) => {
    const { x, y, scale } = view.current;
    show(bounded({ x: x + dx / scale, y: y + dy / scale, scale }, map.size, area()));
  };
  const zoomBy = (factor: number) => {
    const { width, height } = area();
    show(zoomed(view.current, factor, { x: width / 2, y: height / 2 }, map.size, area()));
  };
  const point = async (x: number, y: number) => {
    const { current } = view;
    const key = Math.floor(current.x + x / current.scale);
    const row = Math.floor(current.y + y / current.scale);
    if (row < 0 || key < 0 || row >= map.size || key >= map.size) return;
    setPointed({ row, key, weight: await desk.call('weight', [map.name, row, key]) });
  };
  return (
    <div className="stack tight">
      <div className="row apart">
        <p className="small muted" aria-live="polite">
          {pointed
            ? `${pointed.row} “${visible(tokens[pointed.row]?.text ?? '')}” attends to ${pointed.key} “${visible(tokens[pointed.key]?.text ?? '')}”: ${percent(pointed.weight ?? 0)}`
            : 'Drag to move, turn the wheel to zoom, point to read a weight. Arrow keys, + and − do the same.'}
        </p>
        <span className="row">
          <Button small icon="plus" bare onClick={() => zoomBy(2)}>
            Nearer
          </Button>
          <Button small icon="minus" bare onClick={() => zoomBy(0.5)}>
            Farther
          </Button>
        </span>
      </div>
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: keys move and zoom, as in any map */}
      <canvas
        ref={canvas}
        className="big-map"
        tabIndex={0}
        role="application"
        aria-label={label}
        data-whole={whole}
        onKeyDown={(event) => {
          const moves: Record<string, () => void> = {
            ArrowLeft: () => moveBy(-stride, 0),
            ArrowRight: () => moveBy(stride, 0),
            ArrowUp: () => moveBy(0, -stride),
            ArrowDown: () => moveBy(0, stride),
            '+': () => zoomBy(2),
            '-': () => zoomBy(0.5),
          };
          const move = moves[event.key];
          if (!move) return;
          event.preventDefault();
          move();
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, y: event.clientY };
        }}
        onPointerMove={(event) => {
          if (drag.current) {
            moveBy(drag.current.x - event.clientX, drag.current.y - event.clientY);
            drag.current = { x: event.clientX, y: event.clientY };
            return;
          }
          const box = event.currentTarget.getBoundingClientRect();
          void point(event.clientX - box.left, event.clientY - box.top);
        }}
        onPointerUp={() => {
          drag.current = undefined;
        }}
      />
    </div>
  );
}
