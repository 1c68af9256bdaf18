import { createHash } from 'node:crypto';
import { escapeText } from '@headwise/inspect/figures';
import { style } from './style.js';

/** What a page of a report is made of; markup where it says so. */
export interface DocumentParts {
  title: string;
  about: string;
  /** Markup below the title. */
  lead?: string | undefined;
  /** Terms and what they are here. */
  facts: Readonly<Record<string, string>>;
  /** Markup. */
  main: string;
  /** The command that makes it. */
  command: string;
  /** What the page's own script reads, and the script: a module without imports. */
  script?: { data: unknown; text: string } | undefined;
  /** Whether pictures stand in the page, as `data:` addresses. */
  pictures?: boolean | undefined;
  /** What the page has besides the style of reports. */
  css?: string | undefined;
}

/**
 * A page that needs nothing besides itself.
 *
 * Its policy lets it load nothing, and run no script but its own.
 */
export function documentOf({
  title,
  about,
  lead = '',
  facts,
  main,
  command,
  script,
  pictures = false,
  css = '',
}: DocumentParts): string {
  const styles = style + css;
  const policy = [
    "default-src 'none'",
    ...(script ? [`script-src ${hashOf(script.text)}`] : []),
    ...(pictures ? ['img-src data:'] : []),
    `style-src ${hashOf(styles)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${escapeText(policy)}">
<title>${escapeText(title)}</title>
<style>${styles}</style>
</head>
<body>
<header>
<h1>${escapeText(title)}</h1>
<p>${escapeText(about)}</p>
${lead}<dl>${Object.entries(facts)
    .map(([term, value]) => `<div><dt>${escapeText(term)}</dt><dd>${escapeText(value)}</dd></div>`)
    .join('')}</dl>
</header>
<main>
${main}
</main>
<footer>Made by <code>${escapeText(command)}</code>. This page loads nothing from anywhere.</footer>
${
  script
    ? `<script type="application/json" id="data">${json(script.data)}</script>
<script type="module">${script.text}</script>
`
    : ''
}</body>
</html>
`;
}

/** JSON that cannot end the element that it stands in. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
