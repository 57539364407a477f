// Trials on the axes of their hyperparameters: as lines through all of them, and against the score one by one.
import { color, css } from "./charts.js";
import { el, number, svg } from "./dom.js";

const HIGH = 260, TOP = 34, APART = 150, LEFT = 70, BELOW = 30, MOST = 400; // sizes; lines that are drawn at most, the best ones

export class Parallel {
  constructor(open, changed) {
    Object.assign(this, { open, changed, ranges: new Map(), order: [], now: {} });
    this.place = el("div", { className: "wide" });
  }

  // Whether a trial lies within the ranges that somebody keeps to.
  keeps(one) {
    return [...this.ranges].every(([name, [low, high]]) => {
      const place = name === "" ? this.height(one) : one.places[name];
      return place !== undefined && place !== null && place >= low && place <= high;
    });
  }

  height(one) {
    const [low, high] = this.now.fence || [0, 1];
    return one.scores ? Math.min(1, Math.max(0, (one.scores[0] - low) / (high - low || 1))) : null;
  }

  draw(order, now) {
    Object.assign(this, { order, now });
    if (this.dragged) return;
    const axes = [{ name: "", title: now.objectives?.[0]?.name || "score", ticks: [[0, number(now.fence?.[0])], [1, number(now.fence?.[1])]] }, ...(now.axes || [])];
    if (!order.length || !now.fence) {
      this.place.replaceChildren(el("p", { className: "hint" }, "Lines come with the first scores."));
      return;
    }
    const width = LEFT + APART * (axes.length - 1) + 110, bottom = TOP + HIGH;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${bottom + BELOW}`, width, height: bottom + BELOW, role: "img", "aria-label": `${order.length} trials on ${axes.length} axes; the table has the same numbers` });
    const x = (i) => LEFT + APART * i, y = (place) => (place === null || place === undefined ? bottom + 18 : bottom - HIGH * place);
    const shown = order.slice(0, MOST);
    shown.slice().reverse().forEach((one) => {
      const place = shown.indexOf(one), best = place === 0, share = 1 - place / Math.max(1, shown.length);
      const heights = axes.map((axis) => (axis.name === "" ? this.height(one) : one.places[axis.name]));
      const kept = this.keeps(one);
      picture.append(svg("polyline", {
        points: heights.map((height, i) => `${x(i)},${y(height).toFixed(1)}`).join(" "), fill: "none", class: "line", stroke: best ? color(1) : color(0),
        "stroke-width": best ? 3 : 1.3, "stroke-opacity": kept ? (best ? 1 : 0.12 + 0.75 * share ** 2) : 0.04,
      }, svg("title", {}, `trial ${one.number}: ${number(one.scores[0])}; ${Object.entries(one.values).map(([name, value]) => `${name} ${number(value)}`).join(", ")}`)));
      picture.lastChild.addEventListener("click", () => this.open(one.number));
    });
    axes.forEach((axis, i) => this.axis(picture, axis, x(i), bottom));
    if (order.some((one) => (now.axes || []).some((axis) => one.places[axis.name] === undefined))) picture.append(text(8, bottom + 22, "not active", "start"));
    this.place.replaceChildren(picture);
    if (order.length > MOST) this.place.append(el("p", { className: "hint" }, `The best ${MOST} of ${order.length} trials are drawn.`));
  }

  axis(picture, axis, x, bottom) {
    picture.append(svg("line", { x1: x, x2: x, y1: TOP, y2: bottom, stroke: css("--ink"), "stroke-width": 1 }), text(x, TOP - 14, cut(axis.title || axis.name, 22), "middle", 600));
    for (const [place, words] of axis.ticks) picture.append(text(x + 6, bottom - HIGH * place + 4, cut(words, 14), "start"));
    const range = this.ranges.get(axis.name);
    if (range) picture.append(svg("rect", { x: x - 6, width: 12, y: bottom - HIGH * range[1], height: Math.max(2, HIGH * (range[1] - range[0])), fill: color(2), "fill-opacity": 0.35 }));
    const grip = svg("rect", { x: x - 10, width: 20, y: TOP, height: HIGH, fill: "transparent", class: "grip" }, svg("title", {}, `Drag to keep to a range of ${axis.title || axis.name}`));
    const at = (event) => { const box = grip.getBoundingClientRect(); return Math.min(1, Math.max(0, 1 - (event.clientY - box.top) / box.height)); };
    grip.addEventListener("pointerdown", (event) => { this.dragged = at(event); grip.setPointerCapture(event.pointerId); event.preventDefault(); });
    grip.addEventListener("pointerup", (event) => {
      if (this.dragged === undefined) return;
      const ends = [this.dragged, at(event)].sort((a, b) => a - b);
      this.dragged = undefined;
      if (ends[1] - ends[0] < 0.02) this.ranges.delete(axis.name);
      else this.ranges.set(axis.name, ends);
      this.draw(this.order, this.now);
      this.changed();
    });
    picture.append(grip);
  }
}

const WIDE = 220, TALL = 150, SIDE = 44;

// The score against each hyperparameter, a picture each.
export function slices(order, now, open) {
  if (!order.length || !now.fence) return [el("p", { className: "hint" }, "Pictures come with the first scores.")];
  const [low, high] = now.fence, y = (score) => TALL - 24 - (TALL - 36) * Math.min(1, Math.max(0, (score - low) / (high - low || 1)));
  return (now.axes || []).map((axis) => {
    const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, role: "img", "aria-label": `${now.objectives[0].name} against ${axis.name}` });
    const x = (place) => SIDE + (WIDE - SIDE - 10) * place;
    picture.append(svg("path", { d: `M${SIDE} 8V${TALL - 24}H${WIDE - 6}`, fill: "none", stroke: css("--line") }), text(SIDE - 3, 14, number(high), "end", 400, 9), text(SIDE - 3, TALL - 26, number(low), "end", 400, 9));
    spread(axis.ticks).forEach(([place, words]) => picture.append(text(x(place), TALL - 11, cut(words, 9), "middle", 400, 9)));
    order.slice().reverse().forEach((one) => {
      const place = one.places[axis.name], best = one === order[0];
      if (place === undefined) return;
      const dot = svg("circle", { cx: x(place).toFixed(1), cy: y(one.scores[0]).toFixed(1), r: best ? 5 : 2.6, fill: best ? color(1) : color(0), "fill-opacity": best ? 1 : 0.5, class: "line" },
        svg("title", {}, `trial ${one.number}: ${number(one.scores[0])} at ${axis.name} ${number(one.values[axis.name])}`));
      dot.addEventListener("click", () => open(one.number));
      picture.append(dot);
    });
    const active = order.filter((one) => one.places[axis.name] !== undefined).length;
    return el("figure", {}, picture, el("figcaption", { className: "hint" }, axis.name + (active < order.length ? ` (active in ${active} of ${order.length})` : "")));
  });
}

// Of many ticks those that have room side by side.
function spread(ticks) {
  const step = Math.ceil(ticks.length / 4);
  return ticks.filter((_, i) => i % step === 0);
}

const cut = (words, most) => (words.length > most ? `${words.slice(0, most - 1)}…` : words);

function text(x, y, words, anchor, weight = 400, size = 11) {
  return svg("text", { x, y, "text-anchor": anchor, "font-size": size, "font-weight": weight, fill: css("--ink"), stroke: css("--paper"), "stroke-width": 3, "paint-order": "stroke", class: "words" }, document.createTextNode(words));
}
