"""Where the assistant's turns stand in chats whose templates mark them, as transformers finds them."""

import json
import sys
from pathlib import Path

import transformers
from transformers.utils.chat_template_utils import render_jinja_template

TEMPLATES = {
    "chatml": (
        "{% for message in messages %}\n{% if message.role == 'assistant' %}\n<|im_start|>assistant\n"
        "{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}\n{{ '\\n' }}\n{% else %}\n"
        "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endif %}\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "trimmed": (
        "{%- for message in messages -%}\n  {%- if message['role'] == 'assistant' -%}\n    {%- generation -%}\n"
        "      {{- message['content'] | trim + '</s>' -}}\n    {%- endgeneration -%}\n  {%- else -%}\n"
        "    {{- '[' + message['role'] + '] ' + message['content'] + ' ' -}}\n  {%- endif -%}\n{%- endfor -%}"
    ),
}
CHATS = [
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " Hello 🐋\n"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "One?"},
     {"role": "assistant", "content": "1"}, {"role": "user", "content": "Two?"}, {"role": "assistant", "content": "2"}],
]
cases = []
for name, template in TEMPLATES.items():
    for messages in CHATS:
        [text], [turns] = render_jinja_template([messages], chat_template=template, return_assistant_tokens_mask=True)
        cases.append({"template": name, "messages": messages, "text": text, "turns": [text[a:b] for a, b in turns]})
note = {"source": "transformers", "version": transformers.__version__,
        "script": "tools/goldens/transformers/chat_turns.py", "templates": TEMPLATES, "cases": cases}
Path(sys.argv[1]).write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n")
