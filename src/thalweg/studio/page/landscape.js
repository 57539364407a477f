// The landscape: a run's loss around its way, the curvature along it, and optimizers that race down a surface.
import * as api from "./api.js";
import { Chart, color } from "./charts.js";
import { contour, LINED } from "./contour.js";
import { el, number, say, show } from "./dom.js";
import { Race } from "./race.js";
import { Work } from "./work.js";

const MARKS = { minimum: ["triangle-down", 2], saddle: ["x", 1], maximum: ["triangle-up", 3], flat: ["square", 7], "not critical": ["circle", 0] };
const ORANGE = "#d55e00"; // in both themes, as the colours below it are the same
const PLANES = { auto: "the way, where it is kept", filter: "two random directions", eigen: "the two steepest curvatures", trajectory: "the way" };

export function landscapePage(run) {
  const status = el("span", { className: "status", hidden: true });
  const parts = run ? [new Surface(run), new Curvature(run), new Race(run)] : [new Race(null)];
  const place = el("div", {}, parts.map((one) => one.place));
  show(
    el("p", {}, el("a", { href: "#" }, "All runs"), run ? [" · ", el("a", { href: `#run=${encodeURIComponent(run)}` }, "The run")] : null),
    el("div", { className: "title" }, el("h2", {}, run ? `The landscape of ${run}` : "Races of optimizers"), status),
    el("p", { className: "hint" }, run
      ? "Computed when you ask, beside the training, with which it shares the processor; on up to 1,000 of the rows that the net learns from."
      : "Optimizers side by side on a surface of two numbers."), place);
  if (run) {
    api.curves(run).then(({ now }) => {
      status.hidden = !now.status;
      status.textContent = now.status || "";
      status.className = `status ${(now.status || "").replace(" ", "-")}`;
      say("connected");
      return api.ask(api.workOf(run));
    }).then((newest) => {
      for (const one of parts) if (newest[one.kind]) one.again(newest[one.kind]);
    }).catch((error) => {
      say(error.message, "wrong");
      place.replaceChildren(el("p", { className: "empty" }, `${error.message} `, el("a", { href: "#" }, "All runs")));
    });
  } else say("");
  return () => { for (const one of parts) one.gone(); };
}

const select = (label, options, chosen) => {
  const made = el("select", { "aria-label": label }, Object.entries(options).map(([value, text]) => el("option", { value }, text)));
  made.value = chosen;
  return made;
};

// The loss on a plane, with the way on it.
class Surface extends Work {
  constructor(run) {
    const plane = select("Plane", PLANES, "auto");
    const size = select("Size", { 11: "11 x 11 nets", 21: "21 x 21 nets", 31: "31 x 31 nets", 51: "51 x 51 nets" }, "21");
    const span = el("input", { type: "number", min: 0.01, max: 100, step: "any", value: 1, required: true });
    const chart = new Chart("The loss on the plane: darker is lower", 480), words = el("p", { className: "hint" });
    super({
      run, title: "Loss surface", verb: "Draw the surface",
      about: "The loss of many nets whose weights lie on a plane. Heights are in equal ratios; holes are losses that are no finite number.",
      fields: [el("label", {}, "plane of ", plane), size, el("label", {}, "span ", span)],
      wish: () => ({ kind: "surface", directions: plane.value, size: Number(size.value), span: Number(span.value) }),
      fill: (asked) => { plane.value = asked.directions; size.value = asked.size; span.value = asked.span; },
      found: (record) => { surface(chart, record); words.textContent = said(record); },
      inner: [chart.place, words],
      charts: [chart],
    });
    this.kind = "surface";
  }
}

function surface(chart, record) {
  const { alphas, betas, losses, errors, path, steps, minimum } = record;
  const wrong = (i, j) => (errors?.[i]?.[j] === null || !errors ? "" : `, ${(100 * errors[i][j]).toFixed(1)} % of rows wrong`);
  const traces = [contour(alphas, betas, losses, { names: ["alpha", "beta"], more: wrong, bar: true })];
  const way = (more) => ({ type: "scatter", x: path.map(([x]) => x), y: path.map(([, y]) => y), ...more });
  if (record.shows_path) {
    traces.push(
      way({ mode: "lines", line: { color: "#ffffff", width: 4.5 }, hoverinfo: "skip", showlegend: false }),
      way({ mode: "lines+markers", name: "the way", line: { color: ORANGE, width: 2 }, marker: { color: ORANGE, size: 5 }, customdata: steps,
        hovertemplate: "after %{customdata:,} steps<extra>the way</extra>" }),
      point("its begin", path[0], { symbol: "circle", color: "#ffffff", size: 11, line: { color: ORANGE, width: 2.5 } }),
      point("its end", path.at(-1), { symbol: "circle", color: ORANGE, size: 11, line: { color: "#ffffff", width: 1.5 } }));
  }
  if (record.directions !== "trajectory") traces.push(point("the net", [0, 0], { ...LINED, symbol: "cross", size: 11 }));
  traces.push(point("lowest", minimum, { ...LINED, symbol: "star", size: 14 }));
  chart.draw(traces, { x: "alpha", y: "beta", hover: "closest", over: { uirevision: `${alphas[0]} ${betas[0]}`, xaxis: ends(alphas), yaxis: ends(betas) } });
}

