import { type ReactElement, useEffect, useRef } from 'react';
import { colour, useTheme } from '../theme.js';

/** The colour of the greatest value, red, green and blue. */
export function heatColour(): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = colour('--heat').split(' ').map(Number);
  return [red, green, blue];
}

/** A square of values from 0 to 1, each a cell; the stronger the colour, the greater the value. */
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
  const theme = useTheme();
  const rows = values.length / columns;
  useEffect(() => {
    const element = canvas.current!;
    element.width = columns;
    element.height = rows;
    const drawing = element.getContext('2d')!;
    const image = drawing.createImageData(columns, rows);
    const [red, green, blue] = heatColour();
    for (let i = 0; i < values.length; i++) {
      image.data[4 * i] = red;
      image.data[4 * i + 1] = green;
      image.data[4 * i + 2] = blue;
      // The square root shows small weights, too.
      image.data[4 * i + 3] = 255 * Math.sqrt(values[i]!);
    }
    drawing.putImageData(image, 0, 0);
  }, [values, columns, rows, theme]);
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
