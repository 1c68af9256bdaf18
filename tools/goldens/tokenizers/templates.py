"""Small templates as transformers' own Jinja environment renders them: printing, operators, filters, tests, tags."""

import datetime
import json
import pathlib
import sys

import jinja2
import transformers
from transformers.utils import chat_template_utils

NOW = datetime.datetime(2026, 3, 5, 14, 7, 9, 123000)

VARIABLES = {
    "messages": [
        {"role": "user", "content": "Hi", "flags": [True, None, 1, 1.5, "a'b"], "keys": 3},
        {"role": "assistant", "content": None, "tool_calls": [
            {"function": {"name": "f", "arguments": {"city": "Köln", "n": 1, "ok": True, "none": None, "x": [1, "a"]}}}]},
    ],
    "tools": None, "documents": None, "add_generation_prompt": False,
    "n": 7, "f": 2.5, "s": "Hello wOrld", "uni": "naïve 🐋 日本 it's \"so\"", "empty": [], "nothing": None, "yes": True,
    "list": [3, 1, 2], "words": ["b", "A", "c", "a"], "d": {"b": 1, "A": 2, "c": [1, {"x": None}]},
    "people": [{"name": "Bo", "age": 3, "home": {"city": "X"}}, {"name": "al", "age": 1, "home": {"city": "y"}},
               {"name": "Cy", "age": 2, "home": {"city": "x"}}],
    "html": "<b class='x'>a & b</b>", "lines": "one\n  two\n\nthree", "big": 12345678901234, "tiny": 1e-7, "huge": 1e22,
}

PRINTING = """
{{ true }} {{ none }} {{ [1, 'a'] }}|{{ messages }}|{{ messages[0].flags }}|{{ messages[1].tool_calls[0].function.arguments }}
{% if tools is not none %}TOOLS{% endif %}{% if documents is none %}none{% endif %}|{{ tools }}|{{ tools is defined }}
{{ missing }}|{{ missing is defined }}|{{ n }} {{ f }} {{ big }} {{ tiny }} {{ huge }} {{ 1e16 }} {{ 123456789012345680.0 }} {{ 0.0001 }} {{ 1.0 }} {{ -0.0 }} {{ 1e5 }}
{{ (1,) }} {{ () }} {{ (1, 'b') }} {{ {} }} {{ [] }} {{ {'a': (1, none), 2: "x"} }} {{ [[], [none]] }}
{{ [uni] }} {{ ["a'b", 'a"b', "a'\\"b", "a\\\\b", "\\n\\t\\r\\x07", "\\u00ad\\u200b\\ue000", "é🐋"] }}
{{ d.items() }} {{ d.keys() }} {{ d.values() }} {{ range(3) }} {{ range(1, 9, 2) }} {{ namespace(a=1, b='x') }}
{{ 'a' ~ 1 ~ none ~ true ~ [1] ~ missing }} {{ "a" "b" }} {{ [1.0, 2] | join(',') }} {{ [none, true] | join('-') }}
{{ messages[0] | string }} {{ 5 | string ~ 'x' }} {{ ['x'] | string }} {{ true | string }} {{ 1 == true }} {{ 1 == 1.0 }} {{ '1' == 1 }}
{{ loop }} {% for x in [1] %}{{ loop }}{% endfor %} {% macro m(a) %}{% endmacro %}{{ m }} {{ missing == nope }} {{ [missing] }}
"""

