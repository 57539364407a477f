// A knob for one hyper: a slider beside a number. Rates and factors, which are told by their order of magnitude, slide by ratios.
import { el, number } from "./dom.js";

const STEPS = 1000;

export class Knob {
  constructor(path, value, range, turn) {
    this.path = path;
    this.turn = turn;
    [this.low, this.high] = range || [null, null];
    this.ratios = isByRatio(path, this.low, this.high);
    this.centre = value || 0.001;
    const id = `knob-${path.replaceAll(/[^a-z0-9]/gi, "-")}`;
    this.slider = el("input", { type: "range", min: 0, max: STEPS, id, oninput: () => this.slid(), onchange: () => this.slid() });
    this.field = el("input", {
      type: "number", step: "any", "aria-label": `${path}, number`, onchange: () => this.wish(Number(this.field.value)),
    });
    this.told = el("span", { className: "hint", role: "status" });
    this.place = el("div", { className: "knob" }, el("label", { htmlFor: id }, path), this.slider, this.field, this.told);
    this.busy = false;
    this.value = value;
  }

  ends() {
    if (this.ratios) {
      const top = Number.isFinite(this.high) && this.high !== null ? this.high : this.centre * 1000;
      return [this.centre / 1000, Math.max(top > this.centre * 1000 ? this.centre * 1000 : top, this.centre)];
    }
    const low = this.low ?? Math.min(0, 2 * this.value), high = this.high ?? Math.max(1, 2 * this.value);
    return [low, high];
  }

  placeOf(value) {
    const [low, high] = this.ends();
    if (this.ratios) return value <= low ? 0 : (STEPS * Math.log(value / low)) / Math.log(high / low);
    return (STEPS * (value - low)) / (high - low || 1);
  }

  valueAt(place) {
    const [low, high] = this.ends();
    if (this.ratios) return Number((low * (high / low) ** (place / STEPS)).toPrecision(3));
    return Number((low + ((high - low) * place) / STEPS).toPrecision(4));
  }

  slid() {
    const value = this.valueAt(Number(this.slider.value));
    this.field.value = value;
    this.wish(value);
  }

  // One wish at a time; what was slid over while it was under way is left out but for the last.
  async wish(value) {
    this.wanted = value;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.wanted !== null) {
        const next = this.wanted;
        this.wanted = null;
        const done = await this.turn(next);
        this.value = done.value;
        this.told.textContent = "";
      }
    } catch (error) {
      this.told.textContent = error.message;
      this.wanted = null;
    } finally {
      this.busy = false;
      this.show(this.value, true, true);
    }
  }

  show(value, open, anyway = false) {
    this.slider.disabled = this.field.disabled = !open;
    if (this.busy) return;
    this.value = value;
    this.slider.setAttribute("aria-valuetext", number(value));
    if (anyway || document.activeElement !== this.slider) this.slider.value = this.placeOf(value);
    if (anyway || document.activeElement !== this.field) this.field.value = short(value);
  }
}

// As short as it fits into the field.
function short(value) {
  const near = Number(value.toPrecision(5));
  return near !== 0 && Math.abs(near) < 0.001 ? near.toExponential() : String(near);
}

function isByRatio(path, low, high) {
  return /learning_rate|l1$|l2$|decay|epsilon/.test(path) && !(low !== null && low < 0) && !(high !== null && high <= 1 && /momentum|beta|rho/.test(path));
}
