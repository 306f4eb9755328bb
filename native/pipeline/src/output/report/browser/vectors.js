// The basis vectors: one at a time as an image with a cursor, and its weights along the series. All of it can be done with keys.
import { draw } from "./plots.js";
import { entryWords, vectorWords } from "./reading.js";
import { fit, keyed, mark, paint, pointed, turned } from "./screen.js";
import { shade } from "./shades.js";
import { viewsOf } from "./volume.js";

export class Vectors {
  /** `basis` is loaded; `find` gives the parts of the page by their names, `colors` are those of a difference, `slice` is shown, from 1. */
  constructor(basis, find, colors, slice) {
    this.basis = basis;
    this.find = find;
    this.colors = colors;
    this.screen = find("basis");
    this.vector = 0;
    this.slice = slice;
    this.at = { x: basis.width >> 1, y: basis.height >> 1 };
    const { width, height, step, meta } = basis;
    fit(this.screen, viewsOf({ width, height, depth: 1, meta: { ...meta, step } })[0]);
    find("vector").max = basis.count;
    this.listen();
    this.show();
  }

  listen() {
    const panel = this.find("vector-panel");
    this.find("vector").addEventListener("input", () => this.choose(Number(this.find("vector").value) - 1));
    this.find("smooth").addEventListener("change", () => this.show());
    pointed(this.screen, (x, y) => this.move(x, y));
    turned(panel, (by) => this.choose(this.vector + by));
    const { at } = this;
    keyed(panel, () => ({
      ArrowLeft: (by) => this.move(at.x - by, at.y),
      ArrowRight: (by) => this.move(at.x + by, at.y),
      ArrowUp: (by) => this.move(at.x, at.y - by),
      ArrowDown: (by) => this.move(at.x, at.y + by),
      PageUp: (by) => this.choose(this.vector + by),
      PageDown: (by) => this.choose(this.vector - by),
      Home: () => this.choose(0),
      End: () => this.choose(this.basis.count - 1),
    }));
  }

  /** Shows a basis vector, from 0. */
  choose(vector) {
    this.vector = Math.min(this.basis.count - 1, Math.max(0, vector));
    this.show();
  }

  move(x, y) {
    this.at.x = Math.min(this.basis.width - 1, Math.max(0, x));
    this.at.y = Math.min(this.basis.height - 1, Math.max(0, y));
    this.show();
  }

  /** Marks a slice, from 1. */
  showSlice(slice) {
    if (slice === this.slice) return;
    this.slice = slice;
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
    const { basis, vector, slice, at } = this;
    const { reach } = basis.meta.basis;
    const color = (x, y) => this.colors[shade(basis.value(vector, x, y), -reach, reach)];
    paint(this.screen, color, this.find("smooth").checked);
    mark(this.screen, at.x, at.y);
    const words = vectorWords(basis, vector);
    const slider = this.find("vector");
    slider.value = vector + 1;
    slider.setAttribute("aria-valuetext", words);
    this.find("vector-words").textContent = words;
    this.find("vector-reading").textContent = entryWords(basis, vector, slice, at);
    const values = basis.meta.weights[vector];
    draw(this.find("weights"), {
      values,
      label: "slice",
      marks: [{ at: slice, shown: true }],
      title: `Weights of basis vector ${vector + 1} in ${values.length} slices; in slice ${slice} it is ${values[slice - 1].toPrecision(4)}`,
    });
  }
}