OPERATORS = """
{{ 7 / 2 }} {{ 8 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 2 ** 70 }}
{{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 1 + 2.0 }} {{ 0.1 + 0.2 }} {{ 3 * 'ab' }} {{ [1] * 3 }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ true + 1 }} {{ 1 - 2 - 3 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 in [1, 2] }} {{ 3 not in [1, 2] }} {{ 'a' in 'cat' }} {{ 'b' in d }} {{ 1 in (1, 2) }} {{ none in [none] }}
{{ not true }} {{ not [] }} {{ [] or 'x' }} {{ 0 and 1 }} {{ '' or none }} {{ 'a' and 'b' }} {{ 1 if true }} {{ 1 if false }}| {{ 1 if false else 2 }} {{ (1 if n > 5 else 2) + 1 }}
{{ s[0] }} {{ s[-1] }} {{ s[1:4] }} {{ s[::-1] }} {{ s[:-2] }} {{ list[1:] }} {{ list[::-1] }} {{ uni[6] }} {{ uni[6:9] }} {{ (1, 2, 3)[1:] }} {{ list[5] }}| {{ s[99] }}| {{ range(9)[2] }} {{ list[-2:] }} {{ s[5:2] }}
{{ messages[0]['role'] }} {{ messages[0].role }} {{ messages[-1].role }} {{ d['c'][1].x }} {{ messages[0].nothing }}| {{ messages[0]['keys'] }} {{ people[0].home.city }} {{ d.get('b') }} {{ d.get('zz') }} {{ d.get('zz', 5) }} {{ s.nothing }}|
{{ '%s is %d' % ('a', 3) }} {{ '%05.2f|%-5s|%5s|%x|%o|%e|%g|%G|%%|%r|%c|%+d|% d' % (3.14159, 'a', 'b', 255, 8, 12345.678, 0.0001, 1e20, 'q', 'z', 3, 4) }} {{ '%(a)s-%(b)03d' % {'a': 1, 'b': 2} }} {{ '%s' % [1, none] }} {{ '%.3s' % 'abcdef' }} {{ '%5.1f%%' % 99.25 }} {{ '%*d' % (5, 3) }}
{{ '{} {1} {0}' }} {{ '{} {}'.format(1, 'a') }} {{ '{0}-{1}-{0}'.format('a', none) }} {{ '{a} {b[x]} {c.city}'.format(a=1, b={'x': 2}, c=people[0].home) }} {{ '{:>6}|{:<6}|{:^6}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:05d}|{:+d}|{:,}|{:_}|{:x}|{:#x}|{:b}|{:o}|{:e}|{:.2f}|{:8.3f}|{:%}|{:.1%}|{:g}'.format(42, 7, 1234567, 1234567, 255, 255, 5, 8, 12345.678, 3.14159, 2.71828, 0.25, 0.256, 1e-5) }} {{ '{!r} {!s} {{}}'.format('a', 'b') }} {{ '{:{}}'.format('a', 5) }}| {{ '{:.3}'.format(3.14159) }} {{ '{:.3}'.format('abcdef') }} {{ '{:n}'.format(5) }} {{ '{}'.format(1.0) }} {{ '{:,.2f}'.format(1234567.891) }} {{ '{:.3}'.format(100.0) }}
{{ 1_000 }} {{ 0x1F }} {{ 0b11 }} {{ 0o17 }} {{ 1.5e3 }} {{ 'a\\x41\\u00e9\\101' }} {{ "tab\\tq\\'" }} {{ True }} {{ None }} {{ False }} {{ -n }} {{ +f }} {{ - 3 | abs }} {{ (-3) | abs }} {{ n is number and n > 3 or false }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 42.55 | round(1, 'floor') }} {{ 42.55 | round(1, 'ceil') }} {{ 42 | round }} {{ 1234.5 | round(-2) }} {{ 1250 | round(-2) }} {{ 1.005 | round(2) }} {{ 42 | round(0, 'ceil') }}
"""

