// A picture on the page: a canvas with a cursor, and letters at its edges.

/** Gives a picture the size and the proportions of a view, and its letters. */
export function fit(screen, { width, height, aspect, letters }) {
  const canvas = screen.querySelector("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.style.aspectRatio = aspect;
  screen.style.width = `min(100%, calc(80vh * ${aspect}))`; // a tall view fits into the window
  for (const [edge, letter] of Object.entries(letters)) {
    const place = screen.querySelector(`.${edge}`);
    place.textContent = letter;
    place.hidden = letter === "";
  }
}

/** Draws a picture: `color` gives that of a column and row, as a palette has it. */
export function paint(screen, color, smooth) {
  const canvas = screen.querySelector("canvas");
  const { width, height } = canvas;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) pixels[row * width + column] = color(column, row);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  screen.classList.toggle("pixels", !smooth);
}

/** Puts the cursor of a picture at a column and row. */
export function mark(screen, column, row) {
  const { width, height } = screen.querySelector("canvas");
  screen.querySelector(".across").style.top = `${(100 * (row + 0.5)) / height}%`;
  screen.querySelector(".down").style.left = `${(100 * (column + 0.5)) / width}%`;
}

/** Calls `act` with the column and row under a pointer that moves over a picture, or touches it. */
export function pointed(screen, act) {
  const point = (event) => {
    const canvas = screen.querySelector("canvas");
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const place = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    act(place((event.clientX - left) / width, canvas.width), place((event.clientY - top) / height, canvas.height));
  };
  screen.addEventListener("pointerdown", (event) => {
    screen.setPointerCapture(event.pointerId);
    point(event);
  });
  screen.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" || event.buttons > 0) point(event);
  });
}

/** Calls `step` with 1 or -1 when the wheel turns over `place`. */
export function turned(place, step) {
  const turn = (event) => {
    event.preventDefault();
    step(Math.sign(event.deltaY));
  };
  place.addEventListener("wheel", turn, { passive: false });
}

/** Does what a key means: `acts` are functions by the names of keys, which get 10 with Shift, else 1. */
export function keyed(place, acts) {
  place.addEventListener("keydown", (event) => {
    const act = acts()[event.key];
    if (!act || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act(event.shiftKey ? 10 : 1);
  });
}
