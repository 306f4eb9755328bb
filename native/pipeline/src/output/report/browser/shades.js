// How values become shades of gray and colors: those of the pictures (output::pictures).

/** Usual windows of CT: name, level, width, in HU. */
export const WINDOWS = [
  ["Lung", -600, 1500],
  ["Soft tissue", 40, 400],
  ["Bone", 480, 2500],
  ["Brain", 40, 80],
];

// ColorBrewer's PuOr with 11 classes (Harrower and Brewer 2003, colorbrewer2.org), from low to high.
const PURPLE_ORANGE = [
  [0x2d, 0x00, 0x4b],
  [0x54, 0x27, 0x88],
  [0x80, 0x73, 0xac],
  [0xb2, 0xab, 0xd2],
  [0xd8, 0xda, 0xeb],
  [0xf7, 0xf7, 0xf7],
  [0xfe, 0xe0, 0xb6],
  [0xfd, 0xb8, 0x63],
  [0xe0, 0x82, 0x14],
  [0xb3, 0x58, 0x06],
  [0x7f, 0x3b, 0x08],
];

/** The byte of a value in a window from low to high. */
export function shade(value, low, high) {
  return Math.min(255, Math.max(0, Math.round(((value - low) / (high - low)) * 255)));
}

/** Red, green and blue of a byte: purple below the middle, orange above. */
export function diverging(byte) {
  const at = byte * (PURPLE_ORANGE.length - 1);
  const kind = Math.min(Math.floor(at / 255), PURPLE_ORANGE.length - 2);
  const weight = at - kind * 255;
  const mix = (i) => Math.floor((PURPLE_ORANGE[kind][i] * (255 - weight) + PURPLE_ORANGE[kind + 1][i] * weight) / 255);
  return [mix(0), mix(1), mix(2)];
}

/** The 256 colors of a palette, as they are in the memory of a canvas. */
export function palette(color) {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let byte = 0; byte < 256; byte++) bytes.set([...color(byte), 255], 4 * byte);
  return new Uint32Array(bytes.buffer);
}
