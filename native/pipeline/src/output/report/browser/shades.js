// How values become shades of gray, as in the pictures (output::pictures), and colors, which are in the report's data.

/** Usual windows of CT: name, level, width, in HU. */
export const WINDOWS = [
  ["Lung", -600, 1500],
  ["Soft tissue", 40, 400],
  ["Bone", 480, 2500],
  ["Brain", 40, 80],
];

/** The byte of a value in a window from low to high. */
export function shade(value, low, high) {
  return Math.min(255, Math.max(0, Math.round(((value - low) / (high - low)) * 255)));
}

/** The colors of bytes from a text of six hexadecimal digits for each. */
export function colorsOf(text) {
  return (byte) => [0, 2, 4].map((i) => parseInt(text.substr(6 * byte + i, 2), 16));
}

/** The 256 colors of a palette, as they are in the memory of a canvas. */
export function palette(color) {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let byte = 0; byte < 256; byte++) bytes.set([...color(byte), 255], 4 * byte);
  return new Uint32Array(bytes.buffer);
}
