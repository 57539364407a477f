// Elements from names, attributes and children. Text is text: nothing is ever read as markup.
export function el(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && key !== "list" && key !== "form") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, given = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function show(...children) {
  const main = document.getElementById("main");
  main.replaceChildren(...children);
}

export function say(text, kind = "") {
  const state = document.getElementById("state");
  state.textContent = text;
  state.className = kind;
}

export function number(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 100000)) return String(Number(value.toPrecision(4)));
  return value.toExponential(2);
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 60) return `${value.toFixed(1)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`;
}

// A small curve, drawn without a library.
export function sparkline(values, label) {
  const finite = values.filter((one) => typeof one === "number");
  const picture = svg("svg", { viewBox: "0 0 120 28", class: "spark", role: "img", "aria-label": label });
  if (finite.length < 2) return picture;
  const low = Math.min(...finite), high = Math.max(...finite), wide = high - low || 1;
  const points = values.map((one, i) =>
    typeof one === "number" ? `${((118 * i) / (values.length - 1) + 1).toFixed(1)},${(26 - (24 * (one - low)) / wide).toFixed(1)}` : "");
  picture.append(svg("polyline", { points: points.filter(Boolean).join(" "), fill: "none" }));
  return picture;
}
