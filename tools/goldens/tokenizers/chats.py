"""Chats as Jinja writes them with the settings of Hugging Face's transformers."""

import json

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

TOOLS_TEMPLATE = (
    "{{ bos_token }}{% if tools %}Tools: {{ tools | tojson }}\n{% endif %}\n"
    "{%- for message in messages %}\n  {%- if loop.first and message.role != 'system' %}\n"
    "    {{- raise_exception('begins with ' ~ message.role) }}\n  {%- endif %}\n"
    "  <{{ message.role | upper }}>{{ message.content | trim }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<ASSISTANT>{% endif %}"
)

CHATS = {
    "question": [{"role": "user", "content": " Who is Ishmael? \n"}],
    "chat": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello — you"}, {"role": "user", "content": "日本語 \"quoted\"?"}],
    "system": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "Two "}]}],
}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"place": {"type": "string", "description": "Where — é"}}}}}]


def chat_goldens(models):
    def fail(message):
        raise jinja2.exceptions.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    environment.globals["raise_exception"] = fail
    configs = {"tools": {"chat_template": TOOLS_TEMPLATE, "bos_token": "<s>", "eos_token": {"content": "</s>"}}}
    for name in ["llama3", "gemma3"]:
        config = json.loads((models / f"tokenizer-{name}/models/tokenizer_config.json").read_text(encoding="utf-8"))
        configs[name] = {key: config[key] for key in ["chat_template", "bos_token", "eos_token"]}
    cases = []
    for name, config in configs.items():
        template = environment.from_string(config["chat_template"])
        tokens = {key: value if isinstance(value, str) else value["content"] for key, value in config.items()}
        for chat, messages in CHATS.items():
            for prompt in [False, True]:
                for tools in [None, TOOLS] if name == "tools" else [None]:
                    try:
                        text = template.render(**tokens, messages=messages, add_generation_prompt=prompt, tools=tools)
                    except jinja2.exceptions.TemplateError:
                        text = None
                    cases.append({"config": name, "chat": chat, "prompt": prompt, "tools": bool(tools), "text": text})
    return {"library": f"jinja2 {jinja2.__version__}", "configs": configs, "chats": CHATS, "tools": TOOLS, "cases": cases}
