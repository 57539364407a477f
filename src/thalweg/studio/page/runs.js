// The table of runs, and runs side by side.
import * as api from "./api.js";
import { Chart, line, plainly, smoothed } from "./charts.js";
import { el, number, say, seconds, show, sparkline } from "./dom.js";

const kept = { sort: "begun", down: true, filter: "", chosen: new Set() };
const COLUMNS = {
  run: ["Run", (one) => one.run],
  status: ["Status", (one) => one.status],
  done: ["Epochs", (one) => one.done ?? 0],
  last: ["Last loss", (one) => one.small?.values?.at(-1) ?? Infinity],
  best: ["Best loss", (one) => one.best ?? Infinity],
  seconds: ["Time", (one) => one.seconds ?? 0],
  begun: ["Begun", (one) => one.begun ?? "~"],
};

export function runsPage() {
  let rows = null, timer = null, gone = false;
  const body = el("tbody"), count = el("p", { className: "hint", role: "status" });
  const compare = el("a", { className: "button", href: "#" }, "Compare");
  const trash = el("button", { type: "button", onclick: throwAway }, "Move to trash");
  const filter = el("input", {
    type: "search", placeholder: "Filter by name, status or tag", value: kept.filter, "aria-label": "Filter",
    oninput: (event) => { kept.filter = event.target.value; draw(); },
  });
  const heads = Object.entries(COLUMNS).map(([name, [title]]) => el("th", { scope: "col", "data-name": name },
    el("button", { type: "button", className: "sort", onclick: () => sort(name) }, title)));
  const table = el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { className: "sr" }, "Choose")),
    heads, el("th", { scope: "col" }, "Curve"), el("th", { scope: "col" }, "Tags"))), body);
  const studies = el("section", { "aria-label": "Studies", hidden: true });
  show(studies, el("h2", {}, "Runs"), el("div", { className: "bar" }, filter, compare, trash, el("a", { className: "button", href: "#landscape=" }, "Races of optimizers"), count), el("div", { className: "wide" }, table));

  function sort(name) {
    kept.down = kept.sort === name ? !kept.down : name === "begun";
    kept.sort = name;
    draw();
  }

  function fits(one) {
    const wanted = kept.filter.toLowerCase();
    return [one.run, one.status, ...(one.tags || [])].some((text) => String(text).toLowerCase().includes(wanted));
  }

  function draw() {
    if (rows === null) return;
    const by = COLUMNS[kept.sort][1];
    const shown = rows.filter(fits).sort((a, b) => (by(a) > by(b) ? 1 : by(a) < by(b) ? -1 : 0) * (kept.down ? -1 : 1));
    for (const head of heads) {
      const sorted = head.dataset.name === kept.sort;
      head.setAttribute("aria-sort", sorted ? (kept.down ? "descending" : "ascending") : "none");
    }
    const focused = document.activeElement?.dataset?.key;
    body.replaceChildren(...shown.map(row));
    if (focused) body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    if (!rows.length) {
      body.replaceChildren(el("tr", {}, el("td", { colSpan: 10, className: "empty" },
        "No runs yet. Begin one in a terminal: thalweg train digits --studio, or fit(run='runs/first') in a script; thalweg tune digits searches.")));
    }
    count.textContent = `${shown.length} of ${rows.length} runs`;
    choose();
  }

  function row(one) {
    const small = one.small || { values: [], name: "loss" };
    return el("tr", { className: one.status },
      el("td", {}, el("input", {
        type: "checkbox", checked: kept.chosen.has(one.run), "aria-label": `Choose ${one.run}`, "data-key": `box ${one.run}`,
        onchange: (event) => { kept.chosen[event.target.checked ? "add" : "delete"](one.run); choose(); },
      })),
      el("th", { scope: "row" }, el("a", { href: `#run=${encodeURIComponent(one.run)}`, "data-key": `link ${one.run}` }, one.run)),
      el("td", {}, el("span", { className: `status ${one.status?.replace(" ", "-")}` }, one.status)),
      el("td", { className: "number" }, `${one.done ?? 0} of ${one.epochs ?? "–"}`),
      el("td", { className: "number" }, small.values.length ? `${small.name} ${number(small.values.at(-1))}` : "–"),
      el("td", { className: "number" }, number(one.best)),
      el("td", { className: "number" }, seconds(one.seconds)),
      el("td", {}, one.begun ? new Date(one.begun).toLocaleString() : "–"),
      el("td", {}, sparkline(small.values, `${small.name} of ${one.run}, last ${number(small.values.at(-1))}`)),
      el("td", {}, el("input", {
        className: "tags", value: (one.tags || []).join(", "), placeholder: "none", "aria-label": `Tags of ${one.run}, with commas`,
        "data-key": `tags ${one.run}`,
        onchange: (event) => api.tag(one.run, event.target.value.split(",").map((text) => text.trim()).filter(Boolean))
          .then(({ tags }) => { one.tags = tags; }).catch((error) => say(error.message, "wrong")),
      })));
  }

  function choose() {
    const chosen = [...kept.chosen].filter((run) => rows?.some((one) => one.run === run));
    compare.href = `#compare=${chosen.map(encodeURIComponent).join(",")}`;
    compare.classList.toggle("off", chosen.length < 2);
    compare.setAttribute("aria-disabled", chosen.length < 2);
    trash.disabled = !chosen.length;
  }

  async function throwAway() {
    const chosen = [...kept.chosen];
    if (!confirm(`Move ${chosen.length} runs to the folder .trash?`)) return;
    for (const run of chosen) {
      try {
        await api.trash(run);
        kept.chosen.delete(run);
      } catch (error) {
        say(error.message, "wrong");
      }
    }
    look();
  }

  async function look() {
    clearTimeout(timer);
    try {
      const [found, searched] = await Promise.all([api.runs(), api.studies()]);
      if (gone) return;
      rows = found;
      listStudies(studies, searched);
      say("connected");
      if (!body.contains(document.activeElement) || document.activeElement.type !== "text") draw();
    } catch (error) {
      if (!gone) say(`No connection: ${error.message}`, "lost");
    }
    if (!gone) timer = setTimeout(look, 2000);
  }

  look();
  return () => { gone = true; clearTimeout(timer); };
}

