import { type ReactElement, useState } from 'react';
import { desk } from '../../desk.js';
import { TextField } from '../../ui/fields.js';
import { type Slot, TokenizerSlot } from './slot.js';
import { TrainTokenizer } from './train.js';

const bundledKey = 'bundled';
const start =
  'Call me Ishmael. Some years ago — never mind how long precisely — I thought I would sail about a little. Naïve café, 東京, 🐋.';

/** Cuts texts into tokens with any tokenizer, two beside each other, and trains new ones. */
export function TokensPage(): ReactElement {
  const [text, setText] = useState(start);
  const [slots, setSlots] = useState<readonly Slot[]>([
    { key: bundledKey, name: 'Moby-Dick, 512 pieces (comes with the lab)' },
  ]);
  const [left, setLeft] = useState(bundledKey);
  const [right, setRight] = useState<string>();
  const [opening] = useState(() =>
    desk.call('openTokenizer', [
      bundledKey,
      { kind: 'url', url: new URL('models/moby-dick/tokenizer.json', document.baseURI).href },
    ]),
  );
  const add = (slot: Slot, side: 'left' | 'right') => {
    setSlots((before) => [...before.filter(({ key }) => key !== slot.key), slot]);
    if (side === 'left') setLeft(slot.key);
    else setRight(slot.key);
  };
  return (
    <>
      <div className="page-head">
        <h1>Tokens</h1>
        <p>
          A model reads numbers, not letters. See how a tokenizer cuts a text into the pieces that
          have a number, and compare two.
        </p>
      </div>
      <section className="panel">
        <TextField label="Text" lines={4} value={text} onChange={setText} />
      </section>
      <div className="halves">
        <TokenizerSlot
          title="Tokenizer"
          text={text}
          slots={slots}
          chosen={left}
          opening={opening}
          onChoose={setLeft}
          onAdd={(slot) => add(slot, 'left')}
        />
        <TokenizerSlot
          title="Second tokenizer"
          text={text}
          slots={slots}
          chosen={right}
          opening={opening}
          onChoose={setRight}
          onAdd={(slot) => add(slot, 'right')}
        />
      </div>
      <TrainTokenizer text={text} onTrained={(slot) => add(slot, 'right')} />
    </>
  );
}
