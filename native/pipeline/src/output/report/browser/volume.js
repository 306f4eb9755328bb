// The sampled volume: where its values are, what they are in the unit of the series, and how it lies in the body.
import { differences, fromBase64, inflate, pieces, undoPrediction } from "./codec.js";

/** -1 for the least number of 16 bits, 1 for the greatest, else 0. */
function endOf(stored) {
  return stored === -32768 ? -1 : stored === 32767 ? 1 : 0;
}

/** Samples of each row block, in the order of the blocks, where each `step`-th pixel of each `step`-th row is one. */
export function samplesOfBlocks({ rows, columns, block_rows }, step) {
  const counts = new Array(Math.ceil((rows * columns) / block_rows)).fill(0);
  for (let y = 0; y < rows; y += step) {
    for (let x = 0; x < columns; x += step) counts[Math.floor((y * columns + x) / block_rows)]++;
  }
  return counts;
}

/** Calls `take` with what each row block holds and with its number; `texts` are functions, so that one text at a time is there. */
export async function eachBlock(texts, counts, take) {
  let block = 0;
  for (const text of texts) {
    for (const piece of pieces(fromBase64(text()))) {
      if (block === counts.length) throw new Error("there are more row blocks than the scan has");
      take(await inflate(piece), block++);
    }
  }
  if (block !== counts.length) throw new Error("row blocks of the volume are missing");
}

export class Volume {
  /** `meta` is what the report says of the volume; the planes come with `load`. */
  constructor(meta) {
    this.meta = meta;
    this.width = Math.ceil(meta.columns / meta.step);
    this.height = Math.ceil(meta.rows / meta.step);
    this.depth = Math.ceil(meta.slices / meta.slice_step);
    /** Original, then composites: stored values, slice after slice. */
    this.planes = [];
    /** How many values of each plane are at an end of what 16 bits hold, where composites stop. */
    this.atEnds = [];
  }

  /** Decodes the next plane from its base64 texts, each a function that returns it. */
  async load(texts) {
    const counts = samplesOfBlocks(this.meta, this.meta.step);
    const inSlice = this.width * this.height;
    const plane = new Int16Array(inSlice * this.depth);
    const original = this.planes[0];
    let first = 0;
    await eachBlock(texts, counts, (bytes, block) => {
      const count = counts[block];
      const values = differences(bytes);
      if (values.length !== count * this.depth) throw new Error(`row block ${block + 1} of the volume is incomplete`);
      if (!original && count > 0) undoPrediction(values, count);
      for (let z = 0; z < this.depth; z++) {
        const at = z * inSlice + first;
        for (let i = 0; i < count; i++) plane[at + i] = values[z * count + i] + (original ? original[at + i] : 0);
      }
      first += count;
    });
    let atEnds = 0;
    for (let i = 0; i < plane.length; i++) if (endOf(plane[i]) !== 0) atEnds++;
    this.planes.push(plane);
    this.atEnds.push(atEnds);
  }

  /** The value at sample x, y, z of a plane (0: the original), in the unit of the series. */
  value(plane, x, y, z) {
    const [slope, intercept, offset] = this.rescale(z);
    return (this.planes[plane][(z * this.height + y) * this.width + x] + offset) * slope + intercept;
  }

  /** Whether a composite may be below (-1) or above (1) its value, which is at an end of what 16 bits hold; else 0. */
  beyond(plane, x, y, z) {
    const end = plane === 0 ? 0 : endOf(this.planes[plane][(z * this.height + y) * this.width + x]);
    return end * Math.sign(this.rescale(z)[0]);
  }

  /** Slope, intercept and offset of a sampled slice. */
  rescale(z) {
    const { rescale } = this.meta;
    return rescale[rescale.length === 1 ? 0 : z];
  }

  /** Row, column and slice of the scan, counted from 1, of a sample. */
  place(x, y, z) {
    const { step, slice_step } = this.meta;
    return { row: y * step + 1, column: x * step + 1, slice: z * slice_step + 1 };
  }

  /** The sample next to a slice of the scan, counted from 1. */
  sampleOf(slice) {
    return Math.min(this.depth - 1, Math.max(0, Math.round((slice - 1) / this.meta.slice_step)));
  }
}

const AXES = ["x", "y", "z"];
// Toward which part of the body an axis of the patient's coordinates points (DICOM PS3.3 C.7.6.2.1.1).
const TOWARD = { x: ["L", "R"], y: ["P", "A"], z: ["H", "F"] };
const PLANES = { x: "Sagittal", y: "Coronal", z: "Axial" };

/** The patient's axis that a direction is closest to, and whether it points along it. */
function closest(direction) {
  const sizes = direction.map(Math.abs);
  const axis = sizes.indexOf(Math.max(...sizes));
  return { axis: AXES[axis], along: direction[axis] >= 0 };
}

function cross([a, b, c], [d, e, f]) {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

/**
 * The three views: which axis of the volume runs across, which down, which is walked through, whether "down" is turned so that the
 * head is at the top, what the view is called, and the letters at its edges.
 */
export function viewsOf(volume) {
  const { orientation, pixel_spacing_mm: pixel, slice_spacing_mm: step, step: inPlane, slice_step: along } = volume.meta;
  const directions = { x: orientation.slice(0, 3), y: orientation.slice(3, 6) };
  directions.z = cross(directions.x, directions.y);
  const known = directions.z.some((component) => Math.abs(component) > 1e-6);
  const toward = known ? Object.fromEntries(AXES.map((axis) => [axis, closest(directions[axis])])) : null;
  const distinct = toward && new Set(AXES.map((axis) => toward[axis].axis)).size === 3;
  const [rowSpacing, columnSpacing] = pixel ?? [1, 1];
  const spacing = { x: columnSpacing * inPlane, y: rowSpacing * inPlane, z: (step ?? columnSpacing) * along };
  const sizes = { x: volume.width, y: volume.height, z: volume.depth };
  const names = { z: "Slices", y: "Along rows", x: "Along columns" };
  const view = (across, down, through) => {
    const turned = down === "z" && distinct && toward.z.axis === "z" && toward.z.along;
    const letter = (axis, forward) => (distinct ? TOWARD[toward[axis].axis][toward[axis].along === forward ? 0 : 1] : "");
    return {
      across,
      down,
      through,
      turned,
      name: distinct ? PLANES[toward[through].axis] : names[through],
      width: sizes[across],
      height: sizes[down],
      count: sizes[through],
      aspect: (sizes[across] * spacing[across]) / (sizes[down] * spacing[down]),
      letters: {
        left: letter(across, false),
        right: letter(across, true),
        top: letter(down, turned),
        bottom: letter(down, !turned),
      },
    };
  };
  return [view("x", "y", "z"), view("x", "z", "y"), view("y", "z", "x")];
}
