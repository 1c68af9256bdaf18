import { findDuplicates, MinHash } from '@headwise/data';

async function* documents() {
  yield { text: 'Call me Ishmael. Some years ago, never mind how long precisely.' };
  yield { text: 'CALL ME ISHMAEL! Some years ago (never mind how long precisely)' };
}

const hasher = new MinHash();
const found = await findDuplicates(documents(), (text) => hasher.keys(text));
console.log(found.count, found.repeated, found.firstOf(1)); // 2 1 0