FILTERS = """
{{ s | upper }} {{ s | lower }} {{ s | title }} {{ s | capitalize }} {{ 'foo-bar (baz) it\\'s' | title }} {{ '  x ' | trim }}| {{ 'xxaxx' | trim('x') }} {{ s | length }} {{ uni | length }} {{ d | count }} {{ s | reverse }} {{ list | reverse | list }} {{ uni | upper }}
{{ list | sort }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ list | sort(reverse=true) }} {{ people | sort(attribute='age') | map(attribute='name') | list }} {{ people | sort(attribute='home.city,age') | map(attribute='name') | join(' ') }} {{ d | dictsort }} {{ d | dictsort(true) }} {{ {'a': 2, 'b': 1} | dictsort(by='value', reverse=true) }}
{{ list | first }} {{ list | last }} {{ [] | first }}| {{ 'abc' | first }} {{ list | min }} {{ list | max }} {{ words | max }} {{ words | min(case_sensitive=true) }} {{ people | max(attribute='age') }} {{ [] | max }}| {{ list | sum }} {{ people | sum(attribute='age') }} {{ [0.5, 1] | sum }} {{ [] | sum(start=3) }}
{{ list | join }} {{ list | join(', ') }} {{ people | join('+', attribute='name') }} {{ words | unique | list }} {{ words | unique(case_sensitive=true) | join }} {{ 'hello' | list }} {{ d | list }} {{ d | items | list }} {{ {'a': 1} | items | list }} {{ 'aXbX' | replace('X', '-') }} {{ 'aaa' | replace('a', 'b', 2) }} {{ 'abc' | replace('', '.') }} {{ 15 | replace(5, 6) }}
{{ missing | default('x') }} {{ '' | default('x') }}| {{ '' | default('x', true) }} {{ none | default('x') }} {{ none | d('x', boolean=true) }} {{ missing | default }}| {{ n | default(1) }}
{{ '42' | int }} {{ '42.9' | int }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ 'ff' | int(0, 16) }} {{ '0x1f' | int(base=16) }} {{ 3.99 | int }} {{ true | int }} {{ none | int(5) }} {{ ' 12 ' | int }} {{ '1e3' | int }} {{ '3.5' | float }} {{ 'x' | float }} {{ 3 | float }} {{ 'inf' | float }} {{ '1_000' | int }} {{ -3.7 | int }}
{{ people | map(attribute='age') | list }} {{ people | map(attribute='x', default='?') | list }} {{ words | map('upper') | list }} {{ [1, 2] | map('string') | list }} {{ words | map('replace', 'a', 'z') | join }} {{ people | selectattr('age', 'gt', 1) | map(attribute='name') | list }} {{ people | rejectattr('age', 'equalto', 1) | list | length }} {{ people | selectattr('nope', 'defined') | list }} {{ people | selectattr('age') | list | count }} {{ [0, 1, none, 'a'] | select | list }} {{ [0, 1, 2, 3] | select('odd') | list }} {{ [1, 2, 3] | reject('even') | list }} {{ [1, 'a', none] | select('string') | list }} {{ [1, 2, 3, 4] | select('divisibleby', 2) | list }}
{{ people | groupby('age') | list | length }} {% for g in people | groupby('home.city') %}{{ g.grouper }}:{{ g.list | map(attribute='name') | join(',') }};{% endfor %} {% for k, v in people | groupby('home.city', case_sensitive=true) %}{{ k }}{{ v | length }} {% endfor %} {{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ [1, 2, 3] | batch(2, 'x') | list }} {{ [1, 2, 3, 4, 5] | slice(3) | list }} {{ [1, 2, 3, 4] | slice(3, 'x') | list }}
{{ messages[1] | tojson }} {{ messages[1].tool_calls[0].function.arguments | tojson(indent=2) }} {{ [1, 1.0, 1e20, 1e-7, true, none, "é<&'\\"\\n\\u007f"] | tojson }} {{ 'é🐋' | tojson(ensure_ascii=true) }} {{ d | tojson(sort_keys=true) }} {{ d | tojson(separators=(',', ':')) }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }} {{ (1, 2) | tojson }} {{ [] | tojson(indent=4) }} {{ {} | tojson }} {{ [[], {}] | tojson(indent=1) }} {{ html | tojson }} {{ {'a': [1, {'b': 2}]} | tojson(indent='--') }}
{{ html | e }} {{ html | escape | escape }} {{ html | forceescape }} {{ html | safe }} {{ html | striptags }} {{ ('<' | e) + '<' }} {{ ('<' | e) ~ '<' }} {{ '<' | e is escaped }} {{ {'a': 1, 'b': none, 'c': '<'} | xmlattr }}| {{ 'a b&c=/é' | urlencode }} {{ {'a b': 'c&d'} | urlencode }} {{ [['x', 1]] | urlencode }}
{{ lines | indent }} {{ lines | indent(2, true) }} {{ lines | indent(2, blank=true) }} {{ lines | indent('> ', first=true) }} {{ 'x' | center(5) }}| {{ 'ab' | center(5) }}| {{ 'a long text that goes on' | truncate(12) }} {{ 'a long text that goes on' | truncate(12, true) }} {{ 'a long text' | truncate(9, leeway=0, end='…') }} {{ 'short' | truncate(3) }} {{ lines | wordcount }} {{ 1 | filesizeformat }} {{ 1500 | filesizeformat }} {{ 1500 | filesizeformat(true) }} {{ 1234567890 | filesizeformat }} {{ 12 | filesizeformat }}
{{ '%s-%s' | format(1, 'a') }} {{ '%(x)s' | format(x=2) }} {{ -5 | abs }} {{ -5.5 | abs }} {{ d | attr('b') }}| {{ s | attr('upper') is callable }} {{ d | pprint }} {{ [3, 'a'] | pprint }} {{ {'z': 1, 'a': [none]} | pprint }} {{ 'a' | pprint }}
"""

