// Starts what a page needs: its charts, and after a decision the notice that says what happened.
import { courseChart } from "./course_chart.js";
import { sessionChart } from "./session_chart.js";

const kinds = { course: courseChart, session: sessionChart };
let running = [];

function start() {
  running.forEach((stop) => stop());
  running = [...document.querySelectorAll("[data-chart]")].map((place) => {
    const data = JSON.parse(document.getElementById(place.dataset.from).textContent);
    return kinds[place.dataset.chart](place, data, document.querySelector(`[data-readout="${place.dataset.from}"]`));
  });
}

start();
document.addEventListener("htmx:afterSettle", () => {
  start();
  document.querySelector("[data-notice]")?.focus();
});
// A refused or lost request must not look like a button that does nothing: load the page as it stands on the server.
document.addEventListener("htmx:responseError", () => window.location.reload());
document.addEventListener("htmx:sendError", (event) => {
  const place = event.target.closest(".decide");
  if (!place || place.querySelector("[data-offline]")) return;
  const words = document.createElement("p");
  words.className = "notice alert";
  words.dataset.offline = "";
  words.setAttribute("role", "alert");
  words.textContent = "The clinic's server does not answer. Nothing was changed; try again in a moment.";
  place.append(words);
});
