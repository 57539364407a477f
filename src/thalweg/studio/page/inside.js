// What the layers hold while the net learns: histograms over time. Nothing is asked while it is closed.
import { onceAtATime } from "./api.js";
import { css } from "./charts.js";
import { el, number } from "./dom.js";

const EVERY = 2000, WIDE = 192, HIGH = 64, STRONG = 300; // ms between two questions; pixels; how strongly few numbers show
const PARTS = ["weights", "activations", "gradients"];
const LIGHT = [[245, 247, 249], [86, 160, 205], [0, 60, 100]], DARK = [[29, 35, 41], [40, 125, 180], [214, 240, 255]];

export class InsidePanel {
  constructor(wish) {
    Object.assign(this, { wish, key: null, running: false, looks: [], at: null });
    this.told = el("p", { className: "hint", role: "status" });
    this.question = onceAtATime(() => this.once(), this.told);
    this.slider = el("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "Which look", oninput: () => { this.at = this.chosen()?.number; this.mark(); } });
    this.when = el("output", {});
    this.pictures = el("div", { className: "insides" });
    this.table = el("div", { className: "wide" });
    this.inner = el("div", { hidden: true },
      el("p", { className: "hint" }, "Epochs run from left to right, values from low to high; the stronger the colour, the more numbers lie there. Where nobody was looking there are weights alone. Gradients stand on a scale of ratios around 0."),
      this.pictures, el("div", { className: "bar" }, el("label", { className: "picked" }, "Look", this.slider), this.when), this.table);
    this.place = el("details", { className: "more", ontoggle: () => this.ask() }, el("summary", {}, "Inside the layers: histograms over time"), this.told, this.inner);
  }

  // Another net forgets what was seen; one that has come to rest is looked at once more.
  know(key, running) {
    const changed = key !== this.key || running !== this.running;
    if (key !== this.key) this.looks = [];
    Object.assign(this, { key, running });
    if (changed) this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    if (!this.place.open || this.key === null) return;
    await this.question();
    clearTimeout(this.timer);
    if (this.running && this.place.open) this.timer = setTimeout(() => this.ask(), EVERY);
  }

  async once() {
    if (!this.looks.length) this.told.textContent = "Looking ...";
    const after = this.looks.at(-1)?.number ?? 0, { kept, looks, why } = await this.wish({ do: "inside", after });
    const known = new Set(kept);
    this.looks = [...this.looks.filter((one) => one.number <= after && known.has(one.number)), ...looks];
    this.told.textContent = why || (this.looks.length ? "" : "No look has been taken yet: the first comes soon after the fit has begun.");
    this.draw();
  }

  chosen() {
    return this.looks[Number(this.slider.value)];
  }

  draw() {
    this.inner.hidden = !this.looks.length;
    if (!this.looks.length) return;
    const newest = this.looks.at(-1), names = newest.layers.map(({ name }) => name);
    const stays = this.looks.findIndex((one) => one.number === this.at);
    if (stays < 0) this.at = null;
    this.slider.max = this.looks.length - 1;
    this.slider.value = stays < 0 ? this.looks.length - 1 : stays;
    if (this.pictures.dataset.names !== names.join("\n")) {
      this.pictures.dataset.names = names.join("\n");
      this.canvases = names.map(() => PARTS.map((part) => this.canvas(part)));
      this.pictures.replaceChildren(...names.map((name, i) => el("section", { "aria-label": name }, el("h4", {}, name),
        el("div", { className: "trio" }, this.canvases[i].map(({ figure }) => figure)))),
      ...(newest.all > names.length ? [el("p", { className: "hint" }, `The first and the last ${names.length / 2} of ${newest.all.toLocaleString("en")} layers.`)] : []));
    }
    names.forEach((name, i) => PARTS.forEach((part, k) => heat(this.canvases[i][k], this.looks, name, part)));
    this.mark();
  }

  canvas(part) {
    const place = el("canvas", { className: "heat", width: WIDE, height: HIGH, role: "img", "aria-label": `${part} over the epochs` });
    const mark = el("span", { className: "mark" }), high = el("span"), low = el("span"), from = el("span"), to = el("span");
    const pick = (event) => {
      const box = place.getBoundingClientRect(), at = columnAt(this.looks, (event.clientX - box.left) / box.width);
      this.slider.value = at;
      this.at = this.looks[at].number;
      this.mark();
    };
    place.addEventListener("pointermove", pick);
    place.addEventListener("pointerdown", pick);
    const figure = el("figure", {}, el("figcaption", {}, part), el("div", { className: "ends" }, high, low), el("div", { className: "under" }, place, mark), el("div", { className: "epochs" }, from, to));
    return { figure, place, mark, high, low, from, to };
  }

  // The look that is read off: a line on every picture, and its numbers.
  mark() {
    const look = this.chosen();
    if (!look) return;
    this.when.textContent = `after epoch ${number(look.epoch)}${look.step ? `, step ${look.step}` : ""}${look.rows ? `, ${look.rows} rows` : ", weights alone: nobody was looking"}`;
    const share = placeOf(this.looks, Number(this.slider.value));
    for (const trio of this.canvases) for (const { mark } of trio) mark.style.left = `${100 * share}%`;
    const spread = (one) => (one ? `${number(one.mean)} ± ${number(one.std)}${one.lost ? `, ${one.lost.toLocaleString("en")} no numbers` : ""}` : "–"), percent = (one) => (one === undefined || one === null ? "–" : `${(100 * one).toFixed(1)} %`);
    const head = ["Layer", "Weights, mean ± deviation", "Activations, mean ± deviation", "zeros", "dead units", "Gradients, deviation", "length"];
    this.table.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, head.map((text, i) => el("th", { scope: "col", className: i ? "number" : "" }, text)))),
      el("tbody", {}, look.layers.map(({ name, weights, activations, gradients }) => el("tr", {}, el("th", { scope: "row" }, name),
        [spread(weights), spread(activations), percent(activations?.zeros), percent(activations?.dead), number(gradients?.std), number(gradients?.norm)]
          .map((text) => el("td", { className: "number" }, text)))))));
  }

  gone() {
    clearTimeout(this.timer);
    this.place.open = false;
  }
}

