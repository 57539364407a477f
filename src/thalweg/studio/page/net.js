// A look into the net: a pad to draw on and rows to choose, what it says, and what backpropagation would have it change.
import { onceAtATime } from "./api.js";
import { fill, signed } from "./canvas.js";
import { color, css } from "./charts.js";
import { el, number, svg } from "./dom.js";
import { InsidePanel } from "./inside.js";
import { WeightsPanel } from "./weights.js";

const APART = 150, STEP = 26, DOT = 10;

export class NetPanel {
  constructor(wish) {
    Object.assign(this, { wish, seen: null, side: null, epoch: null, row: null });
    this.pad = el("canvas", { className: "pad", tabIndex: 0, role: "img", "aria-label": "Pad: draw with the mouse, a finger or a pen" });
    this.label = el("select", { "aria-label": "What it is", onchange: () => this.ask() });
    this.bars = el("ol", { className: "bars", "aria-label": "What the net says" });
    this.picture = el("div", { className: "net" });
    this.wishes = el("canvas", { className: "pad small", role: "img", "aria-label": "What the pixels are asked to be" });
    this.told = el("p", { className: "hint", role: "status" });
    this.whose = el("p", { className: "hint" });
    this.question = onceAtATime(() => this.once(), this.told);
    this.features = el("div", { className: "features", hidden: true });
    this.chooser = this.choosing();
    const clear = el("button", { type: "button", onclick: () => this.clear() }, "Clear");
    this.drawing = el("div", { hidden: true }, this.pad, el("div", { className: "bar" }, clear, el("label", {}, "it is ", this.label)));
    this.asked = el("figure", { hidden: true }, this.wishes, el("figcaption", { className: "hint" }, "What the pixels are asked for: blue to rise, orange to fall"));
    this.inner = el("div", { className: "look", hidden: true }, this.drawing, this.features, this.bars, this.asked);
    this.weights = new WeightsPanel(wish);
    this.inside = new InsidePanel(wish);
    this.place = el("section", { "aria-label": "The net" }, el("h3", {}, "The net"), this.whose, this.told, this.chooser, this.inner, this.picture,
      this.weights.place, this.inside.place);
    this.chooser.hidden = this.weights.place.hidden = this.inside.place.hidden = true;
    for (const name of ["pointerdown", "pointermove"]) this.pad.addEventListener(name, (event) => this.drawn(event));
  }

  // A row of the data: by its number, the next one, or the next one that the net gets wrong.
  choosing() {
    this.part = el("select", { "aria-label": "Which rows" }, el("option", { value: "training" }, "training"), el("option", { value: "validation" }, "validation"));
    this.number = el("input", { type: "number", min: 1, step: 1, value: 1, "aria-label": "Number of the row" });
    this.which = el("span", { className: "hint", role: "status" });
    const button = (text, more) => el("button", { type: "button", onclick: () => this.choose(more()) }, text);
    const at = () => (this.row?.part === this.part.value ? this.row : null), next = () => (at() ? (at().row + 1) % at().count : 0);
    return el("form", { className: "bar", onsubmit: (event) => { event.preventDefault(); this.choose({ row: Number(this.number.value) - 1 }); } },
      el("label", {}, "A row of the ", this.part, " data "), this.number, el("button", { type: "submit" }, "Show"),
      button("Next", () => ({ row: next() })),
      button("A wrong one", () => ({ row: at()?.row ?? 0, wrong: true })), this.which);
  }

  async choose(what) {
    try {
      this.which.textContent = "Looking ...";
      const part = this.part.value, found = await this.wish({ do: "example", part, ...what });
      this.row = { part, row: found.row, count: found.count };
      this.number.value = found.row + 1;
      this.number.max = found.count;
      this.which.textContent = this.wording(found);
      if (found.pixels) {
        this.pixels.set(found.pixels);
        this.label.value = found.label ?? "";
        this.paint();
      }
      this.table(found);
      this.touched = true;
      await this.ask();
    } catch (error) {
      this.which.textContent = error.message;
    }
  }

  wording({ row, count, place, total, label, target }) {
    const which = count < total ? `${row + 1} of the ${count.toLocaleString("en")} at hand (row ${(place + 1).toLocaleString("en")} of ${total.toLocaleString("en")})` : `${row + 1} of ${count.toLocaleString("en")}`;
    return `${which}; right is ${label === null ? target.slice(0, 5).map(number).join(", ") || "unknown" : this.names[label] ?? label}`;
  }

