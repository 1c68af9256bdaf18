import { ChatTemplate } from '@headwise/tokenizers';
import { expect, test } from 'vitest';
import { type ToolCallForm, toolCallForm } from './index.js';

/** How published templates write turns and calls, in short; `special` are their special tokens. */
interface Family {
  turns: string;
  call: string;
  special: string[];
}

const families = {
  // Qwen2.5, Hermes
  marked: {
    turns:
      '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}CALLS<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}',
    call: '{% for c in m.tool_calls %}{% if m.content or not loop.first %}{{ "\n" }}{% endif %}<tool_call>\n{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}',
    special: ['<|im_start|>', '<|im_end|>'],
  },
  // Qwen3
  thinking: {
    turns:
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}CALLS<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    call: '{% for c in m.tool_calls %}{% if m.content or not loop.first %}{{ "\n" }}{% endif %}<tool_call>\n{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}',
    special: ['<|im_start|>', '<|im_end|>'],
  },
  // LLaMA 3.2
  one: {
    turns:
      '{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content }}CALLS<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}',
    call: '{% if m.tool_calls %}{% if m.tool_calls | length != 1 %}{{ raise_exception(\'one call only\') }}{% endif %}{"name": "{{ m.tool_calls[0].function.name }}", "parameters": {{ m.tool_calls[0].function.arguments | tojson }}}{% endif %}',
    special: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
  },
  // Mistral v3
  list: {
    turns:
      "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }}[/INST]{% else %} {{ m.content }}CALLS</s>{% endif %}{% endfor %}",
    call: '{% if m.tool_calls %}[TOOL_CALLS] [{% for c in m.tool_calls %}{% if c.id | length != 9 %}{{ raise_exception(\'nine\') }}{% endif %}{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}, "id": "{{ c.id }}"}{% if not loop.last %}, {% endif %}{% endfor %}]{% endif %}',
    special: ['[INST]', '[/INST]', '[TOOL_CALLS]', '</s>'],
  },
  // Qwen3-Coder
  xml: {
    turns:
      '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}CALLS<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}',
    call: '{% for c in m.tool_calls %}<tool_call>\n<function={{ c.function.name }}>{% for k, v in c.function.arguments | items %}<parameter={{ k }}>{{ v }}</parameter>{% endfor %}</function>\n</tool_call>{% endfor %}',
    special: ['<|im_start|>', '<|im_end|>'],
  },
  none: {
    turns: '{% for m in messages %}{{ m.content }}\n{% endfor %}',
    call: '',
    special: [],
  },
} satisfies Record<string, Family>;

function formOf({ turns, call, special }: Family): ToolCallForm | undefined {
  const template = new ChatTemplate({ chat_template: turns.replace('CALLS', call) });
  const addedTokens = special.map((content, id) => ({
    ...{ id, content, special: true },
    ...{ singleWord: false, lstrip: false, rstrip: false, normalized: false },
  }));
  return toolCallForm(template, { addedTokens }, [{ role: 'user', content: 'q' }], {
    tools: [{ type: 'function', function: { name: 'f' } }],
  });
}

const marked = {
  lead: '',
  begin: '<tool_call>\n{"name": "',
  middle: '", "arguments": ',
  between: '}\n</tool_call>\n<tool_call>\n{"name": "',
  end: '}\n</tool_call>',
  id: undefined,
};

test.each<[keyof typeof families, ToolCallForm | undefined]>([
  ['marked', marked],
  ['thinking', { ...marked, lead: '<think>\n\n</think>\n\n' }],
  [
    'one',
    {
      lead: '',
      begin: '{"name": "',
      middle: '", "parameters": ',
      between: undefined,
      end: '}',
      id: undefined,
    },
  ],
  [
    'list',
    {
      lead: ' [TOOL_CALLS]',
      begin: ' [{"name": "',
      middle: '", "arguments": ',
      between: ', "id": "headwise0"}, {"name": "',
      end: ', "id": "headwise0"}]',
      id: 'headwise0',
    },
  ],
  ['xml', undefined],
  ['none', undefined],
])('how a template of the kind %s writes calls', (family, form) => {
  expect(formOf(families[family])).toEqual(form);
});
