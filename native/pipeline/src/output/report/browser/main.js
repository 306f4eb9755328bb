// The start: finds the data in the page. Without what it needs, the pictures of the page are all there is.
import { start } from "./browser.js";

const section = document.getElementById("browser");
const problem = document.getElementById("browser-problem");
const fail = (words) => {
  problem.textContent = `${words} The pictures below show the middle slice.`;
  problem.hidden = false;
};
if (typeof DecompressionStream === "undefined") {
  fail("This web browser is too old to look through the scan here.");
} else {
  const meta = JSON.parse(document.getElementById("browser-data").textContent);
  const planes = [...document.querySelectorAll("script[data-plane]")];
  start(section, meta, planes.map((plane) => () => plane.textContent)).catch((error) => {
    section.hidden = true;
    fail(`The scan in this report cannot be shown (${error.message}).`);
  });
}