const ends = (side) => ({ range: [side[0], side.at(-1)], showgrid: false, zeroline: false });
const point = (name, [x, y], marker) => ({ type: "scatter", mode: "markers", name, x: [x], y: [y], marker, cliponaxis: false, hovertemplate: "%{x:.3g}, %{y:.3g}" });

function said({ loss, minimum: [alpha, beta, least], at_edge: edge, explained, shows_path: shown, rows, directions, note }) {
  return [
    `Loss ${number(loss)} at ${directions === "trajectory" ? "the end of the way" : "the net"}, ${number(least)} at the lowest of these places (${number(alpha)}, ${number(beta)})${
      edge ? ", at the edge: a larger span may show lower ones" : ""}; means of ${rows.toLocaleString("en")} rows.`,
    explained === null ? "" : `The plane holds ${(100 * explained).toFixed(1)} % of the way's squared distances${
      shown ? "." : ": too little to be drawn; the plane of the way shows it."}`,
    note,
  ].filter(Boolean).join(" ");
}

// What kind of places the net has passed.
class Curvature extends Work {
  constructor(run) {
    const places = select("Places", Object.fromEntries([1, 2, 3, 4, 6, 8].map((one) => [one, `${one} place${one > 1 ? "s" : ""}`])), "4");
    const charts = ["Loss", "Length of the gradient", "Lowest curvature", "Highest curvature"].map((one) => new Chart(`${one} by steps, marked by the kind of place`, 250));
    const body = el("tbody"), words = el("p", { className: "hint" });
    const heads = ["Step", "Kind of place", "Loss", "Gradient", "Lowest curvature", "Highest curvature", "Negative"];
    super({
      run, title: "Curvature along the way", verb: "Measure the curvature",
      about: "The lowest and the highest eigenvalue of the Hessian at places that the net has passed, the length of the gradient, and the kind of place.",
      fields: [places],
      wish: () => ({ kind: "curvature", places: Number(places.value) }),
      fill: (asked) => { places.value = asked.places; },
      found: (record) => { curvature(charts, record); table(body, record); words.textContent = `On ${record.rows.toLocaleString("en")} rows. ${record.note}`; },
      inner: [el("div", { className: "pair" }, charts.map((one) => one.place)), words,
        el("div", { className: "wide" }, el("table", {}, el("thead", {}, el("tr", {}, heads.map((one, i) => el("th", { scope: "col", className: i > 1 ? "number" : "" }, one)))), body))],
      charts,
    });
    this.kind = "curvature";
  }
}

function curvature([loss, slope, lowest, highest], { steps, points }) {
  const draw = (chart, name, values, errors, log) => {
    const kinds = [...new Set(points.map(({ kind }) => kind))];
    const curve = { type: "scatter", mode: "lines", x: steps, y: values, line: { color: color(7), width: 1.2 }, showlegend: false, hoverinfo: "skip" };
    if (errors) curve.error_y = { type: "data", array: errors, color: color(7), thickness: 1 };
    const marks = kinds.map((kind) => {
      const here = points.map((one, i) => i).filter((i) => points[i].kind === kind), [symbol, i] = MARKS[kind] || ["circle", 0];
      return { type: "scatter", mode: "markers", name: kind, x: here.map((at) => steps[at]), y: here.map((at) => values[at]),
        marker: { symbol, color: color(i), size: 10 }, hovertemplate: "after %{x:,} steps: %{y:.4g}" };
    });
    chart.draw([curve, ...marks], { x: "step", y: name, log, hover: "closest", over: { showlegend: chart === loss } });
  };
  const above = (values) => values.every((one) => one > 0);
  const losses = points.map((one) => one.loss), slopes = points.map((one) => one.gradient_norm);
  draw(loss, "loss", losses, null, above(losses));
  draw(slope, "length of the gradient", slopes, null, above(slopes));
  for (const [chart, name] of [[lowest, "lowest"], [highest, "highest"]]) {
    draw(chart, `${name} curvature`, points.map((one) => one[name].value), points.map((one) => one[name].error), false);
  }
}

function table(body, { steps, points }) {
  const curved = ({ value, error }) => `${number(value)} ± ${number(error)}`;
  body.replaceChildren(...points.map((one, i) => el("tr", {},
    el("th", { scope: "row" }, steps[i].toLocaleString("en")), el("td", {}, one.kind),
    [number(one.loss), number(one.gradient_norm), curved(one.lowest), curved(one.highest), `${(100 * one.index.value).toFixed(1)} %`]
      .map((text) => el("td", { className: "number" }, text)))));
}
