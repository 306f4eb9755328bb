// Line plots as SVG.

const SVG = "http://www.w3.org/2000/svg";
const SIZE = { width: 480, height: 240, left: 64, right: 12, top: 12, bottom: 40 };

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A number in few digits. */
export function brief(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

/**
 * Draws a curve over 1, 2, 3, .. into `svg`, with vertical marks.
 *
 * @param options.values the curve
 * @param options.logarithmic whether its axis is; values that are not positive are left out
 * @param options.label of the axis across
 * @param options.marks each `{ at, shown }`: place on the axis across, and whether it is the place that is shown
 * @param options.title what the plot says, for who cannot see it
 */
export function draw(svg, { values, logarithmic = false, label, marks = [], title }) {
  const { width, height, left, right, top, bottom } = SIZE;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title);
  svg.replaceChildren(element("rect", { class: "frame", x: left, y: top, width: width - left - right, height: height - top - bottom }));
  const scale = (value) => (logarithmic ? Math.log10(value) : value);
  const usable = values.filter((value) => !logarithmic || value > 0);
  if (usable.length === 0) return;
  let low = Math.min(...usable.map(scale));
  let high = Math.max(...usable.map(scale));
  if (high === low) [low, high] = [low - 1, high + 1];
  const across = (at) => left + ((at - 1) / Math.max(values.length - 1, 1)) * (width - left - right);
  const down = (value) => height - bottom - ((scale(value) - low) / (high - low)) * (height - top - bottom);
  for (const { at, shown } of marks) {
    const place = { x1: across(at), x2: across(at), y1: top, y2: height - bottom };
    svg.append(element("line", { class: shown ? "mark shown" : "mark", ...place }));
  }
  const points = values.map((value, i) => (logarithmic && value <= 0 ? "" : `${across(i + 1).toFixed(1)},${down(value).toFixed(1)}`));
  svg.append(element("polyline", { class: "curve", points: points.filter(Boolean).join(" ") }));
  for (const [value, anchor] of [[low, height - bottom], [high, top + 10]]) {
    const shown = brief(logarithmic ? 10 ** value : value);
    svg.append(element("text", { x: left - 6, y: anchor, "text-anchor": "end" }, shown));
  }
  for (const at of new Set([1, values.length])) {
    svg.append(element("text", { x: across(at), y: height - bottom + 16, "text-anchor": at === 1 ? "start" : "end" }, String(at)));
  }
  svg.append(element("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, label));
}
