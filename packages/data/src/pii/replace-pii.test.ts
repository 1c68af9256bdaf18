import { expect, test } from 'vitest';
import { replacePii } from './replace-pii.js';

const replaced = async (text: string, options = {}) => {
  const [outcome] = await replacePii(options).apply([{ id: '1', text, meta: {} }]);
  return (outcome as { text: string }).text;
};

test.each([
  ['write to ishmael@pequod.com.', 'write to <EMAIL>.'],
  ['o.lord+whale@mail.sea-net.co.uk, please', '<EMAIL>, please'],
  ['an @ alone, a@b, and user@localhost', 'an @ alone, a@b, and user@localhost'],
  ['from 8.8.8.8 and 93.184.216.34:80', 'from <IP> and <IP>:80'],
  ['at 192.168.1.1, 10.0.0.1, 127.0.0.1, 172.20.0.1, 100.64.0.1', undefined],
  ['version 1.2.3.4.5, 1.2.3, 256.1.1.1', undefined],
  ['card 4111 1111 1111 1111 or 5500-0000-0000-0004', 'card <CARD> or <CARD>'],
  ['amex 378282246310005', 'amex <CARD>'],
  ['not one: 4111 1111 1111 1112, 0000 0000 0000 0000, 123456789', undefined],
  ['call +44 20 7946 0958 or +1 (555) 234-5678', 'call <PHONE> or <PHONE>'],
  ['call (212) 555-0187, 212-555-0187 or 1-212-555-0187', 'call <PHONE>, <PHONE> or <PHONE>'],
  ['+4915112345678', '<PHONE>'],
  ['in 1851-1891, on 2021-03-04, pp. 212-555, 3+4, +5, 100 200 3000', undefined],
])('%s', async (text, expected) => {
  expect(await replaced(text)).toBe(expected ?? text);
});

test('a placeholder of null leaves a kind as it is; nothing to replace leaves the document itself', async () => {
  expect(await replaced('a@b.com from 8.8.8.8', { email: null, ip: '[ip]' })).toBe(
    'a@b.com from [ip]',
  );
  const document = { id: '1', text: 'nothing', meta: {} };
  expect((await replacePii().apply([document]))[0]).toBe(document);
});
