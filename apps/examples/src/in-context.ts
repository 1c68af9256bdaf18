import {
  balancedExamples,
  bm25Similarity,
  defineTask,
  diverseExamples,
  similarExamples,
} from '@headwise/prompting';

const task = defineTask({
  name: 'sentiment',
  question: 'Classify this review:\n{{review}}\nSentiment:',
  answer: ' {{sentiment}}',
});
const pool = [
  { review: 'The plot was dull.', sentiment: 'Negative' },
  { review: 'The chair broke after a week.', sentiment: 'Negative' },
  { review: 'The chair broke after two weeks.', sentiment: 'Negative' },
  { review: 'A chair for years to come.', sentiment: 'Positive' },
];
const query = { review: 'My chair broke on day one.' };

// Words in common; embeddingSimilarity(await loadEmbeddingModel(folder)) compares by meaning.
const text = ({ review }: { review: string }) => review;
const options = { text, similarity: bm25Similarity() };
const nearest = await similarExamples(pool, options)(query, 2);
console.log(nearest.at(-1)?.review); // The chair broke after a week.
const diverse = await diverseExamples(pool, options)(query, 2);
console.log(diverse.map(text).includes('The chair broke after two weeks.')); // false
const label = ({ sentiment }: { sentiment: string }) => sentiment;
const balanced = await balancedExamples(pool, { label, seed: 1 })(query, 2);
console.log(task.withExamples(balanced).write(query).endsWith('day one.\nSentiment:')); // true