TESTS = """
{{ 3 is odd }} {{ 3 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(4) }} {{ n is defined }} {{ x is undefined }} {{ none is none }} {{ n is none }} {{ true is boolean }} {{ 1 is boolean }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is integer }} {{ 1.0 is float }} {{ 1 is number }} {{ true is number }} {{ '1' is number }}
{{ 'a' is string }} {{ 1 is string }} {{ d is mapping }} {{ list is mapping }} {{ list is sequence }} {{ 'a' is sequence }} {{ d is sequence }} {{ n is sequence }} {{ range(2) is sequence }} {{ list is iterable }} {{ 'a' is iterable }} {{ n is iterable }} {{ missing is iterable }} {{ (list | map('abs')) is iterable }} {{ (list | map('abs')) is sequence }} {{ range is callable }} {{ n is callable }} {{ 'ab' is lower }} {{ 'aB' is lower }} {{ 'AB' is upper }} {{ '1' is upper }}
{{ n is sameas n }} {{ none is sameas none }} {{ 1 is in [1, 2] }} {{ 3 is not in [1, 2] }} {{ 1 is eq 1 }} {{ 1 is ne 2 }} {{ 2 is gt 1 }} {{ 2 is lessthan 3 }} {{ 2 is ge(2) }} {{ 2 is le 1 }} {{ 'x' is equalto 'x' }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'nope' is test }} {{ 'a' is escaped }} {{ not n is odd }} {{ n is not odd }} {{ n is odd and f is float }} {{ messages[0].content is string and messages[0].content is not mapping }} {{ x is not defined or x }} {{ tools is not none and tools | length > 0 }}
"""

METHODS = """
{{ s.upper() }} {{ s.lower() }} {{ s.title() }} {{ s.capitalize() }} {{ s.swapcase() }} {{ "it's a-b".title() }} {{ 'ß'.upper() }} {{ 'ß'.casefold() }} {{ 'ǆa'.title() }}
{{ ' a '.strip() }}| {{ ' a '.lstrip() }}| {{ ' a '.rstrip() }}| {{ 'xyaxy'.strip('xy') }} {{ '\\x1f a\\u3000'.strip() }}| {{ 'a,b,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a  b '.split() }} {{ ' a  b  c '.split(none, 1) }} {{ ' a  b  c '.rsplit(maxsplit=1) }} {{ 'a\\nb\\r\\nc'.splitlines() }} {{ 'a\\nb\\n'.splitlines(true) }} {{ ''.split(',') }} {{ ''.split() }} {{ 'a</think>b</think>c'.split('</think>')[-1].lstrip('\\n') }}
{{ s.startswith('He') }} {{ s.endswith(('x', 'ld')) }} {{ s.startswith('e', 1) }} {{ s.find('o') }} {{ s.find('zz') }} {{ s.rfind('O') }} {{ s.index('l') }} {{ s.count('l') }} {{ 'aaa'.count('') }} {{ s.replace('l', 'L', 1) }} {{ s.replace('l', '') }} {{ '-'.join(['a', 'b']) }} {{ ''.join(words) }} {{ uni.find('日') }}
{{ 'ab'.center(5) }}| {{ 'ab'.center(5, '*') }} {{ 'abc'.center(6, '*') }} {{ 'a'.ljust(3) }}| {{ 'a'.rjust(3, '.') }} {{ '7'.zfill(3) }} {{ '-7'.zfill(4) }} {{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('x') }} {{ 'prefix-a'.removeprefix('prefix-') }} {{ 'a.txt'.removesuffix('.txt') }} {{ 'a\\tb'.expandtabs(4) }}
{{ 'abc'.isalpha() }} {{ 'a1'.isalnum() }} {{ '12'.isdigit() }} {{ '½'.isnumeric() }} {{ '²'.isdigit() }} {{ '²'.isdecimal() }} {{ ''.isalpha() }} {{ ' '.isspace() }} {{ 'Ab Cd'.istitle() }} {{ 'AB'.isupper() }} {{ 'a b'.islower() }} {{ 'a_1'.isidentifier() }} {{ 'é'.isascii() }} {{ 'a\\n'.isprintable() }}
{{ list.index(2) }} {{ list.count(1) }} {{ (1, 2, 1).count(1) }} {{ list.copy() }} {{ d.copy() }} {{ f.is_integer() }} {{ dict(a=1, b=2) }} {{ dict([('a', 1)], b=3) }} {{ dict.fromkeys(['x', 'y'], 0) }} {{ dict({'a': 1}) }} {% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% for v in d.values() %}{{ v }};{% endfor %} {{ d.items() | list }} {{ d.keys() | length }} {{ 'b' in d.keys() }}
"""

