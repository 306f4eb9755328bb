// The start: finds the data in the page. Without what it needs, the pictures of the page are all there is.
import { start } from "./browser.js";

const section = document.getElementById("browser");
const problem = document.getElementById("browser-problem");
const tell = (words) => {
  problem.textContent = words;
  problem.hidden = false;
};
const fail = (words) => tell(`${words} The pictures below show the middle slice.`);
if (typeof DecompressionStream === "undefined") {
  fail("This web browser is too old to look through the scan here.");
} else {
  const meta = JSON.parse(document.getElementById("browser-data").textContent);
  // What is too long for one text is in several elements.
  const texts = (chosen) => [...document.querySelectorAll(chosen)].map((element) => () => element.textContent);
  const planes = Array.from({ length: 1 + meta.composites.length }, (_, plane) => texts(`script[data-plane="${plane}"]`));
  start(section, meta, texts("script[data-basis]"), planes, tell).catch((error) => {
    section.hidden = true;
    fail(`The scan in this report cannot be shown (${error.message}).`);
  });
}
