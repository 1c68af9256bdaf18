import { type ReactElement, useEffect, useRef } from 'react';
import { colour, useTheme } from '../theme.js';

/** Numbers as a strip of cells: one colour above zero, another below. */
export function Strip({
  values,
  scale,
  label,
}: {
  values: Float32Array;
  scale: number;
  label: string;
}): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = canvas.current!;
    element.width = values.length;
    element.height = 1;
    const drawing = element.getContext('2d')!;
    const image = drawing.createImageData(values.length, 1);
    const parts = (token: string) => colour(token).split(' ').map(Number);
    const [above, below] = [parts('--heat'), parts('--surprise')];
    values.forEach((value, i) => {
      const [red = 0, green = 0, blue = 0] = value >= 0 ? above : below;
      image.data.set([red, green, blue, 255 * Math.sqrt(Math.abs(value) / (scale || 1))], 4 * i);
    });
    drawing.putImageData(image, 0, 0);
  }, [values, scale, theme]);
  return <canvas ref={canvas} className="strip" role="img" aria-label={label} />;
}