  // A row of a table: its numbers, and what they are asked for.
  table({ features, left_out }) {
    this.features.hidden = !features;
    if (!features) return;
    this.cells = features.map(() => el("td", { className: "number" }));
    const head = ["Feature", "Value", "Asked for"].map((text, i) => el("th", { scope: "col", className: i ? "number" : "" }, text));
    this.features.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, head)),
      el("tbody", {}, features.map(([name, value], i) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { className: "number" }, number(value)), this.cells[i])))),
    el("p", { className: "hint" }, "▲ asked to rise, ▼ to fall, as far as the loss has its way"),
    ...(left_out ? [el("p", { className: "hint" }, `and ${left_out.toLocaleString("en")} more`)] : []));
  }

  // Once a net is another one, it is asked what it sees; while it learns, what it says is asked anew after each epoch.
  async look(key, epoch, trains = false) {
    if (this.seen === key) {
      if (epoch !== this.epoch) {
        if (this.touched) this.ask();
        this.weights.grown();
      }
      this.epoch = epoch;
      return;
    }
    this.seen = key;
    this.epoch = epoch;
    try {
      const sight = await this.wish({ do: "sight" });
      this.names = sight.names;
      this.chooser.hidden = this.inner.hidden = this.inside.place.hidden = false;
      this.whose.textContent = sight.of ? `Here, and in the diagnosis: the net of ${sight.of}.` : "";
      this.told.textContent = large(sight, trains) || (sight.picture ? "" : "It sees no pictures: choose a row, and see what the net says to it.");
      if (sight.picture && !this.side) this.open(sight);
      this.weights.know(sight.kernels);
      this.inside.know(key.split(" ")[0], trains);
      if (this.touched) this.ask();
    } catch (error) {
      this.told.textContent = error.message;
    }
  }

  open({ picture, names }) {
    this.side = picture;
    this.drawing.hidden = false;
    [this.pad.width, this.pad.height] = [picture[1], picture[0]];
    this.label.replaceChildren(el("option", { value: "" }, "–"), ...names.map((name, i) => el("option", { value: i }, name)));
    this.pixels = new Float32Array(picture[0] * picture[1]);
    this.paint();
  }

  gone() {
    this.inside.gone();
  }

  clear() {
    this.pixels.fill(0);
    this.paint();
    this.bars.replaceChildren();
    this.picture.replaceChildren();
    this.asked.hidden = true;
    this.which.textContent = "";
    this.row = null;
    this.touched = false;
  }

  // A soft brush, as wide as a digit's stroke is for its size.
  drawn(event) {
    if (!this.side || (event.type === "pointermove" && !event.buttons)) return;
    event.preventDefault();
    if (event.type === "pointerdown") this.pad.setPointerCapture(event.pointerId);
    const [height, width] = this.side, box = this.pad.getBoundingClientRect();
    const x = ((event.clientX - box.left) * width) / box.width - 0.5, y = ((event.clientY - box.top) * height) / box.height - 0.5;
    const before = event.type === "pointerdown" || !this.last ? [x, y] : this.last, radius = Math.max(0.7, width / 22);
    const steps = Math.ceil(2 * Math.hypot(x - before[0], y - before[1])) || 1;
    for (let i = 1; i <= steps; i += 1) this.dab(before[0] + ((x - before[0]) * i) / steps, before[1] + ((y - before[1]) * i) / steps, radius);
    this.last = [x, y];
    this.row = null; // it is no row of the data any more
    this.which.textContent = "";
    this.touched = true;
    this.paint();
    this.ask();
  }

  dab(x, y, radius) {
    const [height, width] = this.side;
    for (let row = Math.max(0, Math.floor(y - 2 * radius)); row <= Math.min(height - 1, y + 2 * radius); row += 1) {
      for (let column = Math.max(0, Math.floor(x - 2 * radius)); column <= Math.min(width - 1, x + 2 * radius); column += 1) {
        const ink = Math.min(1, Math.max(0, 1.6 - Math.hypot(column - x, row - y) / radius));
        this.pixels[row * width + column] = Math.max(this.pixels[row * width + column], ink);
      }
    }
  }

  paint() {
    fill(this.pad, this.side, (i) => { const grey = 255 - 255 * this.pixels[i]; return [grey, grey, grey]; });
  }

  async ask() {
    if (this.side || this.row) await this.question();
  }

  async once() {
    const what = { do: "answer", ...this.given() };
    if (this.side && this.label.value !== "") what.label = Number(this.label.value);
    this.show(await this.wish(what));
    this.told.textContent = "";
  }

  given() {
    if (this.row) return { part: this.row.part, row: this.row.row };
    return { pixels: Array.from(this.pixels, (one) => Math.round(1000 * one) / 1000) };
  }

  show({ outputs, names, network, wishes, asked, why }) {
    const best = outputs.indexOf(Math.max(...outputs));
    this.bars.replaceChildren(...outputs.slice(0, 40).map((one, i) => el("li", { className: i === best ? "best" : "" },
      el("span", {}, names[i] ?? String(i)), el("meter", { min: 0, max: 1, value: Math.max(0, Math.min(1, one ?? 0)) }), el("span", { className: "number" }, percent(one)))));
    this.picture.replaceChildren(...(network ? [drawing(network)] : why ? [el("p", { className: "hint" }, why)] : []));
    this.cells?.forEach((cell, i) => { cell.textContent = asked ? arrow(asked[i]) : "–"; });
    this.asked.hidden = !wishes;
    if (wishes) {
      const flat = wishes.flat(), top = Math.max(...flat.map(Math.abs)) || 1;
      [this.wishes.width, this.wishes.height] = [wishes[0].length, wishes.length];
      fill(this.wishes, [wishes.length, wishes[0].length], (i) => signed(flat[i] / top));
    }
  }
}

