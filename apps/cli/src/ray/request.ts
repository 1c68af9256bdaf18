import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** What a server answers. */
export interface Answer {
  status: number;
  /** Whether the status is one of success. */
  ok: boolean;
  text: string;
  /** The path that was asked for. */
  path: string;
}

/** A request over HTTP. */
export interface RequestOptions {
  method: string;
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array | undefined;
  signal: AbortSignal;
}

/** Sends one request. `fetch` marks its requests as a browser's, from which Ray takes no uploads. */
export function request(address: string, { body, ...options }: RequestOptions): Promise<Answer> {
  const send = address.startsWith('https:') ? httpsRequest : httpRequest;
  const length = body ? { 'content-length': body.length } : {};
  return new Promise((resolve, reject) => {
    const sent = send(address, { ...options, headers: { ...options.headers, ...length } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const ok = status >= 200 && status < 300;
        resolve({ status, ok, text: Buffer.concat(parts).toString('utf8'), path: sent.path });
      });
    });
    sent.end(body);
  });
}
