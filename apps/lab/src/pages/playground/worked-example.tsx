import { type ReactElement, useState } from 'react';
import { example, exampleScores } from '../../models/example.js';
import { bars, type Sampling } from '../../models/sampling.js';
import { Button } from '../../ui/button.js';
import { BarChart } from './bar-chart.js';
import { SamplingForm } from './sampling-form.js';

const scores = exampleScores();

const lessons: readonly { title: string; sampling: Sampling }[] = [
  { title: 'Unchanged', sampling: { temperature: 1, topK: 0, topP: 1 } },
  { title: 'Top-k 3', sampling: { temperature: 1, topK: 3, topP: 1 } },
  { title: 'Top-p .30', sampling: { temperature: 1, topK: 0, topP: 0.3 } },
  { title: 'Temperature .5', sampling: { temperature: 0.5, topK: 0, topP: 1 } },
  { title: 'Temperature 2', sampling: { temperature: 2, topK: 0, topP: 1 } },
];

/** What temperature, top-k and top-p do, on four words. */
export function WorkedExample(): ReactElement {
  const [sampling, setSampling] = useState<Sampling>(lessons[1]!.sampling);
  const shown = bars(scores, sampling, example.length);
  const kept = shown.filter(({ after }) => after > 0).map(({ text }) => text);
  return (
    <section className="panel stack" aria-label="Worked example">
      <div className="stack tight">
        <h2>How sampling works</h2>
        <p className="muted">
          “For dessert I had a …” Say the model gives cake 20 %, donut 10 %, banana 2 %, apple 1 %,
          and shares the rest among a hundred other words.
        </p>
      </div>
      <div className="row">
        {lessons.map((lesson) => (
          <Button key={lesson.title} small onClick={() => setSampling(lesson.sampling)}>
            {lesson.title}
          </Button>
        ))}
      </div>
      <div className="halves">
        <SamplingForm sampling={sampling} mostK={10} onChange={setSampling} />
        <div className="stack tight">
          <BarChart bars={shown} />
          <p className="small muted" aria-live="polite">
            {kept.length === example.length
              ? 'All four words can be sampled.'
              : `Of the four, ${kept.join(', ')} can be sampled.`}
          </p>
        </div>
      </div>
    </section>
  );
}
