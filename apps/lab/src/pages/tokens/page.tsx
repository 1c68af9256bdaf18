import { type ReactElement, useState } from 'react';
import { asText, useAddressed } from '../../route.js';
import { TextField } from '../../ui/fields.js';
import { TokenizerSlot } from './slot.js';
import { addSlot, bundledKey, openBundled, type Slot, useSlots } from './slots.js';
import { TrainTokenizer } from './train.js';

const start =
  'Call me Ishmael. Some years ago — never mind how long precisely — I thought I would sail about a little. Naïve café, 東京, 🐋.';

/** Cuts texts into tokens with any tokenizer, two beside each other, and trains new ones. */
export function TokensPage(): ReactElement {
  const slots = useSlots();
  const [text, setText] = useAddressed('tokens', 'text', start, asText);
  const [wantedLeft, setLeft] = useAddressed('tokens', 'tokenizer', bundledKey, asText);
  const [wantedRight, setRight] = useAddressed('tokens', 'second', '', asText);
  // A tokenizer that was brought along or trained lasts as long as the tab's worker.
  const has = (key: string) => slots.some((slot) => slot.key === key);
  const left = has(wantedLeft) ? wantedLeft : bundledKey;
  const right = has(wantedRight) ? wantedRight : undefined;
  const [opening] = useState(openBundled);
  const add = (slot: Slot, side: 'left' | 'right') => {
    addSlot(slot);
    if (side === 'left') setLeft(slot.key);
    else setRight(slot.key);
  };
  return (
    <>
      <div className="page-head">
        <h1>Tokens</h1>
        <p>
          A tokenizer splits a text into tokens, each with an id; models read the ids. Compare two
          tokenizers.
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