// Where a look's column begins, as a share of the width: it lasts until the next look; the last one as long as the others do.
function placeOf(looks, i) {
  const first = looks[0].place, wide = looks.at(-1).place - first, last = looks.length > 1 ? wide / (looks.length - 1) : 1;
  return i ? (looks[i].place - first) / (wide + last) : 0;
}

function columnAt(looks, share) {
  let at = 0;
  looks.forEach((_, i) => { if (placeOf(looks, i) <= share) at = i; });
  return at;
}

// A histogram over time: of each column's look, how many numbers lie in each pixel's range.
function heat({ place, high, low, from, to }, looks, name, part) {
  const own = looks.map((look) => look.layers.find((one) => one.name === name)?.[part]).map((one) => (one && one.low !== null ? one : null));
  const held = own.filter(Boolean), context = place.getContext("2d");
  from.textContent = held.length ? `epoch ${number(round(looks[0].place))}` : "";
  to.textContent = held.length && looks.length > 1 ? number(round(looks.at(-1).place)) : "";
  [high.textContent, low.textContent] = ["–", ""];
  context.clearRect(0, 0, WIDE, HIGH);
  if (!held.length) return;
  let bottom = Math.min(...held.map((one) => one.low)), top = Math.max(...held.map((one) => one.high));
  if (bottom === top) [bottom, top] = [bottom - (Math.abs(bottom) || 1), top + (Math.abs(top) || 1)];
  [high.textContent, low.textContent] = [number(round(top)), number(round(bottom))];
  const scale = part === "gradients" ? byRatio(held) : { to: (one) => one, from: (one) => one };
  const edge = (row) => scale.from(scale.to(bottom) + ((scale.to(top) - scale.to(bottom)) * (HIGH - row)) / HIGH);
  const columns = own.map((one) => one && shares(one, edge));
  const most = Math.max(...columns.filter(Boolean).flat(), 1e-9), image = context.createImageData(WIDE, HIGH), colours = ramp();
  for (let x = 0; x < WIDE; x += 1) {
    const column = columns[columnAt(looks, x / WIDE)];
    for (let y = 0; column && y < HIGH; y += 1) {
      const share = Math.log1p((STRONG * column[y]) / most) / Math.log1p(STRONG);
      image.data.set([...colours[Math.round(255 * share)], 255], 4 * (y * WIDE + x));
    }
  }
  context.putImageData(image, 0, 0);
  if (bottom < 0 && top > 0) {
    const y = Math.round(HIGH * (1 - (scale.to(0) - scale.to(bottom)) / (scale.to(top) - scale.to(bottom))));
    context.fillStyle = css("--mark");
    for (let x = 0; x < WIDE; x += 6) context.fillRect(x, y, 2, 1);
  }
}

const round = (value) => Number(value.toPrecision(3));

// Gradients shrink by orders of magnitude: near 0 the scale is even, further out it goes by ratios.
function byRatio(held) {
  const unit = Math.min(...held.map((one) => one.std).filter((one) => one > 0), Infinity), one = Number.isFinite(unit) ? unit : 1;
  return { to: (value) => Math.asinh(value / one), from: (value) => one * Math.sinh(value) };
}

// Of all numbers of a histogram, the share in each pixel, from the top.
function shares({ low, high, counts }, edge) {
  const total = counts.reduce((sum, one) => sum + one, 0) || 1, sums = [0];
  for (const one of counts) sums.push(sums.at(-1) + one);
  const below = (value) => {
    if (high === low) return value > low ? total : 0;
    const at = Math.min(counts.length, Math.max(0, ((value - low) / (high - low)) * counts.length)), whole = Math.floor(at);
    return sums[whole] + (at - whole) * (counts[whole] ?? 0);
  };
  return Array.from({ length: HIGH }, (_, row) => (below(edge(row)) - below(edge(row + 1))) / total);
}

function ramp() {
  const stops = window.matchMedia("(prefers-color-scheme: dark)").matches ? DARK : LIGHT;
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (stops.length - 1), whole = Math.min(stops.length - 2, Math.floor(at));
    return stops[whole].map((one, k) => one + (stops[whole + 1][k] - one) * (at - whole));
  });
}
