"""The style sheet of the page: system fonts, light, wide tables that scroll."""

STYLE = """
:root {
  --ink: #1f2937; --soft: #5b6676; --line: #e1e6ed; --ground: #f5f7fa;
  --good: #00704f; --good-ground: #e5f4ee; --bad: #a63d00; --bad-ground: #fceee4;
  color-scheme: light;
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial,
    sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 19px; line-height: 1.3; margin: 0 0 6px; }
h3 { font-size: 15px; margin: 20px 0 0; }
figcaption h3 { margin: 0; }
p { margin: 0 0 12px; max-width: 78ch; }
.lead, .note, figcaption p { color: var(--soft); }
.note { font-size: 13.5px; }
section, .verdict {
  background: #fff; border: 1px solid var(--line); border-radius: 10px;
  padding: 22px 24px; margin-top: 18px;
}
.verdict { border-left: 8px solid; }
.verdict.pass { border-left-color: var(--good); }
.verdict.fail { border-left-color: var(--bad); }
.verdict .word {
  display: inline-block; font-weight: 700; font-size: 15px; letter-spacing: 0.06em;
  padding: 3px 14px; border-radius: 999px; margin-bottom: 8px;
}
.pass .word { color: var(--good); background: var(--good-ground); }
.fail .word { color: var(--bad); background: var(--bad-ground); }
.verdict p.sentence { font-size: 17px; margin-bottom: 14px; }
.cards {
  display: grid; gap: 12px; margin-top: 18px;
  grid-template-columns: repeat(auto-fit, minmax(170px, 1fr));
}
.card {
  background: #fff; border: 1px solid var(--line); border-radius: 10px;
  padding: 14px 16px;
}
.card .title { font-size: 13px; color: var(--soft); }
.card .value {
  font-size: 25px; font-weight: 650; line-height: 1.3;
  font-variant-numeric: tabular-nums;
}
.card .null { font-size: 13px; color: var(--soft); }
/* a shadow at an edge says that there is more behind it */
.scroll {
  overflow-x: auto; margin: 10px 0 4px;
  background:
    linear-gradient(to right, #fff 24px, transparent) left / 48px 100% no-repeat local,
    linear-gradient(to left, #fff 24px, transparent) right / 48px 100% no-repeat local,
    linear-gradient(to right, #1f293733, transparent) left / 12px 100% no-repeat scroll,
    linear-gradient(to left, #1f293733, transparent) right / 12px 100% no-repeat scroll;
}
.scroll:has(> .long) { max-height: 640px; overflow-y: auto; }
.long thead th { position: sticky; top: 0; background: #fff; }
nav { font-size: 13.5px; line-height: 1.9; }
nav a { color: #0b5c94; margin-right: 14px; white-space: nowrap; }
section, .verdict { scroll-margin-top: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th, td { padding: 6px 8px; text-align: right; white-space: nowrap; }
td { font-variant-numeric: tabular-nums; }
thead th {
  color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line);
  vertical-align: bottom; white-space: normal;
}
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody tr:hover { background: #f8fafc; }
table.totalled tbody tr:last-child > * {
  border-top: 2px solid var(--line); font-weight: 600;
}
th[scope="row"] { font-weight: 600; }
th:first-child { text-align: left; padding-left: 0; }
td:last-child, thead th:last-child { padding-right: 0; }
td small { color: var(--soft); font-weight: 400; }
.stacked td small { display: block; }
td.good { color: var(--good); font-weight: 600; }
td.bad { color: var(--bad); font-weight: 600; }
.criteria th[scope="row"], .criteria td:last-child { white-space: normal; }
.criteria td:last-child, .criteria thead th:last-child { text-align: left; }
.facts th { white-space: nowrap; }
.facts tbody > tr > * { vertical-align: top; }
.facts td, .facts thead th { text-align: left; white-space: normal; }
figure { margin: 18px 0 0; }
figure .plotly-graph-div { width: 100%; }
figure.roomy { overflow-x: auto; }
figure.roomy figcaption { position: sticky; left: 0; }
dl { margin: 0; columns: 2 380px; column-gap: 40px; font-size: 14px; }
dl div { break-inside: avoid; padding-bottom: 10px; }
dt { font-weight: 600; }
dd { margin: 2px 0 0; max-width: 78ch; color: #39434f; }
@media (max-width: 700px) {
  main { padding: 16px 10px 40px; }
  section, .verdict { padding: 16px 14px; }
  figure.roomy .plotly-graph-div { min-width: 640px; }
  .numbers td small { display: block; }
  .numbers th:first-child { position: sticky; left: 0; background: #fff; z-index: 1; }
}
@media print {
  .scroll:has(> .long) { max-height: none; }
  nav { display: none; }
  body { background: #fff; }
  section, .verdict, .card { break-inside: avoid; }
}
"""
