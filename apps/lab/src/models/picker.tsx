import { type ReactElement, useState } from 'react';
import { useLab } from '../lab.js';
import { Button } from '../ui/button.js';
import { SelectField, TextField } from '../ui/fields.js';
import { FileDrop } from '../ui/file-drop.js';
import { Notice } from '../ui/notice.js';
import { keyOfSource, type ModelSource } from '../worker/model-source.js';
import { bring, bundledSource, folderSource, useBrought } from './chosen.js';

const bringing = 'bring';

/** Chooses a model: the bundled one, a run, a dropped folder, or an address. */
export function ModelPicker({
  label,
  source,
  onChange,
}: {
  label: string;
  source: ModelSource;
  onChange: (source: ModelSource) => void;
}): ReactElement {
  const { runs } = useLab();
  const brought = useBrought();
  const [open, setOpen] = useState(false);
  const usable = runs.filter(
    ({ checkpoint, status }) => checkpoint !== undefined || status === 'running',
  );
  const choices: { source: ModelSource; label: string }[] = [
    { source: bundledSource, label: 'Moby-Dick, small (comes with the lab)' },
    ...usable.map((run) => ({
      source: { kind: 'run', run: run.id } as const,
      label: `Run: ${run.name}${run.status === 'running' ? ', training now' : ''}`,
    })),
    ...brought.map((one) => ({ source: one, label: nameOf(one) })),
  ];
  const key = keyOfSource(source);
  const known = choices.some((choice) => keyOfSource(choice.source) === key);
  return (
    <div className="stack tight">
      <SelectField
        label={label}
        value={open ? bringing : key}
        options={[
          ...choices.map((choice) => ({ value: keyOfSource(choice.source), label: choice.label })),
          ...(known ? [] : [{ value: key, label: 'A run that is gone' }]),
          { value: bringing, label: 'Bring a model of yours …' },
        ]}
        onChange={(value) => {
          setOpen(value === bringing);
          const choice = choices.find((one) => keyOfSource(one.source) === value);
          if (choice) onChange(choice.source);
        }}
      />
      {open && (
        <Bring
          onBrought={(next) => {
            setOpen(false);
            onChange(next);
          }}
        />
      )}
    </div>
  );
}

function nameOf(source: ModelSource): string {
  if (source.kind === 'files') return `Folder: ${source.name}`;
  return source.kind === 'url' ? source.url : source.kind;
}

function Bring({ onBrought }: { onBrought(source: ModelSource): void }): ReactElement {
  const [url, setUrl] = useState('');
  const [problem, setProblem] = useState<string>();
  const [loading, setLoading] = useState(false);
  const take = async (source: ModelSource) => {
    setProblem(undefined);
    setLoading(true);
    try {
      await bring(source);
      onBrought(source);
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setLoading(false);
    }
  };
  const takeUrl = () => {
    if (URL.canParse(url, window.location.href)) {
      const absolute = new URL(url, window.location.href).href;
      void take({ kind: 'url', url: absolute });
    } else setProblem(`${url} is no address`);
  };
  return (
    <div className="stack tight">
      <FileDrop
        label="Drop a Hugging Face folder: config.json, model.safetensors, tokenizer.json"
        folder
        onFiles={(files) => void take(folderSource(files))}
      />
      <div className="row bottom">
        <div className="grow">
          <TextField
            label="Or its address"
            placeholder="https://huggingface.co/openai-community/gpt2/resolve/main"
            value={url}
            onChange={setUrl}
            onEnter={takeUrl}
          />
        </div>
        <Button disabled={loading || url.trim() === ''} onClick={takeUrl}>
          Load
        </Button>
      </div>
      {loading && <Notice>Loading the model …</Notice>}
      {problem && <Notice tone="bad">{problem}</Notice>}
    </div>
  );
}
