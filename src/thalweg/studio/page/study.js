// A study, while it runs or afterwards: its trials and their curves, what they depended on, and where the epochs went.
import * as api from "./api.js";
import { Chart, color, line, plainly } from "./charts.js";
import { el, number, say, seconds, show } from "./dom.js";
import { brackets, importance } from "./findings.js";
import { Parallel, slices } from "./parallel.js";

const TOP = 5, ROWS = 15, DRAWN = 700; // trials with a colour of their own; rows that are shown at first; ms between drawings

export const trialName = (study, trial) => `${study}/trial-${String(trial).padStart(4, "0")}`;
export const opened = (study, trial) => `#run=${encodeURIComponent(trialName(study, trial))}`;

export function studyPage(study) {
  const held = { now: {}, trials: new Map(), curves: new Map() };
  const chosen = { sort: "score", down: false, filter: "", all: false, compare: new Set() };
  const title = el("h2", {}, study), status = el("span", { className: "status" }), where = el("p", { className: "hint" });
  const bar = el("progress", { max: 1, value: 0, "aria-label": "How far the search is" }), best = el("p"), said = el("ul", { className: "events" });
  const log = el("input", { type: "checkbox", onchange: draw }), curves = new Chart("Curves of the trials", 380), front = new Chart("Objectives against each other", 320);
  const parallel = new Parallel((trial) => { location.hash = opened(study, trial); }, () => table());
  const beyond = el("p", { className: "hint" }), sliced = el("div", { className: "slices" }), mattered = el("div"), rounds = el("div");
  const filter = el("input", { type: "search", placeholder: "Filter by number, status, score or value", "aria-label": "Filter trials",
    oninput: () => { chosen.filter = filter.value.toLowerCase(); table(); } });
  const compare = el("a", { className: "button", href: "#" }, "Compare"), count = el("span", { className: "hint", role: "status" });
  const head = el("thead"), body = el("tbody"), more = el("button", { type: "button", onclick: () => { chosen.all = true; table(); } });
  const ask = el("button", { type: "button", onclick: importances }, "Work it out");
  let over = false, timer = null, drawn = 0, asked = null;

  show(
    el("p", {}, el("a", { href: "#" }, "All runs and studies")),
    el("div", { className: "title" }, title, status), where, bar, best, said,
    section("Curves", el("label", { className: "hint" }, log, " log axis"), curves.place),
    section("Parallel coordinates", el("p", { className: "hint" }, "A line a trial: the stronger, the better; the best is orange. Drag along an axis to keep to a range of it; a click on the axis lifts that."), beyond, parallel.place),
    section("Trials", el("div", { className: "bar" }, filter, compare, count), el("div", { className: "wide" }, el("table", {}, head, body)), more),
    section("Slices", sliced),
    section("What mattered", ask, mattered),
    rounds, front.place);
  front.place.hidden = true;
  curves.draw([], {});

  const connection = new api.Line(study, take, (state, why) => {
    say(...{ connected: ["connected", ""], refused: [why, "wrong"], lost: ["The connection is lost; it is sought again. What you see is what was last known.", "lost"] }[state]);
    document.body.classList.toggle("stale", state === "lost");
  }, "studies");

  function section(name, ...parts) {
    return el("section", { "aria-label": name }, el("h3", {}, name), ...parts);
  }

  function take(frame) {
    if (frame.fresh) { held.trials.clear(); held.curves.clear(); }
    for (const one of frame.trials) held.trials.set(one.number, one);
    for (const { epoch, trials, values } of frame.curves) {
      trials.forEach((trial, i) => {
        if (!held.curves.has(trial)) held.curves.set(trial, new Map());
        held.curves.get(trial).set(epoch, values[i]); // a group that went on from a checkpoint tells an epoch again
      });
    }
    held.now = frame.now;
    if (timer) return;
    timer = setTimeout(() => { timer = null; drawn = performance.now(); if (!over) draw(); }, Math.max(0, DRAWN - (performance.now() - drawn)));
  }

  const goal = () => held.now.objectives?.[0] || { name: "score", direction: "min" };
  const sign = () => (goal().direction === "min" ? 1 : -1);
  const ranked = () => [...held.trials.values()].filter((one) => one.scores).sort((a, b) => sign() * (a.scores[0] - b.scores[0]) || a.number - b.number);

  function draw() {
    const { now } = held, order = ranked();
    status.textContent = now.status || "";
    status.className = `status ${(now.status || "").replaceAll(" ", "-")}`;
    const total = now.total || now.asked || 0;
    where.textContent = [
      `${now.told ?? 0} of ${total || "–"} trials`, now.failed ? `${now.failed} without a score` : "", now.search ? `search: ${now.search}` : "",
      `looking for the ${goal().direction === "min" ? "lowest" : "highest"} ${goal().name}`, `${seconds(now.seconds)} of training`,
      now.begun ? `begun ${new Date(1000 * now.begun).toLocaleString()}` : "", now.why || "",
    ].filter(Boolean).join(" · ");
    bar.value = total ? Math.min(1, (now.told || 0) / total) : 0;
    best.replaceChildren(...(order.length ? [`Best: ${score(order[0])} by `, el("a", { href: opened(study, order[0].number) }, `trial ${order[0].number}`), `: ${settings(order[0])}`]
      : [now.status === "running" ? "No trial has ended yet." : "No trial has a score."]));
    said.replaceChildren(...(now.said || []).map((text) => el("li", { className: "warning" }, text)));
    lines(order);
    table();
    parallel.draw(order, held.now);
    const far = order.filter((one) => now.fence && (one.scores[0] < now.fence[0] || one.scores[0] > now.fence[1])).length;
    beyond.textContent = far ? `${far} ${far === 1 ? "trial lies" : "trials lie"} far beyond the others and ${far === 1 ? "is" : "are"} drawn at the edge, at ${number(sign() > 0 ? now.fence[1] : now.fence[0])}.` : "";
    sliced.replaceChildren(...slices(order, held.now, (trial) => { location.hash = opened(study, trial); }));
    rounds.replaceChildren(...brackets([...held.trials.values()], sign()));
    pareto(order);
    ask.disabled = order.length < 2;
    if (asked === null && now.status && now.status !== "running" && order.length >= 8) importances();
  }

  // Many trials are few traces: those that were stopped early, those that ended, those that run; the best have traces of their own.
  function lines(order) {
    const gone = new Set([...held.trials.values()].map((one) => one.source).filter((one) => one !== null)); // their curves are the begin of others
    const longest = Math.max(0, ...[...held.curves.values()].map((one) => Math.max(...one.keys())));
    const top = order.slice(0, TOP).map((one) => one.number), kinds = { stopped: [], ended: [], running: [] };
    for (const [trial, curve] of held.curves) {
      if (top.includes(trial) || gone.has(trial)) continue;
      const status_ = held.trials.get(trial)?.status;
      kinds[status_ === "running" ? "running" : Math.max(...curve.keys()) < longest ? "stopped" : "ended"].push(trial);
    }
    const LOOKS = { stopped: ["stopped early", 7, 0.22], ended: ["others", 5, 0.4], running: ["running", 2, 0.75] };
    const traces = Object.entries(kinds).filter(([, trials]) => trials.length).map(([kind, trials]) => {
      const x = [], y = [], which = [], [name, i, opacity] = LOOKS[kind];
      for (const trial of trials) {
        for (const [epoch, value] of points(trial)) { x.push(epoch + 1); y.push(value); which.push(trial); }
        x.push(null); y.push(null); which.push(null);
      }
      return line(`${name} (${trials.length})`, x, y, i, false, { customdata: which, mode: longest ? "lines" : "markers", opacity, line: { color: color(i), width: 1 }, hovertemplate: "trial %{customdata}, epoch %{x}: %{y:.4g}<extra></extra>" });
    });
    top.slice().reverse().forEach((trial) => {
      const own = points(trial), place = top.indexOf(trial);
      traces.push(line(`trial ${trial}`, own.map(([epoch]) => epoch + 1), own.map(([, value]) => value), place ? [0, 2, 3, 4][place - 1] : 1, false,
        { customdata: own.map(() => trial), line: { color: color(place ? [0, 2, 3, 4][place - 1] : 1), width: place ? 1.5 : 3 }, hovertemplate: "trial %{customdata}, epoch %{x}: %{y:.4g}<extra></extra>" }));
    });
    curves.draw(traces, { x: "epoch", y: plainly(goal().name), log: log.checked, hover: "closest", range: near(), onpoint: (trial) => { location.hash = opened(study, trial); } });
  }

  // A trial's curve; one that goes on with another begins with that one's.
  function points(trial) {
    const source = held.trials.get(trial)?.source ?? null, own = [...(held.curves.get(trial) || [])].sort((a, b) => a[0] - b[0]);
    return source === null ? own : [...points(source), ...own];
  }

  // Where most of the curves are: one that goes astray shall not press the others flat.
  function near() {
    const all = [...held.curves.values()].flatMap((curve) => [...curve.values()]).filter((one) => typeof one === "number").sort((a, b) => a - b);
    if (all.length < 20) return null;
    const at = (share) => all[Math.round(share * (all.length - 1))];
    const [low, high] = sign() > 0 ? [all[0], at(0.95)] : [at(0.05), all.at(-1)], room = 0.05 * (high - low) || 0.1;
    return [low - (log.checked ? 0 : room), high + room];
  }

  function table() {
    const axes = (held.now.axes || []).map((one) => one.name), names = [...new Set([...held.trials.values()].flatMap((one) => Object.keys(one.values)))];
    const columns = [["number", "Trial", (one) => one.number], ["status", "Status", (one) => one.status], ["score", goal().name, (one) => (one.scores ? sign() * one.scores[0] : Infinity)],
      ["epochs", "Epochs", (one) => one.epochs], ["seconds", "Time", (one) => one.seconds], ...names.map((name) => [`hp ${name}`, name, (one) => one.values[name] ?? ""])];
    const [, , by] = columns.find(([key]) => key === chosen.sort) || columns[0];
    const text = (one) => [one.number, one.status, score(one), ...Object.entries(one.values).map(([name, value]) => `${name}=${value}`)].join(" ").toLowerCase();
    const words = chosen.filter.split(/\s+/).filter(Boolean);
    const fits = [...held.trials.values()].filter((one) => words.every((word) => text(one).includes(word)) && parallel.keeps(one, axes));
    fits.sort((a, b) => ((by(a) > by(b)) - (by(a) < by(b))) * (chosen.down ? -1 : 1) || a.number - b.number);
    head.replaceChildren(el("tr", {}, el("th", { scope: "col" }, el("span", { className: "sr" }, "Choose")), columns.map(([key, name]) =>
      el("th", { scope: "col", "aria-sort": key === chosen.sort ? (chosen.down ? "descending" : "ascending") : "none" },
        el("button", { type: "button", className: "sort", "data-key": key, onclick: () => { chosen.down = chosen.sort === key && !chosen.down; chosen.sort = key; table(); head.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus(); } }, name)))));
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    body.replaceChildren(...(fits.length ? fits.slice(0, chosen.all ? undefined : ROWS).map((one) => row(one, names))
      : [el("tr", {}, el("td", { colSpan: 6, className: "empty" }, held.trials.size ? "No trial is like that." : "No trials yet."))]));
    if (focused) body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    count.textContent = `${fits.length} of ${held.trials.size} trials`;
    more.hidden = chosen.all || fits.length <= ROWS;
    more.textContent = `Show all ${fits.length}`;
    choose();
  }

  function row(one, names) {
    return el("tr", { className: one.status },
      el("td", {}, el("input", { type: "checkbox", checked: chosen.compare.has(one.number), "aria-label": `Choose trial ${one.number}`, "data-key": `box ${one.number}`,
        onchange: (event) => { chosen.compare[event.target.checked ? "add" : "delete"](one.number); choose(); } })),
      el("th", { scope: "row" }, el("a", { href: opened(study, one.number), "data-key": `link ${one.number}` }, String(one.number))),
      el("td", {}, el("span", { className: `status ${one.status}`, title: one.message || "" }, one.status)),
      el("td", { className: "number" }, score(one)), el("td", { className: "number" }, one.first ? `${one.first} + ${one.epochs}` : String(one.epochs)), el("td", { className: "number" }, seconds(one.seconds)),
      names.map((name) => el("td", { className: typeof one.values[name] === "number" ? "number" : "" }, number(one.values[name]))));
  }

  function choose() {
    compare.href = `#compare=${[...chosen.compare].map((trial) => encodeURIComponent(trialName(study, trial))).join(",")}`;
    compare.classList.toggle("off", chosen.compare.size < 2);
    compare.setAttribute("aria-disabled", chosen.compare.size < 2);
  }

  async function importances() {
    asked = held.trials.size;
    ask.disabled = true;
    mattered.replaceChildren(el("p", { className: "hint" }, "Forests are grown ..."));
    try {
      const found = await api.importance(study);
      if (!over) mattered.replaceChildren(...importance(found));
    } catch (error) {
      mattered.replaceChildren(el("p", { className: "hint" }, error.message));
    }
    ask.disabled = false;
  }

  function pareto(order) {
    const goals = held.now.objectives || [];
    front.place.hidden = goals.length < 2;
    if (goals.length < 2) return;
    front.draw([line("trials", order.map((one) => one.scores[0]), order.map((one) => one.scores[1]), 0, false,
      { mode: "markers", customdata: order.map((one) => one.number), hovertemplate: "trial %{customdata}: %{x:.4g}, %{y:.4g}<extra></extra>" })],
    { x: plainly(goals[0].name), y: plainly(goals[1].name), hover: "closest", onpoint: (trial) => { location.hash = opened(study, trial); } });
  }

  return () => {
    over = true;
    clearTimeout(timer);
    connection.close();
    document.body.classList.remove("stale");
    for (const chart of [curves, front]) chart.gone();
  };
}

export function score(one) {
  if (!one.scores) return one.status === "running" ? "…" : "–";
  return number(one.scores[0]) + (one.errors?.[0] ? ` ± ${number(one.errors[0])}` : "");
}

export const settings = (one) => Object.entries(one.values).map(([name, value]) => `${name} ${number(value)}`).join(", ");