TAGS = [
    "{% for x in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }};{% endfor %}",
    "{% for x in [] %}a{% else %}none{% endfor %}{% for x in list if x > 1 %}{{ x }}{{ loop.index }}{{ loop.length }}{% else %}no{% endfor %}{% for x in list if x > 9 %}a{% else %}no{% endfor %}",
    "{% for x in list %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}|{% for x in list %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for a, b in [(1, 2), (3, 4)] %}{{ a }}{{ b }}{% endfor %}{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for c in 'añ🐋' %}[{{ c }}]{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for x in missing %}a{% else %}e{% endfor %}",
    "{% for x in [{'n': 1, 'c': [{'n': 2, 'c': []}]}] recursive %}{{ x.n }}@{{ loop.depth }}({{ loop(x.c) }}){% endfor %}",
    "{% set a = 1 %}{% for x in [1, 2] %}{% set a = a + x %}{{ a }}{% endfor %}{{ a }}{% if true %}{% set a = 9 %}{% endif %}{{ a }}{% set ns = namespace(t=0) %}{% for x in list %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set t %}x{{ a }}\n{% endset %}[{{ t }}]{% set u | upper | trim %} q {% endset %}[{{ u }}]",
    "{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m(1, 2, 3, 4, z=5) }}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}",
    "{% macro m(a) %}{{ a is defined }}{{ a }}{% endmacro %}{{ m() }}{{ m(none) }}{% macro o(x) %}<{{ caller(x) }}>{% endmacro %}{% call(y) o(3) %}{{ y * 2 }}{% endcall %}{% macro p() %}[{{ caller() }}]{% endmacro %}{% call p() %}hi{% endcall %}",
    "{% macro a(x) %}{{ b(x) }}{% endmacro %}{% macro b(x) %}B{{ x }}{% endmacro %}{{ a(1) }}{% set g = 5 %}{% macro c() %}{{ g }}{% endmacro %}{{ c() }}{{ c() | upper | trim }}",
    "{% if n > 5 %}a{% elif n %}b{% else %}c{% endif %}{% if missing %}a{% elif not missing %}b{% endif %}{% if tools %}t{% else %}no{% endif %}{% if messages[0]['x'] is defined and messages[0]['x'] %}x{% endif %}",
    "{% with a=1, b=2 %}{{ a + b }}{% endwith %}{{ a }}|{% filter upper %}abc {{ s }}{% endfilter %}{% raw %}{{ x }} {% if %}{% endraw %}{# comment #}{% block x %}B{{ n }}{% endblock %}{{ self.x() }}",
    "{% generation %}gen {{ n }}{% endgeneration %}",
    "  {% if true %}\n  a\n  {% endif %}\nb\n\n", "a  {%- if true -%}  b  {%- endif -%}  c", "a\n  {%+ if true %}b{% endif +%}\nc", "{{ n }}\n{{ n }}\n", "a {{- n -}} b", "x\n   {# c #}\ny{# d -#}  \n z", "{% for x in list %}\n  {{ x }}\n{% endfor %}\nend", "\t{% set a = 1 %}\t\n{{ a }}", "a\r\nb\rc", "{%- raw -%} {{ x }} {%- endraw -%} y", "a {% raw %}\n {{ b }} \n{% endraw %}\nc",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{% set j = joiner(', ') %}{{ j() }}a{{ j() }}b",
    "{% for i in range(3) %}{{ i }}{% endfor %}{{ range(10, 0, -3) | list }}{{ range(3) | length }}{% set x = list | map('string') %}{{ x | join }}{{ x | join }}|",
    "{% for m in messages %}{{ loop.index0 }}<{{ m.role }}>{{ m['content'] }}{% if m.tool_calls is defined %}{% for t in m.tool_calls %}{{ t.function.name }}({{ t.function.arguments | tojson }}){% endfor %}{% endif %}{% endfor %}",
    "{{ strftime_now('%Y-%m-%d') }} {{ strftime_now('%a %A %b %B %c %d %e %f %H %I %j %m %M %p %S %U %w %W %x %X %y %Y [%z%Z] %G %V %u %%') }} {{ strftime_now('%C|%D|%F|%g|%h|%k|%l|%n|%P|%R|%r|%T|%t|') }} {{ strftime_now('%-d %-m %-H %-I %-j %_d %^a %^B %05d %#p') }}",
]

ERRORS = [
    "{{ missing.x }}", "{{ missing['x'] }}", "{{ missing() }}", "{{ missing + 1 }}", "{{ none.x.y }}", "{{ 1 + 'a' }}", "{{ 'a' + 1 }}", "{{ 1 < 'a' }}", "{{ 1 / 0 }}", "{{ [] | length | foo }}", "{{ 1 is foo }}", "{{ n() }}",
    "{{ list.append(1) }}", "{{ d.update({}) }}", "{{ d.pop('b') }}", "{{ s.__class__ }}", "{{ ''.__class__.__mro__ }}", "{% include 'x' %}", "{% foo %}", "{% if %}", "{{ }}", "{{ 1 +", "{% if true %}", "{% endif %}", "{{ 'a }}", "{{ (1 }}",
    "{{ raise_exception('no') }}", "{{ range(1000000) }}", "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% set d.x = 1 %}", "{{ 'a' | tojson(foo=1) }}", "{{ missing | tojson }}", "{{ range(3) | tojson }}", "{{ n | length }}", "{% for x in 5 %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}",
    "{{ '%d' % 'a' }}", "{{ '%s %s' % (1,) }}", "{{ '{}'.format() }}", "{{ '{a}'.format() }}", "{{ '{:d}'.format('a') }}", "{{ 'a'.index('b') }}", "{{ ','.join([1]) }}", "{{ 'a'.split('') }}", "{{ people | map('nope') | list }}", "{{ people | sort }}", "{{ d | dictsort(by='x') }}", "{{ 'a' | truncate(1) }}", "{{ [] | sum('x') }}", "{{ {[]: 1} }}", "{{ 1 ~ }}", "{% break %}", "{{ 'a' in 5 }}", "{{ 5 in 'a' }}", "{{ -'a' }}", "{{ f | batch(2) | list }}", "{{ list | map(attribute='x', foo=1) | list }}",
]

