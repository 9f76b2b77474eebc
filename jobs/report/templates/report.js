"use strict";

// Without this script the page shows both pictures side by side and every row of the table.
document.documentElement.classList.add("js");

for (const stage of document.querySelectorAll(".compare")) {
  const range = stage.querySelector("input");
  const show = () => {
    const before = Number(range.value);
    stage.style.setProperty("--cut", `${before}%`);
    range.setAttribute("aria-valuetext", `${before} % before, ${100 - before} % after`);
  };
  range.addEventListener("input", show);
  show();
}

for (const button of document.querySelectorAll(".enlarge")) {
  button.addEventListener("click", () => {
    const large = button.closest(".card").classList.toggle("large");
    button.setAttribute("aria-pressed", String(large));
    button.textContent = large ? "Reduce" : "Enlarge";
  });
}

const filter = document.getElementById("code-filter");
if (filter) {
  const rows = Array.from(document.querySelectorAll("#quarantine-rows tbody tr"));
  const state = document.getElementById("filter-state");
  const apply = () => {
    for (const row of rows) {
      row.hidden = filter.value !== "" && row.dataset.code !== filter.value;
    }
    const shown = rows.filter((row) => !row.hidden).length;
    state.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
  };
  filter.addEventListener("change", apply);
  apply();
}
