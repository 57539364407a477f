"""How a page looks: by day and by night, on a phone and on paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #20262d; --paper: #ffffff; --soft: #f3f5f7; --line: #d4d8de; --quiet: #58616b;
  --blue: #0072b2; --orange: #d55e00; --green: #008060; --grey: #7d848c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --paper: #15181c; --soft: #20252b; --line: #3a424b;
  --quiet: #a4adb7; --blue: #56b4e9; --orange: #f0a35e; --green: #3ecf9f; --grey: #99a2ac; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue",
  Arial, "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
header, nav, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.1rem; }
header { padding-top: 1.6rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .5rem; padding-top: .7rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.7rem 0 .3rem; }
p { margin: .5rem 0; max-width: 46rem; }
.quiet, .caption, footer, figcaption { color: var(--quiet); font-size: .9rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: .8rem 0 0; }
nav li { margin: 0; }
a { color: var(--blue); }
.told { border-left: .3rem solid var(--blue); background: var(--soft); padding: .7rem 1rem; margin: 1rem 0; max-width: 46rem; }
.told strong { font-size: 1.1rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.2rem; margin: 1rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
.scrolls { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
.caption { margin: 1rem 0 .3rem; break-after: avoid; }
th, td { padding: .28rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap;
  vertical-align: top; }
th { font-weight: 600; }
.w { text-align: left; white-space: normal; min-width: 4rem; max-width: 22rem; }
thead th { border-bottom: 2px solid var(--line); vertical-align: bottom; white-space: normal; }
.matrix th, .matrix td { padding: .28rem .5rem; min-width: 2.4rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
figure { margin: .8rem 0; flex: 1 1 21rem; max-width: 30rem; min-width: 0; }
figure svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit !important; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.4rem, 1fr)); gap: 1rem; list-style: none; padding: 0; }
.cards img { display: block; height: 6rem; max-width: 100%; object-fit: contain; image-rendering: pixelated; background: #000;
  margin-bottom: .3rem; }
.cards span { display: block; font-size: .88rem; line-height: 1.35; }
.cards span:last-child { color: var(--quiet); font-size: .82rem; }
li { margin: .45rem 0; max-width: 46rem; }
pre, code { font: .88rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { background: var(--soft); padding: .6rem .9rem; overflow-x: auto; margin: .5rem 0; white-space: pre-wrap; }
details pre { white-space: pre; }
summary { cursor: pointer; color: var(--blue); margin: .8rem 0 .2rem; }
footer { margin-top: 3rem; padding-bottom: 2rem; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  .matrix th, .matrix td { padding: .2rem .3rem; min-width: 1.9rem; } .cards { grid-template-columns: repeat(auto-fill, minmax(6.4rem, 1fr)); } }
@media print { :root { color-scheme: light; --ink: #000; --paper: #fff; --soft: #f3f5f7; --line: #bbb; --quiet: #444;
  --blue: #0072b2; --orange: #d55e00; --green: #008060; --grey: #7d848c; }
  footer { margin-top: 0; padding: 0; break-before: avoid; } body { font-size: 10.5pt; } nav { display: none; } header, main, footer { max-width: none; padding: 0; }
  h2, h3 { break-after: avoid; } figure, tr, .told, .cards li { break-inside: avoid; }
  .scrolls { overflow: visible; } th, td { white-space: normal; padding: .2rem .4rem; } table { font-size: 8.5pt; }
  pre { white-space: pre-wrap; } td, .told, .cards img { print-color-adjust: exact; } }
"""
"""The page's CSS."""
