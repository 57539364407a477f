// Which page: by what stands behind the # of the address, so that a reload or a second tab shows the same.
import { say, show, el } from "./dom.js";
import { landscapePage } from "./landscape.js";
import { runPage } from "./run.js";
import { comparePage, runsPage } from "./runs.js";
import { studyPage } from "./study.js";

let leave = null;

function turn() {
  leave?.();
  const [name, value = ""] = location.hash.slice(1).split("=");
  const pages = {
    "": () => runsPage(),
    run: () => runPage(decodeURIComponent(value)),
    study: () => studyPage(decodeURIComponent(value)),
    landscape: () => landscapePage(decodeURIComponent(value) || null),
    compare: () => comparePage(value.split(",").map(decodeURIComponent).filter(Boolean)),
  };
  if (!(name in pages)) {
    leave = null;
    show(el("p", { className: "empty" }, "There is no such page. ", el("a", { href: "#" }, "All runs")));
    return;
  }
  leave = pages[name]();
}

window.addEventListener("hashchange", turn);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", turn);
window.addEventListener("unhandledrejection", (event) => say(event.reason?.message || "Something went wrong.", "wrong"));
turn();
