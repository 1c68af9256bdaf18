import { expect, test } from 'vitest';
import { terminalText } from './terminal-text.js';

test('a text of a model cannot control the terminal', () => {
  expect(terminalText('\x1b[2Ja\b\x7f\x9b1m\r\x00')).toBe('␛[2Ja␈␡\ufffd1m␍␀');
  const plain = 'Zwölf 🐋\n\tand „more“\u00a0— e\u0301';
  expect(terminalText(plain)).toBe(plain);
});
