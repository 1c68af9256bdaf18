import { applySteps, emptyTally, gopherQuality, replacePii } from '@headwise/data';

const steps = [gopherQuality({ minWords: 6 }), replacePii()];
const tally = emptyTally(steps);
const text = 'Write to ishmael@pequod.com that the whale is to be seen.';
const outcome = await applySteps({ id: '1', text, meta: {} }, steps, tally);
console.log('text' in outcome && outcome.text); // Write to <EMAIL> that the whale is to be seen.
const short = await applySteps({ id: '2', text: 'the whale', meta: {} }, steps, tally);
console.log(short); // { step: 'gopher-quality', rule: 'gopher_short_doc' }
console.log(tally[0]?.dropped); // { gopher_short_doc: { documents: 1, bytes: 9 } }