# As chat templates are written, and the corners of each rule.
MORE = r'''
{{ messages[0].content | replace("H", "h") }}{{ messages | length }}{{ messages[:1] }}{{ messages[1:] | map(attribute='role') | list }}
{%- for message in messages -%}{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception('x') }}{%- endif -%}{{ '[INST] ' ~ message['content'] ~ ' [/INST]' }}{%- endfor -%}
{%- set ns = namespace(found=false, last=none) -%}{%- for m in messages[::-1] -%}{%- set index = (messages|length - 1) - loop.index0 -%}{%- if m.role == "user" -%}{%- set ns.found = true -%}{%- set ns.last = index -%}{%- endif -%}{%- endfor -%}{{ ns.found }}{{ ns.last }}{{ ns }}
{% set content = messages[0].content %}{% if content is string %}{{ content }}{% elif content is iterable %}{% for i in content %}{{ i }}{% endfor %}{% endif %}
{{ messages[0].get('content', '') | trim }}{{ messages[0]['missing'] or 'x' }}{{ messages[0].missing | default('d', true) }}
{%- macro render(p, depth=0) -%}{%- if p is mapping -%}{ {%- for k, v in p.items() -%}{{ k }}:{{ render(v, depth + 1) }}{{ ", " if not loop.last }}{%- endfor -%} }{%- elif p is string -%}"{{ p }}"{%- elif p is iterable -%}[{%- for x in p -%}{{ render(x, depth+1) }},{%- endfor -%}]{%- else -%}{{ p }}{%- endif -%}{%- endmacro -%}{{ render(messages) }}
{{ messages[1].tool_calls[0].function.arguments|items|list }}
{% for name, value in messages[1].tool_calls[0].function.arguments|items %}{{ name }}={{ value }}/{{ value|tojson }};{% endfor %}
{{ "a" if tools else "b" }}{{ tools | default([]) | length }}{{ (tools or []) | length }}
{{ messages | selectattr("role", "equalto", "user") | list | length }}{{ messages | map(attribute="content") | select("string") | join("|") }}
{{ "%.2f" | format(3.14159) }}{{ "{:.2f}".format(2) }}{{ "{0:>5}|{1!r}".format(1, "x") }}
{{ 5 // 2 * 2 }}{{ 2 * 3 % 4 }}{{ 1 + 2 ~ 3 }}{{ not 1 == 2 }}{{ 1 in [1] and 2 not in [1] }}{{ -1 ** 2 }}{{ 2 - -2 }}
{{ "a\nb" | indent(2) }}|{{ "a\n\nb\n" | indent }}|{{ "" | indent }}|
{{ [1,2,3] | map('multiply', 2) | list }}
{{ range(5) | batch(2) | map('list') | list }}{{ range(5) | slice(2) | list }}{{ range(3) | map('string') | join }}
{{ x.y is defined }}
{{ messages[0].x.y is defined }}
{{ messages[0].x is defined }}{{ messages[5] is defined }}{{ messages[0]['a']['b'] | default('q') }}
{% for m in messages if m.role == 'user' %}{{ loop.length }}{{ loop.last }}{% endfor %}
{{ 'abc' | list | reverse | join }}{{ 'abc' | reverse }}{{ (1,2) | reverse | list }}
{{ true and 'x' }}{{ none or none }}{{ 0 or [] }}{{ 'a' is in 'abc' }}{{ 1 is not none }}{{ n is odd and not n is even }}
{{ ['a','b'] | join(', ') | upper | length }}{{ 'A' | lower is lower }}{{ (n + 1) is even }}{{ n + 1 is even }}
{% set x %}{% for i in range(2) %}{{ i }}{% endfor %}{% endset %}{{ x | int + 1 }}
{% set x = [] %}{% set x = x + [1] %}{{ x }}{% set d2 = dict(a=1) %}{% set d2 = dict(d2, b=2) %}{{ d2 }}
{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}{%- else %}{%- set system_message = "" %}{%- endif %}{{ system_message }}|{{ messages | length }}
{{ '' ~ none }}{{ 1.50 }}{{ 10 ** 20 }}{{ 10.0 ** 20 }}{{ 1e-5 }}{{ 0.1 * 3 }}{{ 100000000000000000000.0 }}{{ 5e-324 }}{{ 1.7976931348623157e308 }}{{ 1e308 * 10 }}{{ -(1e308 * 10) }}
{{ "é".encode is defined }}
{{ s.__len__ is defined }}{{ s | attr('__class__') }}{{ messages.__class__ is defined }}
{{ namespace(a=1).a }}{{ namespace({'b': 2}).b }}{% set q = namespace() %}{% set q.z = [1] %}{{ q.z + [2] }}{{ q.missing is defined }}
{{ loop is defined }}{% for a in [1] %}{% for b in [1,2] %}{{ loop.index }}{% set outer = loop %}{% endfor %}{{ loop.index }}{% endfor %}
{% for a in [1,2] %}{% set outer = loop %}{% for b in 'xy' %}{{ outer.index }}{{ b }}{{ loop.first }}{% endfor %}{% endfor %}
{% macro f(x) -%} {{ x }} {%- endmacro %}[{{ f(1) }}][{{ f('a') ~ f('b') }}]{{ [f(1), f(2)] }}{{ f(1) | upper }}{{ f(1) == '1' }}
{{ caller is defined }}{{ self is defined }}{{ varargs is defined }}
{{ 'x' * 3 }}{{ 3 * 'x' }}{{ [0] * 2 }}{{ 'x' * 0 }}{{ 'x' * -1 }}
{{ "it's" }}{{ ["it's", 'say "hi"'] }}{{ {'k"': "v'"} }}{{ ["\\"] }}{{ ['\u2028', '\xa0'] }}
{{ [1,2,3][-1] }}{{ [1,2,3][1:][0] }}{{ 'abc'[1] }}{{ 'abc'[-2:] }}{{ {'a': {'b': [1, 2]}}.a.b[1] }}{{ (1,2,3)[0] }}{{ [[1,2],[3]][0][1] }}
{{ "a,b;c".split(";")[0].split(",") | last }}{{ "x=1".split("=", 1)[1] }}{{ "  a b ".split(" ") }}
{{ [3,1,2] | sort | first }}{{ ['b', 'a'] | sort | last }}{{ [true, false] | sort }}{{ [1.5, 1] | sort }}{{ [[2,1],[1,2]] | sort }}
{{ 'abc' in ['abc'] }}{{ {'a':1} == {'a':1} }}{{ [1] == (1,) }}{{ 'a' != 'b' }}{{ none == false }}{{ 0 == false }}{{ '' == none }}
{{ 'Hello' | title }}{{ "o'neil mc-d" | title }}{{ 'éa' | capitalize }}{{ 'ÀB' | lower }}
{{ 1234567.891 | round(1) }}{{ 0.5 | round }}{{ 1.5 | round | int }}{{ -1.5 | round }}{{ 10 | round(2) }}{{ 2.5 | round(0, 'floor') }}{{ 15 | round(-1) }}{{ 25 | round(-1) }}
{{ 12 | string | length }}{{ true | lower }}{{ none | upper }}{{ 3 | title }}{{ [1] | upper }}
{{ ('a','b') | tojson }}{{ {'b': 1, 'a': [true, null]} | tojson }}
{{ {'b': 1, 'a': [true, none]} | tojson(sort_keys=true, indent=2) }}{{ [1,[2,[]]] | tojson(indent=0) }}{{ "</script>'" | tojson }}{{ 1.0 | tojson }}{{ 'a"b' | tojson }}
{{ strftime_now("%d %B %Y") }}{{ strftime_now("") }}{{ strftime_now("%Y年%m月") }}{{ strftime_now("100%%") }}{{ strftime_now("%E") }}
{{ strftime_now("%Ey %Od %-y %3d %_m|%10Y|%+4Y") }}
{{ strftime_now("%q") }}
{{ [1, 2] is sequence }}{{ {} is mapping }}{{ 'a' is mapping }}{{ none is sequence }}{{ 1.0 is integer }}{{ 'a' is callable }}
{% filter replace('a', 'b') | upper %}banana{% endfilter %}{% filter indent(2) %}x
y{% endfilter %}
{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a is defined }}{% with a = 5 %}{% with b = a %}{{ b }}{% endwith %}{% endwith %}
{% block a %}{% block b %}x{% endblock b %}{% endblock a %}{{ self.b() }}
{% call(a, b=2) (macro_missing)() %}{% endcall %}
{% if true %}a{% endif %}{% if false %}{% include 'zz' %}{% endif %}b
{% if false %}{{ 1 | nofilter }}{% endif %}ok
{{ 'a' | nofilter if false else 'b' }}
{{ foo is nofoo }}
{{ 1 if true else x.y.z }}{{ [1,2,3,] }}{{ (1) }}{{ {'a':1,} }}{{ [] }}
{# multi
line #}x{#- y -#} z
{{ "{{ not }}" }}{{ '{% raw %}' }}{{ "#}" }}
{%- for i in range(3) %}
{{ i }}
{%- endfor %}
{% for i in range(2) -%}
   {{ i }}
{% endfor %}
x {% if 1 %}y{% endif %} z
{{ 'a' -}}   b   {{- 'c' }}
{% for m in messages %}{{ m['role'] + '\n' }}{{- m['content'] or '' }}{{- '\n' }}{% endfor %}
{{ 3 is divisibleby 3 and 4 is divisibleby(2) }}{{ 1 is lt 2 }}{{ 'a' is ne 'b' }}{{ 5 is sameas 5.0 }}
{{ 'a' 'b' | upper }}{{ ('a' ~ 'b') | upper }}{{ 'a' ~ 'b' | upper }}{{ -3 | abs }}{{ 2 ** 3 | string }}
{{ [none, 1] | map('default', 'x') | list }}{{ [missing, 1] | map('default', 'x') | list }}{{ ['1','2'] | map('int') | sum }}
{{ people | map(attribute='home.city') | map('upper') | unique | list }}{{ people | sum(attribute='age', start=10) }}{{ people | selectattr('home.city', 'in', ['x', 'X']) | map(attribute='name') | list }}
{{ {'a': none} | tojson }}{{ d | length }}{{ d | first }}{{ d | last }}{{ d | join(',') }}{{ d.keys() | list | sort }}{{ d | list | sort(case_sensitive=true) }}
{{ 'ab' | map('upper') | list }}{{ none | list }}
{{ '1,2' | map('int') | list }}{{ 5 | list }}
{{ "a".join("bc") }}{{ "abc".replace("b", "") }}{{ "aXb".lower().upper() }}{{ "a b".title().split() }}{{ "x".isdigit() or "5".isdigit() }}
{{ uni.split(' ')[1] | length }}{{ uni | list | length }}{{ uni[::2] }}{{ uni.upper() }}{{ uni.center(30, '·') }}{{ uni | truncate(8, true, '') }}
'''.strip("\n").split("\n")
MORE += [
    "{%- for i in range(3) %}\n{{ i }}\n{%- endfor %}\n",
    "a\n{% for i in range(2) -%}\n   {{ i }}\n{% endfor %}\nend",
    "  {# c #}  \nx",
    "{% if true %}\n\n\nx\n{% endif %}\n\n",
    "\n\n{{ 1 }}\n\n",
    "{%- set x = 1 -%}\n\n y",
    "   {{ 1 }}   \n   {% set a=2 %}   \n   {{ a }}",
    "{% raw -%}  \n a {{ }} \n {%- endraw %}  b",
    "a {#+ c #} b\n  {#- d +#}\n e",
    "{% generation %}\n a\n{% endgeneration %}\nb",
    "{{ '''a''' }}",
    "{{ 'a\nb' }}",
]


