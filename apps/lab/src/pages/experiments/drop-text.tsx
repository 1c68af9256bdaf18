import { type ReactElement, useState } from 'react';
import { lab } from '../../lab.js';
import { FileDrop } from '../../ui/file-drop.js';
import { Notice } from '../../ui/notice.js';

/** Takes a text file to learn from. */
export function DropText({
  chosen,
  onChosen,
}: {
  chosen: string | undefined;
  onChosen(name: string): void;
}): ReactElement {
  const [problem, setProblem] = useState<string>();
  const take = async ([file]: File[]) => {
    if (!file) return;
    setProblem(undefined);
    try {
      onChosen((await lab.call('addText', [file])).name);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div className="stack tight">
      <FileDrop
        label={chosen ? `Training on ${chosen}. Drop another text` : 'Drop a text file'}
        onFiles={take}
      />
      {problem && <Notice tone="bad">{problem}</Notice>}
    </div>
  );
}
