// Curves by Plotly. Colours are Okabe and Ito's, told apart by the colour-blind, too; dashes tell validation from training.
import { el } from "./dom.js";

const ON_LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a66f00", "#3a93c9", "#8a6d00", "#7d848c"];
const ON_DARK = ["#56b4e9", "#f0904f", "#4fc79b", "#e4a5cb", "#e6b84d", "#9fd3f5", "#d8c46a", "#a3acb5"];
const HIGH = 300; // pixels of a chart that asks for nothing else
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

// Plotly reads a little markup in texts; names of people's runs are no markup.
export const plainly = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const dark = window.matchMedia("(prefers-color-scheme: dark)");

export const isDark = () => dark.matches;

export const color = (i) => (dark.matches ? ON_DARK : ON_LIGHT)[i % ON_LIGHT.length];

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function layout(given) {
  const ink = css("--ink"), faint = css("--line");
  const axis = { gridcolor: faint, linecolor: faint, zerolinecolor: faint, automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, size: 12, family: css("--font") },
    margin: { l: 56, r: 12, t: 30, b: 40 }, height: given.height || HIGH, hovermode: given.hover || "x unified", showlegend: true,
    hoverlabel: { bgcolor: css("--paper"), font: { color: ink } },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 12 } }, uirevision: "kept",
    xaxis: { ...axis, title: { text: given.x || "" } },
    yaxis: { ...axis, title: { text: given.y || "" }, type: given.log ? "log" : "linear", exponentformat: "power", range: given.range && (given.log ? given.range.map((end) => Math.log10(Math.max(end, 1e-12))) : given.range) || undefined },
    shapes: (given.marks || []).map((x) => ({
      type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: css("--mark"), width: 1, dash: "dot" },
    })),
  };
}

// A layout with parts of its own; axes are told part by part.
function over(base, own = {}) {
  return { ...base, ...own, xaxis: { ...base.xaxis, ...own.xaxis }, yaxis: { ...base.yaxis, ...own.yaxis } };
}

export class Chart {
  constructor(label, height) {
    this.place = el("div", { className: "chart", role: "img", "aria-label": label });
    this.height = height;
  }

  draw(traces, given) {
    if (!this.place.isConnected) return;
    this.place.style.height = `${given.height || this.height || HIGH}px`; // its own, so that it covers nothing while a window changes its size
    Plotly.react(this.place, traces, over(layout({ height: this.height, ...given }), given.over), CONFIG);
    if (given.onpoint && !this.bound) {
      this.bound = true;
      this.place.on("plotly_click", ({ points }) => points[0].customdata !== undefined && given.onpoint(points[0].customdata));
    }
  }

  gone() {
    if (this.place.data) Plotly.purge(this.place);
  }
}

export function line(name, x, y, i, dashed = false, more = {}) {
  return {
    type: "scatter", mode: y.length === 1 ? "markers" : "lines", name: plainly(name), x, y,
    line: { color: color(i), width: 2, dash: dashed ? "dash" : "solid" }, marker: { color: color(i) },
    hovertemplate: "%{y:.4g}", ...more,
  };
}

// Exponential smoothing whose first values do not hang on where it began.
export function smoothed(values, weight) {
  if (!weight) return values;
  let sum = 0, norm = 0;
  return values.map((one) => {
    if (typeof one !== "number") return one;
    sum = weight * sum + (1 - weight) * one;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}
