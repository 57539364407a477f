// A coach's notebook: what it saw, what it tried side by side, what it kept and why; it grows while the coach works.
import { el, seconds } from "./dom.js";

const SHOWN = 6; // remedies of a round; the others are behind a word

const AIMS = { bias: "against bias", variance: "against variance", both: "against both" };
const percent = (value) => (typeof value === "number" ? `${(100 * value).toFixed(2)} %` : "–");

export class CoachPanel {
  constructor() {
    this.place = el("section", { "aria-label": "The coach", hidden: true });
    this.key = "";
  }

  show(coach, status) {
    this.place.hidden = !coach;
    const key = JSON.stringify([coach, status]);
    if (!coach || key === this.key) return;
    this.key = key;
    const { began, pages, ended } = coach.notebook || {};
    const busy = status === "coaching" && coach.busy ? el("p", { className: "busy", role: "status" }, `Now: ${coach.busy}.`) : null;
    this.place.replaceChildren(el("h3", {}, "The coach's notebook"), ...[began, busy].filter(Boolean).map((one) => (typeof one === "string" ? el("p", {}, one) : one)),
      el("ol", { className: "notebook" }, (pages || []).map(page)), ended ? el("p", {}, ended) : "");
  }
}

function page({ saw, aim, tried, kept, why, plan, seconds: took }) {
  const rows = tried.map((one) => el("tr", { className: one.name === kept ? "kept" : "" },
    el("th", { scope: "row" }, one.name + (one.name === kept ? " (kept)" : "")), el("td", { className: "number" }, String(one.nets)),
    el("td", { className: "number" }, percent(one.train)), el("td", { className: "number" }, percent(one.validation) + (one.spread === null ? "" : ` ± ${percent(one.spread)}`))));
  const worse = rows.slice(SHOWN), head = () => el("thead", {}, el("tr", {}, ["Remedy", "Nets", "Training error", "Validation error"].map((name) => el("th", { scope: "col" }, name))));
  const table = rows.length ? el("div", { className: "wide" },
    el("table", {}, el("caption", {}, `Tried side by side ${AIMS[aim] || ""}, ${seconds(took)}`), head(), el("tbody", {}, rows.slice(0, SHOWN))),
    worse.length ? el("details", {}, el("summary", {}, `${worse.length} that came out worse`), el("table", {}, head(), el("tbody", {}, worse))) : null) : null;
  return el("li", {}, el("p", {}, saw), table, el("p", {}, el("strong", {}, why)), el("p", { className: "hint" }, `The net from here on: ${plan}`));
}
