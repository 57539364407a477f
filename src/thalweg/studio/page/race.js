// Optimizers side by side: their ways down a surface, their losses, and who arrives how soon.
import * as api from "./api.js";
import { Chart, color, css, plainly } from "./charts.js";
import { contour, ends, LINED } from "./contour.js";
import { el, number, svg } from "./dom.js";
import { Work } from "./work.js";

const DECAYED = " + decay", FRAMES = 60, PAUSE = 80;
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Race extends Work {
  constructor(run) {
    const racers = el("fieldset", { className: "choices" }, el("legend", {}, "Racers"), el("span", { className: "hint" }, "Loading ..."));
    const surface = el("select", { "aria-label": "Surface" }), about = el("p", { className: "hint" });
    const steps = el("input", { type: "number", min: 1, max: 2000, step: 1, "aria-label": "Steps" });
    const field = new Chart("Ways of the racers on the surface", 420), chart = new Chart("Losses above the minimum by steps", 320);
    const slider = el("input", { type: "range", min: 0, "aria-label": "Step that is shown", oninput: () => { this.stop(); this.move(Number(slider.value)); } });
    const play = el("button", { type: "button", onclick: () => (this.timer ? this.stop() : this.play()) }, "Play"), at = el("output", {});
    const words = el("p", { className: "hint" }), body = el("tbody");
    const heads = ["Place", "Racer", "Learning rate", "Steps to the goal", "Last loss", "End"];
    super({
      run, title: "Race of optimizers", verb: "Race",
      about: "All start at one place. The goal is a loss close to the lowest one; rates suit the surface, and fall where a racer's name says decay.",
      fields: [racers, el("label", {}, "surface ", surface), el("label", {}, "steps ", steps)],
      wish: () => ({ kind: "race", racers: [...racers.querySelectorAll("input:checked")].map(({ value }) => value), surface: surface.value,
        steps: steps.value === "" ? null : Number(steps.value) }),
      fill: (asked) => this.filled(asked),
      found: (record) => this.found(record),
      inner: [el("div", { className: "bar" }, play, slider, at),
        el("div", { className: "pair" }, el("div", {}, field.place), el("div", {}, chart.place)), words,
        el("div", { className: "wide" }, el("table", {}, el("thead", {}, el("tr", {}, heads.map((one, i) => el("th", { scope: "col", className: [0, 2, 3, 4].includes(i) ? "number" : "" }, one)))), body))],
      charts: [field, chart],
    });
    Object.assign(this, { kind: "race", racers, surface, steps, about, field, chart, slider, playing: play, at, words, body });
    this.form.after(about);
    surface.addEventListener("change", () => this.chose());
    api.races().then((known) => this.offer(known)).catch((error) => this.tell(error.message, true));
  }

  offer(known) {
    this.known = { ...known.surfaces };
    if (this.run) this.known[known.own] = { about: "the run's own loss on a plane; from where its way begins, or from high up", steps: known.steps.default };
    this.surface.replaceChildren(...Object.keys(this.known).map((name) => el("option", { value: name }, name === known.own ? "this run's loss" : name)));
    this.racers.replaceChildren(this.racers.firstChild, ...known.racers.map((name) =>
      el("label", {}, el("input", { type: "checkbox", value: name, checked: !name.endsWith(DECAYED) }), ` ${name}`)));
    if (this.asked) this.filled(this.asked);
    this.chose();
    if (!this.run && known.newest.race) this.again(known.newest.race);
  }

  filled(asked) {
    this.asked = asked; // what there is to choose from may come later
    if (!this.known) return;
    for (const box of this.racers.querySelectorAll("input")) box.checked = asked.racers.includes(box.value);
    this.surface.value = asked.surface;
    this.steps.value = asked.steps ?? "";
    this.chose();
  }

  chose() {
    const { about, steps } = this.known[this.surface.value];
    this.about.textContent = about;
    this.steps.placeholder = steps;
  }

  // -- what was found --------------------------------------------------------------------------

  found(record) {
    this.stop();
    const { map, minimum, losses, goal, note } = record;
    this.record = record;
    this.low = Math.min(minimum, ends(map.losses.flat())[0]);
    this.first = losses[0][0] - minimum || 1;
    this.last = losses[0].length - 1;
    this.slider.max = this.last;
    this.slider.value = this.last;
    this.playing.hidden = still.matches;
    this.ways = record.paths.map((way, i) => (record.diverged[i] ? inside(way, map) : way));
    this.draw();
    this.rank();
    this.words.textContent = `${this.last.toLocaleString("en")} steps from a loss of ${number(losses[0][0])}; the goal is ${number(goal)}. ${note}`;
  }

  draw() {
    const { map, axes, goal, minimum, names, paths } = this.record, start = paths[0][0];
    const heights = map.losses.map((row) => row.map((one) => (one === null ? null : one - this.low)));
    const key = `${this.record.surface} ${this.last} ${map.x[0]}`; // a view that was chosen on another surface is let go
    const side = (values) => ({ range: [values[0], values.at(-1)], showgrid: false, zeroline: false });
    this.field.draw([
      contour(map.x, map.y, heights, { names: axes, paper: true }),
      ...names.map((name, i) => ({ ...this.style(i), ...this.way(i, this.last) })),
      ...names.map((name, i) => ({ ...this.style(i), mode: "markers", ...this.head(i, this.last) })),
      mark("start", start, "cross", 11), mark("lowest", lowest(map), "star", 14),
    ], { x: axes[0], y: axes[1], hover: "closest", over: { uirevision: key, showlegend: false, xaxis: side(map.x), yaxis: side(map.y) } });
    this.chart.draw([
      ...names.map((name, i) => ({ ...this.style(i), ...this.curve(i, this.last) })),
      { type: "scatter", mode: "lines", name: "goal", x: [0, this.last], y: [1, 1].map(() => Math.max(goal - minimum, 1e-300)), hoverinfo: "skip",
        line: { color: color(7), width: 1, dash: "dot" } },
    ], { x: "step", y: "loss above the minimum", log: true, hover: "closest", over: { uirevision: key, showlegend: false,
      xaxis: { range: [0, this.last] }, yaxis: { range: [Math.log10(1e-8 * this.first), Math.log10(4 * this.first)] } } });
    this.at.textContent = `step ${this.last.toLocaleString("en")}`;
  }

  style(i) {
    const kinds = [...new Set(this.record.names.map((one) => one.replace(DECAYED, "")))], name = this.record.names[i];
    const own = [css("--ink"), ...[1, 0, 2, 3].map(color)][kinds.indexOf(name.replace(DECAYED, ""))];
    return {
      type: "scatter", mode: "lines", name: plainly(name), line: { color: own, width: 2, dash: name.endsWith(DECAYED) ? "dash" : "solid" },
      marker: { color: own, size: 9, line: { color: "#ffffff", width: 1 } }, hovertemplate: "%{x:.3g}, %{y:.3g}",
    };
  }

  way(i, step) {
    const some = this.ways[i].slice(0, step + 1);
    return { x: some.map(([x]) => x), y: some.map(([, y]) => y) };
  }

  head(i, step) {
    const [x, y] = this.ways[i][Math.min(step, this.ways[i].length - 1)];
    return { x: [x], y: [y] };
  }

  curve(i, step) {
    const some = this.record.losses[i].slice(0, step + 1);
    return { x: some.map((_, at) => at), y: some.map((one) => (one === null ? null : Math.max(one - this.record.minimum, 1e-9 * this.first))) };
  }

  rank() {
    const { ranking, names, rates, arrived, losses, diverged } = this.record;
    this.body.replaceChildren(...ranking.map((i, place) => el("tr", {},
      el("td", { className: "number" }, String(place + 1)), el("th", { scope: "row" }, this.swatch(i), ` ${names[i]}`),
      [number(rates[i]), arrived[i] === null ? "–" : arrived[i].toLocaleString("en"), number(losses[i].at(-1))].map((text) => el("td", { className: "number" }, text)),
      el("td", {}, diverged[i] ? "diverged" : arrived[i] === null ? "did not arrive" : "arrived"))));
  }

  swatch(i) {
    const { line } = this.style(i);
    return svg("svg", { viewBox: "0 0 28 10", class: "swatch", "aria-hidden": "true" },
      svg("line", { x1: 0, y1: 5, x2: 28, y2: 5, stroke: line.color, "stroke-width": 3, "stroke-dasharray": line.dash === "dash" ? "6 4" : "none" }));
  }

  // -- as it went ------------------------------------------------------------------------------

  move(step) {
    const count = this.record.names.length, each = [...Array(count).keys()];
    this.slider.value = step;
    this.at.textContent = `step ${step.toLocaleString("en")}`;
    moved(this.field.place, [...each.map((i) => this.way(i, step)), ...each.map((i) => this.head(i, step))], [...Array(2 * count).keys()].map((i) => i + 1));
    moved(this.chart.place, each.map((i) => this.curve(i, step)), each);
  }

  // Early steps are the more telling ones: they get more of the frames.
  play() {
    const times = [...new Set(Array.from({ length: FRAMES }, (_, i) => Math.round(this.last * (i / (FRAMES - 1)) ** 2)))];
    this.playing.textContent = "Pause";
    const next = () => {
      this.move(times.shift());
      this.timer = times.length ? setTimeout(next, PAUSE) : null;
      if (!this.timer) this.stop();
    };
    next();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.playing.textContent = "Play";
  }

  gone() {
    this.stop();
    super.gone();
  }
}

// Traces that change, without drawing the others again.
function moved(place, data, traces) {
  const now = { duration: 0 };
  Plotly.animate(place, { data, traces }, { mode: "immediate", transition: now, frame: { ...now, redraw: false } }).catch(() => {});
}

const mark = (name, [x, y], symbol, size) => ({ type: "scatter", mode: "markers", name, x: [x], y: [y], marker: { ...LINED, symbol, size }, cliponaxis: false, hovertemplate: "%{x:.3g}, %{y:.3g}" });

// A way until it leaves the map: what jumps to and fro beyond it would hide the others.
function inside(way, { x, y }) {
  const out = way.findIndex(([one, other]) => one === null || other === null || one < x[0] || one > x.at(-1) || other < y[0] || other > y.at(-1));
  return out < 0 ? way : way.slice(0, Math.max(out, 1));
}

function lowest({ x, y, losses }) {
  const low = ends(losses.flat())[0], i = losses.findIndex((row) => row.includes(low));
  return [x[losses[i].indexOf(low)], y[i]];
}
