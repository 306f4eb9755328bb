// The browser of a report: three pictures side by side with one cursor and, of a decomposition, the basis vectors and the plots. Everything
// that can be done with the pointer can be done with keys.
import { Basis } from "./basis.js";
import { draw } from "./plots.js";
import { endsWords, namesOf, sentence } from "./reading.js";
import { fit, keyed, mark, paint, pointed, turned } from "./screen.js";
import { WINDOWS, colorsOf, palette, shade } from "./shades.js";
import { Vectors } from "./vectors.js";
import { Volume, viewsOf } from "./volume.js";

const GRAYS = palette((byte) => [byte, byte, byte]);
const INVERTED = palette((byte) => [255 - byte, 255 - byte, 255 - byte]);
// Smallest window of a difference: the step of stored values, which composites are rounded to.
const SMALLEST_REACH = 1;

/**
 * Shows the browser in `section`; `ofBasis` and, for each plane, `ofPlanes` are functions that return the encoded texts. Resolves when all
 * of them are decoded, or as many as there is memory for: then `tell` gets a sentence.
 */
export async function start(section, meta, ofBasis, ofPlanes, tell) {
  const browser = new Browser(section, meta);
  await browser.volume.load(ofPlanes[0]);
  browser.planeIsThere();
  if (meta.basis) await browser.loadVectors(ofBasis);
  for (const [i, composite] of meta.composites.entries()) {
    try {
      await browser.volume.load(ofPlanes[i + 1]);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      tell(`This web browser has too little memory for all that is in this page, from ${namesOf(composite).whole} on (${error.message}).`);
      return;
    }
    browser.planeIsThere();
  }
}

class Browser {
  constructor(section, meta) {
    this.volume = new Volume(meta);
    this.views = viewsOf(this.volume);
    this.view = this.views[0];
    const { width, height, depth } = this.volume;
    this.at = { x: width >> 1, y: height >> 1, z: this.volume.sampleOf((meta.slices >> 1) + 1) };
    this.colors = palette(colorsOf(meta.colors));
    this.window = { low: meta.display.low, high: meta.display.high };
    this.find = (name) => section.querySelector(`[data-part="${name}"]`);
    this.screens = ["original", "composite", "difference"].map((name) => this.find(name));
    this.section = section;
    this.fillControls();
    this.listen();
  }

  /** The composite that is chosen; of none, plane 0. */
  get composite() {
    const plane = Number(this.find("composites").value || 0);
    return plane === 0 ? { plane: 0 } : { plane, ...this.volume.meta.composites[plane - 1] };
  }

  fillControls() {
    const { meta } = this.volume;
    this.views.forEach(({ name }, i) => this.find(`view-${i}`).append(name));
    const given = meta.window ? "As the scan's headers say" : (meta.instead ?? "All values of the scan");
    const windows = [[given, null], ...(meta.unit === "HU" ? WINDOWS.map(([name], i) => [name, i]) : []), ["Own", -1]];
    this.find("windows").replaceChildren(...windows.map(([name, value]) => new Option(name, value ?? "")));
    this.showWindow();
    if (meta.s) this.drawSpectrum();
  }

  listen() {
    const on = (name, event, act) => this.find(name).addEventListener(event, act);
    this.views.forEach((view, i) => on(`view-${i}-input`, "change", () => this.showView(view)));
    on("composites", "change", () => this.chooseComposite());
    on("smooth", "change", () => this.show());
    on("slice", "input", () => this.move(this.view.through, Number(this.find("slice").value)));
    on("windows", "change", () => this.chooseWindow());
    for (const name of ["level", "width"]) on(name, "change", () => this.ownWindow());
    on("reach", "change", () => this.show());
    const panels = this.find("panels");
    keyed(panels, () => this.keys());
    turned(panels, (by) => this.step(this.view.through, by));
    for (const screen of this.screens) pointed(screen, (column, row) => this.point(column, row));
  }

  planeIsThere() {
    const { planes, meta } = this.volume;
    if (planes.length === 1) {
      this.section.hidden = false;
      this.showView(this.view);
    } else {
      const plane = planes.length - 1;
      this.find("composites").append(new Option(namesOf(meta.composites[plane - 1]).listed, plane));
      if (plane === 1) this.chooseComposite();
    }
    this.section.dataset.planes = String(planes.length);
  }

  async loadVectors(texts) {
    const basis = new Basis(this.volume.meta);
    await basis.load(texts);
    const { x, y, z } = this.at;
    this.vectors = new Vectors(basis, this.find, this.colors, this.volume.place(x, y, z).slice);
  }

  showView(view) {
    this.view = view;
    this.find("slice").max = view.count - 1;
    for (const screen of this.screens) fit(screen, view);
    this.show();
  }

