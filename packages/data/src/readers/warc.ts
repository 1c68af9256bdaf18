import type { WARCRecord } from 'warcio';
import type { Document } from '../documents/document.js';
import { DataError } from '../errors.js';
import { checkLength, longestDocument } from './source-document.js';

/**
 * The documents of a web archive: the visible text of pages with status 200, and texts that were extracted before (WET).
 *
 * `meta` has `url`, `date`; the id is the record's. Other records are passed over.
 * @throws DataError naming the file that is cut off or is not WARC, or a record longer than `maxBytes`
 */
export async function* warcDocuments(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  maxBytes: number = longestDocument,
): AsyncGenerator<Document> {
  const { WARCParser } = await import('warcio');
  let count = 0;
  const failed = (cause: unknown) =>
    cause instanceof DataError
      ? cause
      : new DataError(`${name}: cannot be read as WARC after ${count} records: ${String(cause)}`, {
          cause,
        });
  const records = new WARCParser(chunks)[Symbol.asyncIterator]();
  for (;;) {
    let document: Document | undefined;
    try {
      const { value: record, done } = await records.next();
      if (done) break;
      document = await documentOfRecord(record, `${name}: record ${count + 1}`, maxBytes);
    } catch (cause) {
      throw failed(cause);
    }
    count++;
    if (document) yield document;
  }
}

async function documentOfRecord(
  record: WARCRecord,
  place: string,
  maxBytes: number,
): Promise<Document | undefined> {
  if (!record.warcHeaders.statusline.startsWith('WARC/')) {
    throw new DataError(`${place} is not WARC, expected WARC/1.0 or WARC/1.1 as its first line`);
  }
  const length = Number(record.warcHeader('Content-Length'));
  checkLength(length, maxBytes, place);
  const isPage = record.warcType === 'response';
  if (!isPage && record.warcType !== 'conversion') {
    await record.skipFully();
    return undefined;
  }
  const type = isPage
    ? (record.httpHeaders?.headers.get('content-type') ?? '')
    : (record.warcContentType ?? '');
  const bytes = await record.readFully(isPage);
  if (!isPage && bytes.length < length) {
    throw new DataError(`${place} is cut off after ${bytes.length} of ${length} bytes`);
  }
  const isHtml = /^\s*(?:text\/html|application\/xhtml\+xml)/i.test(type);
  const isText = /^\s*text\/plain/i.test(type);
  if (isPage && Number(record.httpHeaders?.statusCode) !== 200) return undefined;
  if (!isHtml && !isText) return undefined;
  const content = decodeWeb(bytes, type);
  const id = record.warcHeader('WARC-Record-ID') ?? place;
  const meta = { url: record.warcTargetURI ?? '', date: record.warcDate ?? '' };
  if (!isHtml) return { id, text: content, meta };
  return { id, text: await htmlText(content), meta };
}

/** The text of bytes from the web, in the encoding that they or their type name; bytes that it has not become U+FFFD. */
function decodeWeb(bytes: Uint8Array, type: string): string {
  const head = String.fromCharCode(...bytes.subarray(0, 1024));
  const label = (/charset\s*=\s*["']?([\w-]+)/i.exec(type) ?? metaCharset.exec(head))?.[1];
  try {
    return new TextDecoder(label ?? 'utf-8').decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes); // an encoding that there is not
  }
}

const metaCharset = /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i;

/** The visible text of a page: paragraphs and list items, without navigation, forms, scripts, images and link targets. */
export async function htmlText(html: string): Promise<string> {
  const { convert } = await import('html-to-text');
  return convert(html, {
    wordwrap: false,
    selectors: [
      { selector: 'a', options: { ignoreHref: true } },
      ...['nav', 'header', 'footer', 'aside', 'form', 'img', 'noscript', 'svg'].map((selector) => ({
        selector,
        format: 'skip',
      })),
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
        selector,
        options: { uppercase: false },
      })),
      { selector: 'table', options: { uppercaseHeaderCells: false } },
    ],
  });
}
