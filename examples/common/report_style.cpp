// Colours are those of Okabe and Ito (2008), darkened on white and lightened on black until text in them has a contrast
// of 4.5 : 1. Paper is light, whatever the screen is.
#include "report_style.h"

namespace tandem::examples {

std::string report_style() {
  return R"(:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2126; --soft: #59636e; --line: #d8dde3; --grid: #e9ecef; --wash: #f5f6f8;
  --c0: #0067a3; --c1: #b84a00; --c2: #007556; --c3: #a03d78; --c4: #5a4300; --c5: #2f6fd0; --c6: #1c2126; --c7: #6b7480;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e4e7ea; --soft: #9ba5af; --line: #363c43; --grid: #23282d; --wash: #1c2024;
    --c0: #56b4e9; --c1: #ff8f50; --c2: #2fc79b; --c3: #e79cc8; --c4: #f2df74; --c5: #9db8ff; --c6: #e4e7ea; --c7: #9ba5af;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 3.5rem 0 .25rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2.25rem 0 .5rem; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--c0); }
.lead, .note { color: var(--soft); }
.note { font-size: .875rem; }
.findings { margin: 1rem 0; padding: .25rem 0 .25rem 1rem; border-left: 3px solid var(--line); }
code, pre { font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
code { overflow-wrap: anywhere; }
pre { margin: 0; padding: .75rem 1rem; background: var(--wash); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 1rem 0; }
.scroll:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; min-width: 100%; }
caption { text-align: left; color: var(--soft); padding: 0 0 .5rem; }
th, td { padding: .3rem .75rem; text-align: right; white-space: nowrap; font-weight: 400; }
thead th { color: var(--soft); border-bottom: 1px solid var(--ink); vertical-align: bottom; }
thead td { border-bottom: 1px solid var(--ink); }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
td.text, th.text { text-align: left; }
tbody { border-bottom: 1px solid var(--line); }
tbody th[scope=rowgroup] { padding: .7rem 0 .3rem; font-weight: 600; white-space: normal; }
caption div, tbody th[scope=rowgroup] div { position: sticky; left: 0; width: max-content; max-width: min(920px, calc(100vw - 2rem)); }
tbody th[scope=row] { position: sticky; left: 0; background: var(--paper); }
tbody tr:last-child > * { padding-bottom: .6rem; }
tr.strong > * { font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 1.75rem 2.5rem; margin: 1rem 0; align-items: end; }
figure { margin: 0; break-inside: avoid; }
.plot { max-width: 560px; }
figcaption { font-size: .875rem; color: var(--soft); }
figcaption b { color: var(--ink); font-size: .9375rem; }
.legend { list-style: none; margin: .25rem 0 .35rem; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .8125rem; }
.legend li { display: flex; align-items: center; gap: .4rem; }
.legend svg, .key svg { width: 28px; height: 12px; flex: none; }
.key { display: inline-flex; vertical-align: top; align-items: center; gap: .5rem; }
.plot > svg { display: block; width: 100%; height: auto; }
svg text { font: 11.5px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .rule { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 2; }
svg .curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
svg .band { fill: var(--c); opacity: .16; }
svg .bar { stroke: var(--c); stroke-width: 1.25; fill: none; }
svg .mark { fill: var(--c); stroke: var(--paper); stroke-width: 1; }
svg .open { fill: none; stroke: var(--c); stroke-width: 1.5; }
svg .leader { stroke: var(--c); stroke-width: .75; opacity: .6; }
svg text.label { fill: var(--c); }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); }
.s4 { --c: var(--c4); } .s5 { --c: var(--c5); } .s6 { --c: var(--c6); } .s7 { --c: var(--c7); }
.d1 { stroke-dasharray: 7 3; } .d2 { stroke-dasharray: 2 2.5; } .d3 { stroke-dasharray: 9 3 2 3; }
.d4 { stroke-dasharray: 4 2; } .d5 { stroke-dasharray: 12 4; } .d6 { stroke-dasharray: 1 3; } .d7 { stroke-dasharray: 6 2 1 2 1 2; }
.pictures { margin: 1.25rem 0 2rem; }
.picture { display: grid; grid-template-columns: 9rem 1fr; gap: .75rem; align-items: center; margin: .6rem 0; font-size: .8125rem; }
.picture img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: 2px; }
.pictures figcaption { margin-bottom: .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; font-size: .875rem; margin: .75rem 0; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
@media (max-width: 560px) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.4rem; }
  th, td { padding: .3rem .55rem; }
  .picture { grid-template-columns: 1fr; gap: .1rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
}
@media print {
  @page { margin: 16mm; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h2, h3, caption, figcaption { break-after: avoid; }
  .scroll { overflow: visible; }
  tbody th[scope=row] { position: static; }
  table { font-size: 8.5pt; }
  th, td { padding: .2rem .45rem; }
  .plots { grid-template-columns: 1fr 1fr; }
  .picture, tr { break-inside: avoid; }
  thead, caption, tbody th[scope=rowgroup], p:has(+ .plots) { break-after: avoid; }
  svg .band, .picture img { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)";
}

}  // namespace tandem::examples
