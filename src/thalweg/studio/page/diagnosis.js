// What holds the net back, with the numbers, and what to do: asked anew after each epoch, while the section is open.
import { onceAtATime } from "./api.js";
import { el, number } from "./dom.js";

const APART = 3000; // ms between two diagnoses at least

export class DiagnosisPanel {
  constructor(wish) {
    Object.assign(this, { wish, epoch: null, asked: -Infinity });
    this.told = el("p", { className: "hint", role: "status" });
    this.ask = onceAtATime(() => this.once(), this.told);
    this.target = el("input", { type: "number", min: 0, step: "any", placeholder: "estimated", "aria-label": "Error that is asked for", onchange: () => this.ask() });
    this.inner = el("div", { className: "diagnosis" });
    this.place = el("details", { className: "more", ontoggle: () => this.place.open && this.ask() }, el("summary", {}, "Diagnosis: what holds the net back, and what to do"),
      el("p", { className: "bar" }, el("label", {}, "error that is asked for, as 0.02 ", this.target), this.told), this.inner);
  }

  // An epoch more is done.
  look(epoch) {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    if (this.place.open && performance.now() - this.asked > APART) this.ask();
  }

  async once() {
    if (!this.inner.children.length) this.told.textContent = "The rows are looked at, which takes some seconds the first time ...";
    const what = { do: "diagnosis" };
    if (this.target.value !== "") what.target_error = Number(this.target.value);
    this.show(await this.wish(what));
    this.asked = performance.now();
  }

  show(found) {
    this.told.textContent = `after ${found.epochs} epochs, on ${count(found.rows[0], found.of[0])} training and ${count(found.rows[1], found.of[1])} validation rows`;
    const rate = found.unit === "unexplained variance" ? number : (value) => `${(100 * value).toFixed(2)} %`;
    const row = (name, one, text = "") => el("tr", {}, el("th", { scope: "row" }, name), el("td", { className: "number" }, rate(one.value)),
      el("td", { className: "number" }, `${rate(one.low)} to ${rate(one.high)}`), el("td", { className: "hint" }, text));
    this.inner.replaceChildren(
      el("p", { className: "title" }, el("strong", {}, found.title)), el("p", {}, found.meaning),
      el("div", { className: "wide" }, el("table", {}, el("thead", {}, el("tr", {}, ["", found.unit, "95 % interval", ""].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {},
        row("training", found.train), row("validation", found.validation), row("target", found.target.reached, found.target.by === "given" ? "given" : `reached by ${found.target.by}`),
        row("avoidable bias", found.bias, "training above the target"), row("variance", found.variance, "validation above training")))),
      ...list("Found", found.findings.map((one) => [`${one.name}: ${one.evidence}`, one.remedy])),
      ...list("Worth knowing", found.notes.map((one) => [one])),
      ...list("What to do, in this order", found.remedies.map((one) => [`${one.what}: ${one.why}`, one.how]), "ol"));
  }
}

const count = (some, all) => (some < all ? `${some.toLocaleString("en")} of ${all.toLocaleString("en")}` : some.toLocaleString("en"));

function list(name, rows, kind = "ul") {
  if (!rows.length) return [];
  return [el("h4", {}, name), el(kind, {}, rows.map(([text, more]) => el("li", {}, text, more ? el("div", { className: "hint" }, more) : null)))];
}