function listStudies(place, rows) {
  place.hidden = !rows.length;
  if (place.contains(document.activeElement)) return;
  const columns = ["Study", "Status", "Search", "Trials", "Best", "Training", "Begun"];
  place.replaceChildren(el("h2", {}, "Studies"), el("div", { className: "wide" }, el("table", {},
    el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map((one) => el("tr", {},
      el("th", { scope: "row" }, el("a", { href: `#study=${encodeURIComponent(one.study)}` }, one.study)),
      el("td", {}, el("span", { className: `status ${(one.status || "").replaceAll(" ", "-")}`, title: one.why || "" }, one.status)),
      el("td", {}, one.search || "–"), el("td", { className: "number" }, `${one.told ?? 0} of ${one.total ?? "–"}`),
      el("td", { className: "number" }, one.best ? `${one.objectives[0].name} ${number(one.best.score)}` : "–"),
      el("td", { className: "number" }, seconds(one.seconds)), el("td", {}, one.begun ? new Date(1000 * one.begun).toLocaleString() : "–")))))));
}

export function comparePage(names) {
  const chart = new Chart("Curves of the chosen runs", 460);
  const choice = { name: null, x: "epoch", log: false, smooth: 0 };
  const which = el("select", { "aria-label": "Curve", onchange: () => { choice.name = which.value; draw(); } });
  const axis = el("select", { "aria-label": "Over", onchange: () => { choice.x = axis.value; draw(); } },
    ["epoch", "step", "seconds"].map((name) => el("option", { value: name }, `over ${name === "seconds" ? "wall time" : `${name}s`}`)));
  const log = el("label", {}, el("input", { type: "checkbox", onchange: (event) => { choice.log = event.target.checked; draw(); } }), " log axis");
  const smooth = el("label", {}, "smoothing ", el("input", {
    type: "range", min: 0, max: 0.98, step: 0.02, value: 0, oninput: (event) => { choice.smooth = Number(event.target.value); draw(); },
  }));
  const study = names[0]?.split("/trial-")[0], ofOne = names.every((name) => name.startsWith(`${study}/trial-`));
  const lacks = el("p", { className: "hint", role: "status" }), differ = el("div", { className: "wide" });
  show(el("p", {}, el("a", { href: "#" }, "All runs"), ofOne ? [" · ", el("a", { href: `#study=${encodeURIComponent(study)}` }, `The study ${study}`)] : null),
    el("h2", {}, `${names.length} runs`), el("div", { className: "bar" }, which, axis, log, smooth), lacks, chart.place, differ);
  let found = [];

  function draw() {
    const traces = found.map(({ run, now, epochs }, i) => {
      const own = epochs.filter((one) => typeof one[choice.name] === "number");
      let time = 0;
      const times = new Map(epochs.map((one) => [one.epoch, (time += one.seconds || 0)]));
      const x = own.map((one) => ({ epoch: one.epoch + 1, step: (one.epoch + 1) * (now.steps || 1), seconds: times.get(one.epoch) })[choice.x]);
      return line(run, x, smoothed(own.map((one) => one[choice.name]), choice.smooth), i);
    });
    const without = found.filter(({ epochs }) => !epochs.some((one) => typeof one[choice.name] === "number")).map(({ run }) => run);
    lacks.textContent = without.length ? `Without ${choice.name}: ${without.join(", ")}.` : "";
    chart.draw(traces, { x: choice.x === "seconds" ? "wall time, s" : choice.x, y: plainly(choice.name || ""), log: choice.log });
  }

  Promise.all(names.map(async (run) => ({ run, ...(await api.curves(run)) }))).then((all) => {
    found = all;
    const known = [...new Set(all.flatMap(({ epochs }) => Object.keys(epochs.at(-1) || {})))].filter((one) => !["epoch", "seconds"].includes(one));
    which.replaceChildren(...known.map((name) => el("option", { value: name }, name)));
    choice.name = which.value = known.includes("val_loss") ? "val_loss" : known[0];
    say("connected");
    draw();
    differ.replaceChildren(...differences(all));
  }).catch((error) => say(error.message, "wrong"));
  return () => chart.gone();
}

// What the runs were told differently: hyperparameters of trials, options of commands, hypers as they stand.
function differences(all) {
  const told = all.map(({ now }) => now.values || { ...now.hypers, ...now.command, batch_size: now.batch_size });
  const keys = [...new Set(told.flatMap((one) => Object.keys(one)))].filter((key) => new Set(told.map((one) => JSON.stringify(one[key] ?? null))).size > 1);
  if (!keys.length) return [el("p", { className: "hint" }, "They were told the same.")];
  return [el("table", {}, el("caption", {}, "What differs"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), all.map(({ run }) => el("th", { scope: "col" }, el("a", { href: `#run=${encodeURIComponent(run)}` }, run))))),
    el("tbody", {}, keys.map((key) => el("tr", {}, el("th", { scope: "row" }, key), told.map((one) => el("td", {}, number(one[key])))))))];
}
