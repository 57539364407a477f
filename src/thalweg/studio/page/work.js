// What takes seconds: a form that asks for it, how far it is, and room for what was found.
import * as api from "./api.js";
import { el, seconds } from "./dom.js";

const AGAIN = 300;

export class Work {
  // run: whose it is, or null; fields: of the form; verb: on its button; wish(): what is asked for, by them; fill(asked): them, by
  // what was asked for; found(record): shows it; inner: what is shown then; charts: that are to be let go.
  constructor({ run, title, about, fields, verb, wish, fill, found, inner, charts }) {
    Object.assign(this, { run, wish, fill, show: found, charts, over: false });
    this.button = el("button", { type: "submit" }, verb);
    this.told = el("p", { className: "hint", role: "status" });
    this.bar = el("progress", { max: 1, hidden: true, "aria-label": `${title}: how far it is` });
    this.inner = el("div", { hidden: true }, inner);
    this.form = el("form", { className: "bar", onsubmit: (event) => { event.preventDefault(); this.ask(); } }, fields, this.button);
    this.form.addEventListener("input", () => { this.touched = true; });
    this.place = el("section", { "aria-label": title }, el("h3", {}, title), el("p", { className: "hint" }, about), this.form, this.bar, this.told, this.inner);
  }

  ask() {
    return this.follow(() => api.ask(api.workOf(this.run), this.wish()));
  }

  // What was asked for last, in this page or another one; unless somebody is quicker.
  again({ number, asked }) {
    if (this.touched || this.button.disabled) return null;
    this.fill(asked);
    return this.follow(() => api.ask(`${api.workOf(this.run)}/${number}`));
  }

  async follow(first) {
    this.button.disabled = true;
    this.tell("Asking ...");
    try {
      const address = api.workOf(this.run);
      let job = await first();
      while (job.state !== "done" && !this.over) {
        this.far(job);
        await new Promise((go) => { setTimeout(go, AGAIN); });
        job = await api.ask(`${address}/${job.number}`);
      }
      if (this.over) return;
      this.tell("");
      this.inner.hidden = false;
      this.show(job.record);
    } catch (error) {
      if (!this.over) this.tell(error.message, true);
    } finally {
      this.bar.hidden = true;
      this.button.disabled = false;
    }
  }

  far({ state, before, done, total, seconds: since }) {
    this.bar.hidden = false;
    if (total) this.bar.value = done / total;
    else this.bar.removeAttribute("value");
    const words = { waiting: `Waiting for ${before} other piece${before === 1 ? "" : "s"} of work.`, computing: total ? `Computing: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}` : "Compiling" };
    this.tell(state === "computing" ? `${words.computing}, ${seconds(since)} so far.` : words[state] || "");
  }

  tell(text, wrong = false) {
    this.told.textContent = text;
    this.told.className = wrong ? "hint wrong" : "hint";
  }

  gone() {
    this.over = true;
    for (const chart of this.charts) chart.gone();
  }
}
