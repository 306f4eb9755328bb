// What is read at the cursor, in words.

/** A value of the series with as many digits as its steps have: whole numbers for CT. */
export function figure(value) {
  const rounded = Number(value.toPrecision(7));
  return (Object.is(rounded, -0) ? 0 : rounded).toString().replace("-", "\u2212");
}

/** The values at a sample: of the original and, where there is one, of the composite and the difference. */
export function valuesAt(volume, plane, x, y, z) {
  const original = volume.value(0, x, y, z);
  if (plane === 0) return { original };
  const composite = volume.value(plane, x, y, z);
  return { original, composite, difference: original - composite };
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
    parts.push(`composite of k = ${k}: ${figure(values.composite)}${unit}`, `original minus composite ${figure(values.difference)}${unit}`);
  }
  return `${place}: ${parts.join("; ")}.`;
}
