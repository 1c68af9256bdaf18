import { applySteps, emptyTally, gopherQuality, replacePii } from '@headwise/data';

const steps = [gopherQuality({ minWords: 6 }), replacePii()];
const tally = emptyTally(steps);
const documents = [
  { id: '1', text: 'Write to ishmael@pequod.com that the whale is to be seen.', meta: {} },
  { id: '2', text: 'the whale', meta: {} },
];
const [kept, short] = await applySteps(documents, steps, tally);
console.log(kept && 'text' in kept && kept.text); // Write to <EMAIL> that the whale is to be seen.
console.log(short); // { step: 'gopher-quality', rule: 'gopher_short_doc' }
console.log(tally[0]?.dropped); // { gopher_short_doc: { documents: 1, bytes: 9 } }
