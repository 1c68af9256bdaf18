import { viridis } from '@headwise/inspect/figures';
import { type ReactElement, useEffect, useRef } from 'react';

/** Values from 0 to 1, each a cell, on a scale of even lightness. */
export function Heat({
  values,
  columns,
  label,
  onCell,
}: {
  values: Float32Array;
  columns: number;
  label: string;
  onCell?: (row: number, column: number) => void;
}): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const rows = values.length / columns;
  useEffect(() => {
    const element = canvas.current!;
    element.width = columns;
    element.height = rows;
    const drawing = element.getContext('2d')!;
    const image = drawing.createImageData(columns, rows);
    for (let i = 0; i < values.length; i++) {
      // The square root shows small weights, too.
      const [red, green, blue] = viridis(Math.sqrt(values[i]!));
      image.data.set([red, green, blue, 255], 4 * i);
    }
    drawing.putImageData(image, 0, 0);
  }, [values, columns, rows]);
  return (
    <canvas
      ref={canvas}
      className="heat"
      role="img"
      aria-label={label}
      onPointerMove={(event) => {
        if (!onCell) return;
        const box = event.currentTarget.getBoundingClientRect();
        const at = (part: number, size: number, count: number) =>
          Math.max(0, Math.min(count - 1, Math.floor((part / size) * count)));
        onCell(
          at(event.clientY - box.top, box.height, rows),
          at(event.clientX - box.left, box.width, columns),
        );
      }}
    />
  );
}
