/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Every fifth of the 256 colours of matplotlib's viridis, in hexadecimal. */
const anchors: readonly Rgb[] = [
  '44015446085c471063481769481d6f482475472a7a46307e453781433d844142873f48893d4e8a',
  '3a538b38598c355e8d33638d31688e2e6d8e2c718e2a768e297b8e27808e25848e23898e218e8d',
  '20928c1f978b1e9c891fa18821a58524aa8328ae802eb37c35b7793dbc7446c06f50c46a5ac864',
  '65cb5e70cf577cd25089d54895d840a2da37b0dd2fbddf26cae11fd8e219e5e419f1e51dfde725',
].flatMap((line) => line.match(/.{6}/g)!.map(parseRgb));

/**
 * The colour of a value in [0, 1] on a scale whose lightness grows evenly, which colour-blind eyes and
 * greyscale print can read; what lies outside gets the colour of the nearer end.
 *
 * @see Smith and van der Walt 2015, https://bids.github.io/colormap
 */
export function viridis(value: number): Rgb {
  const at = Math.min(1, Math.max(0, Number.isNaN(value) ? 0 : value)) * (anchors.length - 1);
  const below = Math.min(anchors.length - 2, Math.floor(at));
  const [from, to] = [anchors[below]!, anchors[below + 1]!];
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * (at - below));
  return [mix(0), mix(1), mix(2)];
}

/** A colour as CSS and SVG write it. */
export function hex(rgb: Rgb): string {
  return `#${rgb.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** Black or white, whichever is easier to read on a colour. */
export function inkOn(rgb: Rgb): '#000000' | '#ffffff' {
  return luminance(rgb) > 0.179 ? '#000000' : '#ffffff';
}

/** The relative luminance of a colour, 0 to 1, as WCAG 2.2 defines it. */
export function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((part) => {
    const s = part / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

/** Red, green and blue of a colour such as `#fde725`; the sign may be missing. */
export function parseRgb(text: string): Rgb {
  const value = Number.parseInt(text.replace('#', ''), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Colours to tell heads apart by, which stand out from light and dark pages alike. */
export const headColours: readonly string[] = [
  '#3b7dd8',
  '#d9622b',
  '#2f9e63',
  '#c44e9e',
  '#8a6fd1',
  '#a8842c',
  '#1f98a6',
  '#d64550',
];

/** The colour of a head; they repeat after the last. */
export function headColour(head: number): string {
  return headColours[head % headColours.length]!;
}

/** Colours of what is above zero and of what is below. */
export const signColours: { readonly above: string; readonly below: string } = {
  above: '#3b7dd8',
  below: '#d9622b',
};
