// Heights as contours in equal ratios, as the pictures of the Python side have them.
import { isDark } from "./charts.js";
import { number } from "./dom.js";

const LEVELS = 24, LEAST = 1e-6, TICKS = 6;
export const LINED = { color: "#ffffff", line: { color: "#000000", width: 1.2 } };
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

const BEHIND = { light: ["#ffffff", "#c3ccd5"], dark: ["#14181c", "#3d4852"] };

const scaled = (colors) => colors.map((one, i) => [i / (colors.length - 1), one]);

export const ends = (values) => values.reduce(([low, high], one) => (one === null ? [low, high] : [Math.min(low, one), Math.max(high, one)]), [Infinity, -Infinity]);

// A trace for Plotly.
//   x, y: places along the sides; losses: [y][x], null where there is none.
//   names: of x and y; more(i, j): further words of a place; bar: whether the scale is shown; paper: whether it is to stay behind curves.
export function contour(x, y, losses, { names, more = () => "", bar = false, paper = false }) {
  const [low, high] = ends(losses.flat());
  const ratios = low >= 0 && high > 2 * low, floor = Math.max(low, LEAST * high);
  const height = (one) => (one === null ? null : ratios ? Math.log10(Math.max(one, floor)) : one);
  const from = height(ratios ? floor : low), to = Math.max(height(high), from + 1e-9 * (Math.abs(from) || 1));
  const ticks = Array.from({ length: TICKS }, (_, i) => from + ((to - from) * i) / (TICKS - 1));
  return {
    type: "contour", x, y, z: losses.map((row) => row.map(height)), zmin: from, zmax: to, autocontour: false, hoverongaps: false, showlegend: false,
    contours: { start: from, end: to, size: (to - from) / (LEVELS - 1) }, line: { color: "rgba(255,255,255,0.5)", width: paper ? 0.6 : 0.4 },
    colorscale: scaled(paper ? BEHIND[isDark() ? "dark" : "light"] : VIRIDIS), showscale: bar,
    text: losses.map((row, i) => row.map((one, j) => `${number(one)}${more(i, j)}`)),
    hovertemplate: `${names[0]} %{x:.3g}, ${names[1]} %{y:.3g}<br>loss %{text}<extra></extra>`,
    colorbar: { title: { text: "loss" }, thickness: 12, outlinewidth: 0, tickvals: ticks, ticktext: ticks.map((one) => number(ratios ? 10 ** one : one)) },
  };
}
