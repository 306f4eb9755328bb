// The basis vectors: where their entries are, and what they are.
import { floats } from "./codec.js";
import { eachBlock, samplesOfBlocks } from "./volume.js";

export class Basis {
  /** `meta` is what the report says of the scan; the entries come with `load`. */
  constructor(meta) {
    this.meta = meta;
    this.step = meta.basis.step;
    this.width = Math.ceil(meta.columns / this.step);
    this.height = Math.ceil(meta.rows / this.step);
    this.count = meta.weights.length;
    /** Vector after vector, row by row. */
    this.entries = null;
  }

  /** Decodes the entries from base64 texts, each a function that returns it. */
  async load(texts) {
    const counts = samplesOfBlocks(this.meta, this.step);
    const size = this.width * this.height;
    const entries = new Float32Array(size * this.count);
    let first = 0;
    await eachBlock(texts, counts, (bytes, block) => {
      const count = counts[block];
      const values = floats(bytes);
      if (values.length !== count * this.count) throw new Error(`row block ${block + 1} of the basis vectors is incomplete`);
      for (let j = 0; j < this.count; j++) entries.set(values.subarray(j * count, (j + 1) * count), j * size + first);
      first += count;
    });
    this.entries = entries;
  }

  /** The entry of a vector, from 0, at sample x, y. */
  value(vector, x, y) {
    return this.entries[(vector * this.height + y) * this.width + x];
  }

  /** Row and column of the scan, counted from 1, of a sample. */
  place(x, y) {
    return { row: y * this.step + 1, column: x * this.step + 1 };
  }
}
