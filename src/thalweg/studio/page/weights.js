// A layer's weights as pictures. Nothing is asked while it is closed.
import { onceAtATime } from "./api.js";
import { fill, signed } from "./canvas.js";
import { el, number } from "./dom.js";

const GAP = [200, 205, 210], AGAIN = 1000, WIDE = 640, HIGH = 520; // ms between two looks; pixels at most

export class WeightsPanel {
  constructor(wish) {
    Object.assign(this, { wish, kernels: [], at: 0 });
    this.layer = el("select", { "aria-label": "Layer", onchange: () => this.ask() });
    this.canvas = el("canvas", { className: "kernel", role: "img", "aria-label": "The layer's weights", width: 1, height: 1 });
    this.told = el("p", { className: "hint", role: "status" });
    this.question = onceAtATime(() => this.once(), this.told);
    this.place = el("details", { className: "more", ontoggle: () => this.ask() },
      el("summary", {}, "Weights as pictures"), el("div", { className: "bar" }, el("label", {}, "Layer ", this.layer)), this.told, this.canvas);
  }

  // Another net, or the same one some epochs later.
  know(kernels) {
    this.kernels = kernels;
    this.place.hidden = !kernels.length;
    const before = this.layer.value;
    this.layer.replaceChildren(...kernels.map(({ name, shape }) => el("option", { value: name }, `${name}, ${shape.join(" × ")}`)));
    if (kernels.some(({ name }) => name === before)) this.layer.value = before;
    this.ask();
  }

  grown() {
    if (Date.now() - this.at > AGAIN) this.ask();
  }

  async ask() {
    if (this.place.open && this.kernels.length) await this.question();
  }

  async once() {
    if (!this.at) this.told.textContent = "Looking ...";
    this.show(await this.wish({ do: "weights", layer: this.layer.value }));
    this.at = Date.now();
  }

  show(found) {
    const { count, height, width, values, largest } = found;
    const across = count === 1 ? 1 : Math.min(count, Math.max(1, Math.round(Math.sqrt((count * height) / width)))), down = Math.ceil(count / across);
    const gap = count === 1 ? 0 : 1, wide = across * (width + gap) - gap, high = down * (height + gap) - gap;
    [this.canvas.width, this.canvas.height] = [wide, high];
    this.canvas.style.width = `${Math.round(wide * Math.max(1, Math.min(WIDE / wide, HIGH / high)))}px`;
    fill(this.canvas, [high, wide], (i) => {
      const y = Math.floor(i / wide), x = i % wide, row = Math.floor(y / (height + gap)), column = Math.floor(x / (width + gap));
      const inY = y % (height + gap), inX = x % (width + gap), which = row * across + column;
      if (inY >= height || inX >= width || which >= count) return GAP;
      return signed(values[which * height * width + inY * width + inX] / 127);
    });
    this.told.textContent = `${WORDS[found.kind](found)} Blue is above 0, orange below, white 0; full colour is ±${number(largest)}.`;
  }
}

const some = (shown, all, what) => (shown < all ? `${shown} of ${all.toLocaleString("en")} ${what}, those with the largest weights` : `${all.toLocaleString("en")} ${what}`);
const sides = ({ channels, side_by_side }) => (channels === 1 ? "" : side_by_side === channels ? `, its ${channels} channels side by side` : `, the mean of its ${channels} channels`);

const WORDS = {
  units: (one) => `${some(one.count, one.total, "units")}: the weights of each as a picture of what it sees${sides(one)}.`,
  filters: (one) => `${some(one.count, one.total, "filters")}, ${one.height} × ${one.width / one.side_by_side} pixels each${sides(one)}.`,
  matrix: ({ rows, columns }) => `The matrix: ${some(...rows, "inputs")} down, ${some(...columns, "units")} across.`,
};
