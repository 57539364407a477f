// What a study has found out: which hyperparameters mattered, and how rounds of trials were thinned out.
import { color, css } from "./charts.js";
import { el, number, svg } from "./dom.js";

const WIDE = 240, HIGH = 14;

// A bar a hyperparameter, with its interval; grey where it does not rise above the noise.
export function importance({ objective, trials, parameters, warnings }) {
  const rows = parameters.map((one) => el("tr", {},
    el("th", { scope: "row" }, one.name), el("td", {}, bar(one)),
    el("td", { className: "number" }, `${one.importance.toFixed(2)} (${one.low.toFixed(2)} to ${one.high.toFixed(2)})`),
    el("td", { className: "hint" }, [one.clear ? "" : "within the noise", one.conditional ? `among the ${one.trials} trials that had it` : ""].filter(Boolean).join("; "))));
  return [
    el("p", { className: "hint" }, `Share of the variance of ${objective} that each hyperparameter explains on its own, with a 90 % interval, by ${trials} trials.`),
    rows.length ? el("div", { className: "wide" }, el("table", {}, el("tbody", {}, rows))) : null,
    ...warnings.map((text) => el("p", { className: "hint" }, text)),
  ].filter(Boolean);
}

function bar({ importance: share, low, high, clear }) {
  const x = (value) => (WIDE - 4) * Math.min(1, value) + 2;
  return svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, width: WIDE, height: HIGH, role: "img", "aria-label": `${share.toFixed(2)} of 1` },
    svg("rect", { x: 2, y: 2, width: x(share) - 2, height: HIGH - 4, fill: clear ? color(0) : css("--line") }),
    svg("path", { d: `M${x(low)} 7H${x(high)}M${x(low)} 3v8M${x(high)} 3v8`, stroke: css("--ink"), "stroke-width": 1.5 }));
}

// Hyperband's plan as it comes true: a row a bracket, a column a round; the best of a round go on in the next.
export function brackets(trials, sign) {
  const cells = new Map(), rounds = new Set(), rows = new Set();
  for (const one of trials) {
    if (!one.slot) continue;
    const [iteration, bracket, round] = one.slot, row = `${iteration} ${bracket}`;
    rows.add(row);
    rounds.add(round);
    const key = `${row} ${round}`;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(one);
  }
  if (!rows.size) return [];
  const columns = [...rounds].sort((a, b) => a - b), several = [...rows].some((row) => !row.startsWith("0 "));
  const head = el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Bracket"), columns.map((round) => el("th", { scope: "col" }, `Round ${round + 1}`))));
  const body = [...rows].sort((a, b) => order(a) - order(b)).map((row) => {
    const [iteration, bracket] = row.split(" ").map(Number);
    return el("tr", {}, el("th", { scope: "row" }, bracket + (several ? `, time ${iteration + 1}` : "")), columns.map((round) => el("td", {}, cell(cells.get(`${row} ${round}`), sign))));
  });
  return [el("section", { "aria-label": "Brackets" }, el("h3", {}, "Brackets"),
    el("p", { className: "hint" }, "A bracket begins with many short trials or few long ones; of each round the best go on, exactly where they stopped."),
    el("div", { className: "wide" }, el("table", {}, head, el("tbody", {}, body))))];
}

const order = (row) => { const [iteration, bracket] = row.split(" ").map(Number); return 1000 * iteration - bracket; };

function cell(trials, sign) {
  if (!trials) return "";
  const scores = trials.filter((one) => one.scores).map((one) => one.scores[0]), running = trials.filter((one) => one.status === "running").length;
  const best = scores.length ? (sign > 0 ? Math.min(...scores) : Math.max(...scores)) : null;
  const until = Math.max(...trials.map((one) => one.first + one.epochs));
  return [el("strong", {}, `${trials.length} trials`), running ? `, ${running} running` : `, to epoch ${until}`, best === null ? "" : `, best ${number(best)}`];
}