  chooseComposite() {
    const { plane, k, rms } = this.composite;
    if (rms !== undefined) this.find("reach").value = Math.max(SMALLEST_REACH, Math.round(4 * rms));
    const words = endsWords(this.volume.atEnds[plane], k);
    this.find("ends").textContent = words;
    this.find("ends").hidden = words === "";
    this.show();
  }

  chooseWindow() {
    const chosen = this.find("windows").value;
    if (chosen === "-1") return this.ownWindow();
    const { low, high } = this.volume.meta.display;
    if (chosen === "") this.window = { low, high };
    else {
      const [, level, width] = WINDOWS[Number(chosen)];
      this.window = { low: level - width / 2, high: level + width / 2 };
    }
    this.showWindow();
    this.show();
  }

  showWindow() {
    const { low, high } = this.window;
    this.find("level").value = Number(((low + high) / 2).toPrecision(6));
    this.find("width").value = Number((high - low).toPrecision(6));
  }

  ownWindow() {
    const level = Number(this.find("level").value);
    const width = Number(this.find("width").value);
    if (Number.isFinite(level) && width > 0) {
      this.find("windows").value = "-1";
      this.window = { low: level - width / 2, high: level + width / 2 };
    } else this.showWindow();
    this.show();
  }

  /** What keys do while the pictures have the focus. */
  keys() {
    const { across, down, through, turned: upward } = this.view;
    return {
      ArrowLeft: (by) => this.step(across, -by),
      ArrowRight: (by) => this.step(across, by),
      ArrowUp: (by) => this.step(down, upward ? by : -by),
      ArrowDown: (by) => this.step(down, upward ? -by : by),
      PageUp: (by) => this.step(through, by),
      PageDown: (by) => this.step(through, -by),
      Home: () => this.move(through, 0),
      End: () => this.move(through, this.view.count - 1),
    };
  }

  step(axis, by) {
    this.move(axis, this.at[axis] + by);
  }

  move(axis, to) {
    const sizes = { x: this.volume.width, y: this.volume.height, z: this.volume.depth };
    this.at[axis] = Math.min(sizes[axis] - 1, Math.max(0, to));
    this.show();
  }

  /** Puts the cursor at a column and row of a picture. */
  point(column, row) {
    this.at[this.view.across] = column;
    this.at[this.view.down] = this.downward(row);
    this.show();
  }

  /** The place along the axis that runs down at a row of a picture, or the other way around. */
  downward(row) {
    return this.view.turned ? this.view.height - 1 - row : row;
  }

  /** Draws at the next frame, however often it is called before. */
  show() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawAll();
    });
  }

  drawAll() {
    const { view, volume, at } = this;
    const { meta } = volume;
    const { plane } = this.composite;
    const { low, high } = this.window;
    const grays = meta.display.inverted ? INVERTED : GRAYS;
    const reach = Math.max(Number(this.find("reach").value) || 0, 1e-9);
    const [original, composite, difference] = this.screens;
    const gray = (of) => (x, y, z) => grays[shade(volume.value(of, x, y, z), low, high)];
    this.paint(original, gray(0));
    if (plane > 0) {
      this.paint(composite, gray(plane));
      this.paint(difference, (x, y, z) => this.colors[shade(volume.value(0, x, y, z) - volume.value(plane, x, y, z), -reach, reach)]);
      this.find("composite-caption").textContent = namesOf(this.composite).caption;
    }
    for (const screen of [composite, difference]) screen.closest("figure").hidden = plane === 0;
    const slider = this.find("slice");
    const { row, column, slice } = volume.place(at.x, at.y, at.z);
    const shown = { z: `slice ${slice} of ${meta.slices}`, y: `row ${row} of ${meta.rows}`, x: `column ${column} of ${meta.columns}` };
    const words = `${view.name}: ${shown[view.through]}`;
    slider.value = at[view.through];
    slider.setAttribute("aria-valuetext", words);
    this.find("slice-words").textContent = words;
    this.find("reading").textContent = sentence(volume, this.composite, at.x, at.y, at.z);
    this.vectors?.showSlice(slice);
  }

  paint(screen, color) {
    const { across, down, through } = this.view;
    const at = { [through]: this.at[through] };
    const ofPixel = (column, row) => {
      at[across] = column;
      at[down] = this.downward(row);
      return color(at.x, at.y, at.z);
    };
    paint(screen, ofPixel, this.find("smooth").checked);
    mark(screen, this.at[across], this.downward(this.at[down]));
  }

  drawSpectrum() {
    const { s, rank, automatic, composites } = this.volume.meta;
    const marks = composites.map(({ k }) => ({ at: k }));
    if (automatic !== null) marks.push({ at: automatic, shown: true });
    draw(this.find("spectrum"), {
      values: s,
      logarithmic: true,
      label: "number of the basis vector",
      marks,
      title: `Singular values from ${s[0].toExponential(3)} to ${s[rank - 1].toExponential(3)}, for ${rank} basis vectors`,
    });
  }
}
