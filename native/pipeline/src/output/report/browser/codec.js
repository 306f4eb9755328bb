// The encoding of the volume, as docs/format.md defines it: base64 of zlib streams, one for each row block and plane.

/** The bytes of a base64 text, which may be large: atob takes it in pieces. */
export function fromBase64(text) {
  const clean = text.trim();
  const padding = clean.endsWith("==") ? 2 : clean.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((clean.length / 4) * 3 - padding);
  const piece = 4 << 18;
  for (let from = 0, at = 0; from < clean.length; from += piece) {
    const binary = atob(clean.slice(from, from + piece));
    for (let i = 0; i < binary.length; i++) bytes[at++] = binary.charCodeAt(i);
  }
  return bytes;
}

/** The pieces of bytes that are each preceded by their length, as 32 bits, little-endian. */
export function pieces(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    if (at + 4 + length > bytes.length) throw new Error("a piece of the volume is incomplete");
    found.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

/** What a zlib stream holds. */
export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Differences of 16 bits: all low bytes, then all high bytes, of numbers whose sign is in their lowest bit. */
export function differences(bytes) {
  const count = bytes.length / 2;
  const out = new Int16Array(count);
  for (let i = 0; i < count; i++) {
    const folded = bytes[i] | (bytes[count + i] << 8);
    out[i] = (folded >>> 1) ^ -(folded & 1);
  }
  return out;
}

/** Numbers of 32 bits: of all of them the lowest bytes, then the next ones. */
export function floats(bytes) {
  const count = bytes.length / 4;
  const bits = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    bits[i] = bytes[i] | (bytes[count + i] << 8) | (bytes[2 * count + i] << 16) | (bytes[3 * count + i] << 24);
  }
  return new Float32Array(bits.buffer);
}

/** Replaces differences from the prediction by the values: `width` of each slice, slice after slice. */
export function undoPrediction(values, width) {
  for (let i = 0; i < values.length; i++) {
    const left = i % width > 0;
    const before = i >= width;
    let expected = 0;
    if (left && before) expected = predicted(values[i - 1], values[i - width], values[i - width - 1]);
    else if (left) expected = values[i - 1];
    else if (before) expected = values[i - width];
    values[i] += expected; // Int16Array wraps around, as the encoder does
  }
  return values;
}

/** The median of both neighbors and the plane through three of them (JPEG-LS, ITU-T T.87, A.4). */
function predicted(left, before, corner) {
  const low = Math.min(left, before);
  const high = Math.max(left, before);
  if (corner >= high) return low;
  if (corner <= low) return high;
  return left + before - corner;
}
