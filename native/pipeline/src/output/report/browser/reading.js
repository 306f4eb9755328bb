// What is read at the cursor, in words.

/** A value of the series with as many digits as its steps have: whole numbers for CT. */
export function figure(value) {
  const rounded = Number(value.toPrecision(7));
  return (Object.is(rounded, -0) ? 0 : rounded).toString().replaceAll("-", "\u2212");
}

/** The values at a sample: of the original and, where there is one, of the composite and the difference. */
export function valuesAt(volume, plane, x, y, z) {
  const original = volume.value(0, x, y, z);
  if (plane === 0) return { original };
  const composite = volume.value(plane, x, y, z);
  return { original, composite, difference: original - composite, beyond: volume.beyond(plane, x, y, z) };
}

/** What stands behind a value that may be lower (-1) or higher (1) than it is shown. */
function orMore(beyond) {
  return beyond === 0 ? "" : beyond < 0 ? " or less" : " or more";
}

const DENOISED = {
  listed: "Denoised",
  said: "denoised",
  caption: "Denoised",
  difference: "removed",
  whole: "the denoised series",
};

/** What stands beside the original, a composite or, without k, the denoised series: in a list, in a sentence, above its picture. */
export function namesOf({ k, share }) {
  if (k === undefined) return DENOISED;
  return {
    listed: `k = ${k}`,
    said: `composite of k = ${k}:`,
    caption: `Composite of k = ${k}: ${share} of the energy`,
    difference: "original minus composite",
    whole: `k = ${k}`,
  };
}

/** What is said of a composite with so many values at an end of what 16 bits hold. */
export function endsWords(count, k) {
  if (!count) return "";
  const values = count === 1 ? "1 value is" : `${count} values are`;
  return `Of ${namesOf({ k }).whole}, ${values} at an end of what the 16 bits of the scan hold, or beyond it: such a value is shown as that end.`;
}

/** What is said of a basis vector, from 0. */
export function vectorWords(basis, vector) {
  const { s, basis: { shares } } = basis.meta;
  return `${vector + 1} of ${basis.count}: s = ${s[vector].toExponential(6)}, ${shares[vector]} of the energy`;
}

/** The sentence at the cursor of a basis vector: its entry, its weight in a slice, from 1, and what both make of this slice. */
export function entryWords(basis, vector, slice, { x, y }) {
  const { s, unit, weights } = basis.meta;
  const { row, column } = basis.place(x, y);
  const entry = basis.value(vector, x, y);
  const weight = weights[vector][slice - 1];
  const added = `${figure(s[vector] * entry * weight)}${unit === "" ? "" : ` ${unit}`}`;
  return `Basis vector ${vector + 1}, row ${row}, column ${column}: ${figure(entry)}; weight in slice ${slice}: ${figure(weight)}; this adds ${added} to slice ${slice} there.`;
}

/** The sentence at the cursor. */
export function sentence(volume, composite, x, y, z) {
  const { plane, k } = composite;
  const { row, column, slice } = volume.place(x, y, z);
  const unit = volume.meta.unit === "" ? "" : ` ${volume.meta.unit}`;
  const values = valuesAt(volume, plane, x, y, z);
  const place = `Slice ${slice} of ${volume.meta.slices}, row ${row}, column ${column}`;
  const parts = [`original ${figure(values.original)}${unit}`];
  if (plane > 0) {
    const { said, difference } = namesOf({ k });
    parts.push(
      `${said} ${figure(values.composite)}${unit}${orMore(values.beyond)}`,
      `${difference} ${figure(values.difference)}${unit}${orMore(-values.beyond)}`,
    );
  }
  return `${place}: ${parts.join("; ")}.`;
}