// A probability as people write it; what is none stays a number.
const percent = (one) => (one >= 0 && one <= 1 ? `${(100 * one).toFixed(1)} %` : number(one));

// What a number is asked to do, by sign, so that no colour is needed to tell.
const arrow = (one) => (!one ? "–" : `${one > 0 ? "▲" : "▼"} ${number(Math.abs(one))}`);

const large = ({ parameters, largest }, trains) => (trains && parameters > largest
  ? `The net has ${parameters.toLocaleString("en")} weights; while it trains it is looked into up to ${largest.toLocaleString("en")}. Pause the fit, or wait until it is over.` : "");

// Layers as columns, neurons as dots, weights as lines by sign and size; triangles are what is asked.
function drawing({ columns, weights, names, right, loss }) {
  const tallest = Math.max(...columns.map(({ neurons }) => neurons.length)), height = STEP * tallest + 60;
  const width = APART * (columns.length - 1) + 150;
  const place = (column, i) => [50 + APART * column, 40 + STEP * (i + (tallest - columns[column].neurons.length) / 2)];
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `The net for this picture, loss ${number(loss)}` });
  weights.forEach((matrix, k) => {
    if (!matrix) return;
    const top = Math.max(...matrix.flat().map(Math.abs)) || 1;
    const all = matrix.flatMap((row, i) => row.map((value, j) => [Math.abs(value) / top, value, i, j])).sort((a, b) => a[0] - b[0]);
    for (const [share, value, i, j] of all) {
      const [x1, y1] = place(k, i), [x2, y2] = place(k + 1, j);
      picture.append(svg("line", { x1: x1 + DOT, y1, x2: x2 - DOT, y2, stroke: color(value > 0 ? 0 : 1), "stroke-width": 0.3 + 2.2 * share, "stroke-opacity": 0.08 + 0.8 * share }));
    }
  });
  columns.forEach((column, k) => {
    const [x, top] = place(k, 0);
    picture.append(text(x, top - 22, column.title, "middle", 11));
    column.neurons.forEach((neuron, i) => {
      const [, y] = place(k, i), value = column.activation[i] ?? 0, share = Math.min(1, Math.abs(value) / (column.largest || 1));
      const last = k === columns.length - 1, ring = last && neuron === right;
      picture.append(svg("circle", { cx: x, cy: y, r: DOT, fill: css("--ink"), "fill-opacity": 0.05 + 0.8 * share, stroke: ring ? color(2) : css("--soft"), "stroke-width": ring ? 3 : 1 },
        svg("title", {}, `${column.title}, neuron ${neuron}: ${number(value)}, asked ${number(column.asked[i])}`)));
      const asked = (column.asked[i] ?? 0) / (column.most_asked || 1), size = 5 * Math.sqrt(Math.abs(asked));
      if (size > 0.8) {
        const up = asked > 0 ? -1 : 1, left = x + DOT + 6;
        picture.append(svg("path", { d: `M${left - size} ${y - up * size * 0.6}H${left + size}L${left} ${y + up * size * 0.9}Z`, fill: color(asked > 0 ? 0 : 1) }));
      }
      if (last) picture.append(text(x + DOT + 18, y + 4, `${names[neuron] ?? neuron}  ${percent(value)}`, "start", 11));
    });
    const more = column.total - column.neurons.length;
    if (more > 0) picture.append(text(x, place(k, column.neurons.length - 1)[1] + 24, `and ${more.toLocaleString("en")} more`, "middle", 10));
  });
  return picture;
}

function text(x, y, words, anchor, size) {
  return svg("text", { x, y, "text-anchor": anchor, "font-size": size, fill: css("--ink") }, document.createTextNode(words));
}
