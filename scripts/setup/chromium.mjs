import { closeSync, existsSync, openSync, readSync } from 'node:fs';

const paths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of a Chromium or Chrome, that in `CHROMIUM` first; undefined where there is none. */
export function chromium() {
  return [process.env.CHROMIUM, ...paths].find(
    (path) => path && existsSync(path) && !isSnapStub(path),
  );
}

/** Ubuntu's package `chromium-browser` is only a script that asks for the snap. */
function isSnapStub(path) {
  if (existsSync('/snap/bin/chromium')) return false;
  const start = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  const length = readSync(file, start);
  closeSync(file);
  const text = start.toString('latin1', 0, length);
  return text.startsWith('#!') && text.includes('/snap/bin/chromium');
}
