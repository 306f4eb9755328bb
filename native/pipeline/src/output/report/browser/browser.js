// The browser of a report: three pictures side by side with one cursor, and the plots beside them. Everything that can be done with the
// pointer can be done with keys.
import { draw } from "./plots.js";
import { endsWords, sentence } from "./reading.js";
import { WINDOWS, colorsOf, palette, shade } from "./shades.js";
import { Volume, viewsOf } from "./volume.js";

const GRAYS = palette((byte) => [byte, byte, byte]);
const INVERTED = palette((byte) => [255 - byte, 255 - byte, 255 - byte]);
// Smallest window of a difference: the step of stored values, which composites are rounded to.
const SMALLEST_REACH = 1;

/** Shows the browser in `section`; `texts` are the encoded planes. Resolves when all of them are decoded. */
export async function start(section, meta, texts) {
  const browser = new Browser(section, meta);
  for (const text of texts) {
    await browser.volume.load(text());
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
    const given = meta.window ? "As the scan's headers say" : "All values of the scan";
    const windows = [[given, null], ...(meta.unit === "HU" ? WINDOWS.map(([name], i) => [name, i]) : []), ["Own", -1]];
    this.find("windows").replaceChildren(...windows.map(([name, value]) => new Option(name, value ?? "")));
    this.showWindow();
    const columns = meta.weights.map((_, j) => new Option(`${j + 1}`, j));
    this.find("columns").replaceChildren(...columns);
    this.drawSpectrum();
  }

  listen() {
    const on = (name, event, act) => this.find(name).addEventListener(event, act);
    this.views.forEach((view, i) => on(`view-${i}-input`, "change", () => this.showView(view)));
    on("composites", "change", () => this.chooseComposite());
    on("columns", "change", () => this.drawWeights());
    on("smooth", "change", () => this.show());
    on("slice", "input", () => this.move(this.view.through, Number(this.find("slice").value)));
    on("windows", "change", () => this.chooseWindow());
    for (const name of ["level", "width"]) on(name, "change", () => this.ownWindow());
    on("reach", "change", () => this.show());
    const panels = this.find("panels");
    panels.addEventListener("keydown", (event) => this.key(event));
    panels.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.step(this.view.through, Math.sign(event.deltaY));
    }, { passive: false });
    for (const screen of this.screens) {
      const point = (event) => this.point(screen, event);
      screen.addEventListener("pointerdown", (event) => {
        screen.setPointerCapture(event.pointerId);
        point(event);
      });
      screen.addEventListener("pointermove", (event) => {
        if (event.pointerType === "mouse" || event.buttons > 0) point(event);
      });
    }
  }

  planeIsThere() {
    const { planes, meta } = this.volume;
    if (planes.length === 1) {
      this.section.hidden = false;
      this.showView(this.view);
    } else {
      const plane = planes.length - 1;
      const { k } = meta.composites[plane - 1];
      this.find("composites").append(new Option(`k = ${k}`, plane));
      if (plane === 1) this.chooseComposite();
    }
    this.section.dataset.planes = String(planes.length);
  }

  showView(view) {
    this.view = view;
    const slider = this.find("slice");
    slider.max = view.count - 1;
    for (const screen of this.screens) {
      const canvas = screen.querySelector("canvas");
      canvas.width = view.width;
      canvas.height = view.height;
      canvas.style.aspectRatio = view.aspect;
      screen.style.width = `min(100%, calc(80vh * ${view.aspect}))`; // a tall view fits into the window
      for (const [edge, letter] of Object.entries(view.letters)) {
        const mark = screen.querySelector(`.${edge}`);
        mark.textContent = letter;
        mark.hidden = letter === "";
      }
    }
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

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { across, down, through, turned } = this.view;
    const far = event.shiftKey ? 10 : 1;
    const keys = {
      ArrowLeft: () => this.step(across, -far),
      ArrowRight: () => this.step(across, far),
      ArrowUp: () => this.step(down, turned ? far : -far),
      ArrowDown: () => this.step(down, turned ? -far : far),
      PageUp: () => this.step(through, far),
      PageDown: () => this.step(through, -far),
      Home: () => this.move(through, 0),
      End: () => this.move(through, this.view.count - 1),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  step(axis, by) {
    this.move(axis, this.at[axis] + by);
  }

  move(axis, to) {
    const sizes = { x: this.volume.width, y: this.volume.height, z: this.volume.depth };
    this.at[axis] = Math.min(sizes[axis] - 1, Math.max(0, to));
    this.show();
  }

  /** Puts the cursor where the pointer is. */
  point(screen, event) {
    const { left, top, width, height } = screen.querySelector("canvas").getBoundingClientRect();
    const { across, down, turned } = this.view;
    const place = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    const row = place((event.clientY - top) / height, this.view.height);
    this.at[across] = place((event.clientX - left) / width, this.view.width);
    this.at[down] = turned ? this.view.height - 1 - row : row;
    this.show();
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
    const { plane, k, share } = this.composite;
    const { low, high } = this.window;
    const grays = meta.display.inverted ? INVERTED : GRAYS;
    const reach = Math.max(Number(this.find("reach").value) || 0, 1e-9);
    const [original, composite, difference] = this.screens;
    const gray = (of) => (x, y, z) => grays[shade(volume.value(of, x, y, z), low, high)];
    this.paint(original, gray(0));
    if (plane > 0) {
      this.paint(composite, gray(plane));
      this.paint(difference, (x, y, z) => this.colors[shade(volume.value(0, x, y, z) - volume.value(plane, x, y, z), -reach, reach)]);
      this.find("composite-caption").textContent = `Composite of k = ${k}: ${share} of the energy`;
    }
    for (const screen of [composite, difference]) screen.closest("figure").hidden = plane === 0;
    const slider = this.find("slice");
    const through = at[view.through];
    const { row, column, slice } = volume.place(at.x, at.y, at.z);
    const shown = { z: `slice ${slice} of ${meta.slices}`, y: `row ${row} of ${meta.rows}`, x: `column ${column} of ${meta.columns}` };
    const words = `${view.name}: ${shown[view.through]}`;
    slider.value = through;
    slider.setAttribute("aria-valuetext", words);
    this.find("slice-words").textContent = words;
    this.find("reading").textContent = sentence(volume, this.composite, at.x, at.y, at.z);
    this.drawWeights();
  }

  paint(screen, color) {
    const { across, down, through, turned, width, height } = this.view;
    const canvas = screen.querySelector("canvas");
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const at = { [through]: this.at[through] };
    for (let row = 0; row < height; row++) {
      at[down] = turned ? height - 1 - row : row;
      for (let i = 0; i < width; i++) {
        at[across] = i;
        pixels[row * width + i] = color(at.x, at.y, at.z);
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    screen.classList.toggle("pixels", !this.find("smooth").checked);
    const row = turned ? height - 1 - this.at[down] : this.at[down];
    screen.querySelector(".across").style.top = `${(100 * (row + 0.5)) / height}%`;
    screen.querySelector(".down").style.left = `${(100 * (this.at[across] + 0.5)) / width}%`;
  }

  drawWeights() {
    const { meta } = this.volume;
    const column = Number(this.find("columns").value || 0);
    const { slice } = this.volume.place(this.at.x, this.at.y, this.at.z);
    const values = meta.weights[column] ?? [];
    draw(this.find("weights"), {
      values,
      label: "slice",
      marks: [{ at: slice, shown: true }],
      title: `Weights of basis vector ${column + 1} in ${values.length} slices; in slice ${slice} it is ${values[slice - 1]?.toPrecision(4)}`,
    });
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
