// One run, live: its curves, its knobs, what can be done with it, and what happened.
import * as api from "./api.js";
import { Chart, color, line } from "./charts.js";
import { DiagnosisPanel } from "./diagnosis.js";
import { el, number, say, seconds, show } from "./dom.js";
import { CoachPanel } from "./coach.js";
import { Knob } from "./knob.js";
import { NetPanel } from "./net.js";

export function runPage(run) {
  const held = { now: {}, epochs: [], changes: [], notes: [], warnings: [], points: [], epoch: -1, series: -1 };
  const loss = new Chart("Loss of training and validation", 320), more = new Chart("Metrics", 260), turned = new Chart("Hyperparameters", 220);
  const title = el("h2", {}, run), status = el("span", { className: "status" }), where = el("p", { className: "hint" });
  const bar = el("progress", { max: 1, value: 0, "aria-label": "How far the fit is" });
  const log = el("input", { type: "checkbox", onchange: draw });
  const knobs = el("div", { className: "knobs" }), told = el("ol", { className: "events", reversed: true });
  const checkpoints = el("ul", { className: "checkpoints" });
  const note = el("input", { type: "text", maxLength: 2000, placeholder: "Write down why, for later", "aria-label": "Note" });
  const doing = {
    pause: button("Pause", () => quiet({ do: "pause" })),
    on: button("Go on", () => quiet({ do: "go on" })),
    one: button("One more epoch", () => quiet({ do: "one more epoch" })),
    stop: button("Stop", () => confirm("Stop the fit? It ends with what it has learnt.") && quiet({ do: "stop" })),
    keep: button("Checkpoint now", () => quiet({ do: "checkpoint" })),
    copy: button("Copy as Python", copy),
  };
  const net = new NetPanel((what) => connection.wish(what));
  const coach = new CoachPanel(), diagnosis = new DiagnosisPanel((what) => connection.wish(what));
  const sheet = new Map(), values = el("table"), back = el("p", {}, el("a", { href: "#" }, "All runs"),
    " · ", el("a", { href: `#landscape=${encodeURIComponent(run)}` }, "Landscape"));
  const buttons = el("div", { className: "bar", role: "group", "aria-label": "The fit" }, Object.values(doing));
  const steering = el("div", {},
    el("h3", {}, "Knobs"), knobs,
    el("h3", {}, "Note"), el("form", { className: "bar", onsubmit: write }, note, el("button", { type: "submit" }, "Keep")),
    el("h3", {}, "Checkpoints"), checkpoints);
  let parent = null, branching = null, form = null, due = false, over = false;

  show(
    back,
    el("div", { className: "title" }, title, status), where, bar,
    buttons, coach.place,
    el("div", { className: "two" },
      el("section", { "aria-label": "Curves" }, el("label", { className: "hint" }, log, " log axis"), loss.place, more.place, turned.place),
      el("section", { "aria-label": "Steering" },
        values, steering, el("h3", {}, "What happened"), told)),
    diagnosis.place, net.place);
  for (const chart of [loss, more, turned]) chart.draw([], {});

  const connection = new api.Line(run, take, (state, why) => {
    const words = {
      connected: ["connected", ""], refused: [why, "wrong"],
      lost: ["The connection is lost; it is sought again. What you see is what was last known.", "lost"],
    };
    say(...words[state]);
    document.body.classList.toggle("stale", state === "lost");
  });

  function button(text, act) {
    return el("button", { type: "button", onclick: act }, text);
  }

  async function wish(what) {
    try {
      const answer = await connection.wish(what);
      say("connected");
      return answer;
    } catch (error) {
      say(error.message, "wrong");
      throw error;
    }
  }

  // The same where an error is told and nothing hangs on it.
  const quiet = (what) => wish(what).catch(() => null);

  async function write(event) {
    event.preventDefault();
    if (!note.value.trim()) return;
    if (await quiet({ do: "note", text: note.value })) note.value = "";
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(await api.script(run));
      say("The script is on the clipboard: it repeats this fit, turned knobs included.");
    } catch (error) {
      say(error.message, "wrong");
    }
  }

  // -- what comes in ---------------------------------------------------------------------------

  function take(frame) {
    if (frame.fresh) Object.assign(held, { epochs: [], changes: [], notes: [], warnings: [], points: [], epoch: -1, series: -1 });
    for (const name of ["epochs", "changes", "notes", "warnings"]) held[name].push(...frame[name]);
    if (frame.series !== held.series) Object.assign(held, { epoch: frame.epoch, series: frame.series, points: [] });
    held.points.push(...frame.points);
    held.now = frame.now;
    if (frame.now.run && frame.now.run !== run) {
      location.hash = `#run=${encodeURIComponent(frame.now.run)}`; // it has branched off: the fit is that run now
      return;
    }
    if (!due) {
      due = true;
      requestAnimationFrame(() => { due = false; if (!over) draw(); });
    }
  }

  function draw() {
    const { now } = held, steered = Boolean(now.steered), paused = now.status === "paused";
    title.textContent = now.run || run;
    status.textContent = now.status || "";
    status.className = `status ${(now.status || "").replace(" ", "-")}`;
    const step = now.steps ? `, step ${now.step ?? 0} of ${now.steps}` : now.step ? `, step ${now.step}` : "";
    const done = held.epochs.length, total = now.epochs || 0;
    where.textContent = [
      steered ? `epoch ${Math.min((now.epoch ?? 0) + 1, total)} of ${total}${step}` : `${done} of ${total || "–"} epochs`,
      now.parameters ? `${now.parameters.toLocaleString("en")} parameters` : "",
      seconds(now.seconds ?? held.epochs.reduce((sum, one) => sum + (one.seconds || 0), 0)),
      now.branched ? `branched off ${now.branched.from} at epoch ${now.branched.epoch + 1}, step ${now.branched.step}` : "",
      now.why || "",
    ].filter(Boolean).join(" · ");
    bar.value = total ? Math.min(1, (steered ? (now.epoch ?? 0) + (now.steps ? (now.step ?? 0) / now.steps : 0) : done) / total) : 0;
    doing.pause.disabled = !steered || paused;
    doing.on.disabled = !steered || !paused;
    doing.one.disabled = doing.stop.disabled = !steered;
    doing.keep.disabled = !steered || !now.checkpoints;
    coach.show(now.coach, now.status);
    curves();
    trial();
    turnKnobs();
    happened();
    list();
    diagnosis.look(`${now.status} ${held.epochs.length}`);
    const trains = steered && !paused;
    net.look(`${encodeURIComponent(now.run || run)} ${steered ? "" : now.status} ${trains}`, steered ? held.epochs.length : null, trains);
  }

  function curves() {
    const names = new Set();
    for (const one of held.epochs) for (const name of Object.keys(one)) if (!["epoch", "seconds"].includes(name)) names.add(name);
    for (const [, logs] of held.points) for (const name of Object.keys(logs)) names.add(name);
    const steps = held.now.steps;
    const marks = held.changes.map((one) => one.epoch + (steps ? one.step / steps : 0));
    const traces = { loss: [], more: [] };
    [...names].forEach((name) => {
      const plain = name.replace(/^val_/, ""), isLoss = plain === "loss";
      const order = isLoss ? 0 : [...new Set([...names].map((one) => one.replace(/^val_/, "")))].filter((one) => one !== "loss").indexOf(plain);
      const own = held.epochs.filter((one) => typeof one[name] === "number");
      const into = traces[isLoss ? "loss" : "more"];
      const shown = isLoss && name !== plain ? 1 : order;
      into.push(line(name, own.map((one) => one.epoch + 1), own.map((one) => one[name]), shown, name !== plain));
      const points = held.epoch >= held.epochs.length || !held.epochs.some((one) => one.epoch === held.epoch)
        ? held.points.filter(([, logs]) => typeof logs[name] === "number") : [];
      if (points.length && steps) {
        into.push(line(`${name}, this epoch`, points.map(([step]) => held.epoch + step / steps), points.map(([, logs]) => logs[name]), shown, false,
          { opacity: 0.55, showlegend: false, line: { width: 1, color: into.at(-1).line.color } }));
      }
    });
    loss.draw([...before(), ...traces.loss], { x: "epoch", y: "loss", log: log.checked, marks });
    more.place.hidden = !traces.more.length;
    if (traces.more.length) more.draw(traces.more, { x: "epoch", y: "", marks });
    hypers(steps, marks);
  }

  // The run that this one has branched off, thin, behind it.
  function before() {
    const branched = held.now.branched;
    if (!branched) return [];
    if (!parent) {
      parent = { epochs: [] };
      const name = [...run.split("/").slice(0, -1), String(branched.from).split(/[\\/]/).at(-1)].join("/");
      api.curves(name).then((found) => { parent = { name, epochs: found.epochs }; if (!over) draw(); }).catch(() => {});
    }
    return ["loss", "val_loss"].map((key) => [key, parent.epochs.filter((one) => typeof one[key] === "number")])
      .filter(([, own]) => own.length)
      .map(([key, own]) => line(`${parent.name}: ${key}`, own.map((one) => one.epoch + 1), own.map((one) => one[key]), 7, key !== "loss",
        { line: { width: 1, color: color(7), dash: key === "loss" ? "solid" : "dash" } }));
  }

  // Each hyper as a line of steps: from its first value over each turn to the one in force.
  function hypers(steps, marks) {
    const at = (one) => one.epoch + (steps ? one.step / steps : 0);
    const now = held.now.epoch !== undefined ? held.now.epoch + (steps ? (held.now.step || 0) / steps : 0) : held.epochs.length;
    const paths = Object.keys(held.now.hypers || {}).filter((path) =>
      path === "optimizer/learning_rate" || held.changes.some((one) => one.path === path));
    const traces = paths.map((path, i) => {
      const own = held.changes.filter((one) => one.path === path);
      const last = held.now.hypers[path];
      const x = [0, ...own.flatMap((one) => [at(one)]), Math.max(now, 0)], y = [own.length ? own[0].old : last, ...own.map((one) => one.new), last];
      return line(path, x, y, i, false, { line: { shape: "hv", width: 2 } });
    });
    turned.place.hidden = !traces.length;
    if (traces.length) turned.draw(traces, { x: "epoch", y: "", log: true, marks });
  }

  // Of a study's trial, what was tried, and the way back; nobody steers it.
  function trial() {
    if (!held.now.values || values.children.length) return;
    const study = run.slice(0, run.lastIndexOf("/trial-"));
    buttons.hidden = steering.hidden = true;
    back.replaceChildren(el("a", { href: "#" }, "All runs"), " · ", el("a", { href: `#study=${encodeURIComponent(study)}` }, `The study ${study}`));
    values.append(el("caption", {}, "Hyperparameters"), el("tbody", {}, Object.entries(held.now.values).map(([name, value]) =>
      el("tr", {}, el("th", { scope: "row" }, name), el("td", { className: "number" }, number(value))))));
    if (held.now.source !== null) {
      const before = `${study}/trial-${String(held.now.source).padStart(4, "0")}`;
      back.append(" · ", el("a", { href: `#run=${encodeURIComponent(before)}` }, `It goes on with trial ${held.now.source}`));
    }
  }

  function turnKnobs() {
    const hypers = held.now.hypers || {}, ranges = held.now.ranges || {};
    for (const [path, value] of Object.entries(hypers)) {
      if (!sheet.has(path)) {
        sheet.set(path, new Knob(path, value, ranges[path], (wanted) => wish({ do: "turn", path, value: wanted })));
        knobs.append(sheet.get(path).place);
      }
      sheet.get(path).show(value, Boolean(held.now.steered));
    }
    if (!sheet.size) knobs.replaceChildren(el("p", { className: "hint" }, "Knobs are there while a process trains the run with a studio."));
    else if (knobs.firstChild?.className === "hint") knobs.firstChild.remove();
  }

  function happened() {
    const place = (one) => `epoch ${one.epoch + 1}, step ${one.step}: `;
    const lines = [
      ...held.changes.map((one) => [one.epoch, one.step, `${place(one)}${one.path} ${number(one.old)} → ${number(one.new)}`, "turn"]),
      ...held.notes.map((one) => [one.epoch, one.step, `${place(one)}${one.text}`, "note"]),
      ...held.warnings.map((text) => [Infinity, 0, text, "warning"]),
    ].sort((a, b) => b[0] - a[0] || b[1] - a[1]);
    const key = lines.map((one) => one[2]).join("\n");
    if (told.dataset.key === key && told.children.length) return;
    told.dataset.key = key;
    told.replaceChildren(...(lines.length ? lines.map(([, , text, kind]) => el("li", { className: kind }, text))
      : [el("li", { className: "hint" }, "Nothing yet: turns of knobs, notes and warnings come here.")]));
  }

  function list() {
    const known = held.now.checkpoints || [], steered = Boolean(held.now.steered), names = branching && !known.includes(branching) ? [...known, branching].sort() : known;
    const key = `${steered} ${names.join(" ")} ${branching}`;
    if (checkpoints.dataset.key === key) return;
    checkpoints.dataset.key = key;
    checkpoints.replaceChildren(...(names.length ? names.map((name) => {
      const [, epoch, step] = name.match(/epoch-(\d+)-step-(\d+)/) || [null, "0", "0"];
      const left = name.match(/^left\/(\d+)/), of = left ? `, of way ${left[1]} that was left` : "";
      const text = `epoch ${Number(epoch) + (Number(step) ? 1 : 0)}${Number(step) ? `, step ${Number(step)}` : " done"}${of}`;
      return el("li", {}, text,
        el("button", { type: "button", disabled: !steered, onclick: () => quiet({ do: "go back", checkpoint: name }) }, "Go back"),
        el("button", { type: "button", disabled: !steered, "aria-expanded": branching === name,
          onclick: () => { [branching, form] = branching === name ? [null, null] : [name, branch(name)]; list(); } }, "Branch"),
        branching === name ? form : null);
    }) : [el("li", { className: "hint" }, "None: fit(run='runs/first') keeps some.")]));
  }

  // Other hypers from a checkpoint on, as a new run.
  function branch(name) {
    const hypers = held.now.hypers || {};
    const close = () => { branching = form = null; list(); };
    const which = el("select", { "aria-label": "Hyperparameter" }, Object.keys(hypers).map((path) => el("option", { value: path }, path)));
    which.value = "optimizer/learning_rate" in hypers ? "optimizer/learning_rate" : which.value;
    const value = el("input", { type: "number", step: "any", value: hypers[which.value], "aria-label": "Its value from there on" });
    which.addEventListener("change", () => { value.value = hypers[which.value]; });
    return el("form", { className: "bar", onsubmit: async (event) => {
      event.preventDefault();
      if (await quiet({ do: "branch", checkpoint: name, hypers: { [which.value]: Number(value.value) } })) close();
    } }, which, value, el("button", { type: "submit" }, "Branch off"));
  }

  return () => {
    over = true;
    connection.close();
    document.body.classList.remove("stale");
    net.gone();
    for (const chart of [loss, more, turned]) chart.gone();
  };
}