def render(template):
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW

    chat_template_utils.datetime = Clock
    try:
        return chat_template_utils._cached_compile_jinja_template(template).render(**VARIABLES)
    except Exception:
        return None


def main(out):
    lines = [line for group in (PRINTING, OPERATORS, FILTERS, TESTS, METHODS) for line in group.strip().split("\n")]
    # One expression a case, so that a difference is named.
    parts = [part for line in lines for part in split(line)]
    cases = [[template.replace("\\\\", "\\"), None] for template in parts] + [[template, None] for template in TAGS + ERRORS + MORE]
    for case in cases:
        case[1] = render(case[0])
    golden = {
        "source": "transformers' own Jinja environment (chat_template_utils)",
        "version": f"transformers {transformers.__version__}, jinja2 {jinja2.__version__}",
        "script": "tools/goldens/tokenizers/templates.py",
        "now": [NOW.year, NOW.month - 1, NOW.day, NOW.hour, NOW.minute, NOW.second, NOW.microsecond // 1000],
        "variables": VARIABLES,
        "cases": cases,
    }
    path = out / "templates.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")
    refused = [template for template, text in cases if text is None]
    print(path.name, path.stat().st_size, len(cases), "of which refused", len(refused))
    for template in refused:
        if template not in ERRORS:
            print("  refused:", template)


def split(line):
    if "{%" in line:
        return [line]
    return [part + "}}" for part in line.split("}} ")[:-1]] + [line.split("}} ")[-1]]


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
