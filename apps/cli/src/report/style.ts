/** How a report looks, in light and in dark. */
export const style = /* css */ `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f6f8; --ink: #1b1f27; --quiet: #545b69; --line: #d5d9e0;
  --accent: #1f5fc4; --good: 47 158 99;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #16181d; --raised: #1f2229; --ink: #e8eaf0; --quiet: #a5adbb; --line: #383d48;
    --accent: #86b3ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 75rem;
  background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif;
}
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0 0 .25rem; font-size: 1.2rem; }
section > h3, [data-score] > h3 { margin: 1rem 0 .4rem; font-size: 1rem; font-weight: 600; }
h3 span { color: var(--quiet); font-weight: 400; }
header p, section > p { margin: .25rem 0 1rem; color: var(--quiet); max-width: 65ch; }
section { margin-top: 2.5rem; min-width: 0; }
@media (min-width: 60rem) {
  .side-by-side { display: grid; grid-template-columns: 28rem minmax(0, 1fr); column-gap: 2.5rem; }
  /* The lower of both stays in sight beside the other. */
  .side-by-side > * { position: sticky; top: 0; align-self: start; }
}
dl { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1rem 0 0; }
dt { color: var(--quiet); font-size: .85rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.text {
  margin: 1.25rem 0 0; padding: .75rem 1rem; border-left: 3px solid var(--line);
  background: var(--raised); white-space: pre-wrap; overflow-wrap: anywhere;
}
.text-title { margin: 1.25rem 0 .25rem; font-size: .85rem; }
.text-title + .text { margin-top: 0; }
.picture { display: block; max-width: 100%; max-height: 16rem; min-height: 6rem; object-fit: contain; image-rendering: auto; border-radius: .25rem; }
.figure { overflow-x: auto; padding: .75rem; background: var(--raised); border-radius: .5rem; }
.figure svg { display: block; overflow: visible; }
#chosen { min-width: 100%; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; margin-bottom: .75rem; }
.controls label { display: inline-flex; align-items: center; gap: .4rem; }
#heads { display: inline-flex; flex-wrap: wrap; gap: .25rem; }
#heads button {
  min-width: 2rem; min-height: 2rem; padding: 0 .4rem; font: inherit; color: inherit;
  background: none; border: 2px solid var(--colour); border-radius: .35rem; cursor: pointer;
}
#heads button[aria-pressed="true"] { background: var(--colour); color: #ffffff; font-weight: 600; text-shadow: 0 0 3px #000000; }
select {
  font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--quiet); border-radius: .35rem; padding: .25rem .5rem;
}
[role="button"] { cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[data-side] { transition: opacity .12s; }
[data-side]:hover text, [data-side]:focus text { font-weight: bold; }
.faded { opacity: .35; }
.chosen > rect:first-of-type { stroke: var(--accent); stroke-width: 3; }
.table { overflow-x: auto; max-height: 32rem; overflow-y: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .75rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { position: sticky; top: 0; background: var(--raised); border-top: 0; font-weight: 600; }
.word { text-align: left; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
tbody th { font-weight: 400; }
.best td, .best th { font-weight: 600; }
.reason { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 16rem; color: var(--quiet); }
.chart { width: 100%; max-width: 34rem; height: auto; font-size: 12px; fill: var(--quiet); }
.chart.wide { min-width: 36rem; max-width: 60rem; }
.chart .grid { stroke: var(--line); stroke-width: 1; }
.chart .quiet { stroke: var(--quiet); fill: var(--quiet); }
.chart polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.chart polyline.quiet { fill: none; stroke-width: 1; opacity: .6; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .75rem 0 0; padding: 0; list-style: none; font-size: .85rem; }
.legend li { display: inline-flex; align-items: baseline; gap: .4rem; overflow-wrap: anywhere; }
.legend svg { flex: none; width: 1rem; height: .7rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem; }
.charts h3 { margin: 0 0 .5rem; font-size: 1rem; font-weight: 600; overflow-wrap: anywhere; }
meter { width: 6rem; vertical-align: middle; }
.share { display: inline-block; min-width: 4.5rem; }
footer { margin-top: 3rem; color: var(--quiet); font-size: .85rem; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`;
