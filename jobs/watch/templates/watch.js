"use strict";
// Asks for the page's parts now and then and puts those that have changed in the place of the old ones.
(() => {
  const EVERY = 2000;
  const byId = (id) => document.getElementById(id);
  const fresh = byId("fresh");
  const hold = byId("hold");
  const shown = {};
  let age = null;
  let asked = performance.now();
  let lost = false;
  let busy = false;

  const held = () => hold.getAttribute("aria-pressed") === "true";

  function put(id, html) {
    if (shown[id] === html) return;
    shown[id] = html;
    const part = byId(id);
    if (id === "live") {
      part.textContent = html;
      return;
    }
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolled = Array.from(part.querySelectorAll(".scroll"), (box) => [box.id, box.scrollLeft, box.scrollTop]);
    part.innerHTML = html; // made by the server, every foreign text escaped; the policy runs no script in it
    for (const [box, left, top] of scrolled) {
      const again = byId(box);
      if (again) again.scrollTo(left, top);
    }
    if (focused && byId(focused)) byId(focused).focus({ preventScroll: true });
  }

  function say() {
    const seconds = age === null ? null : Math.round(age + (performance.now() - asked) / 1000);
    fresh.parentElement.classList.toggle("lost", lost);
    if (lost) fresh.textContent = "The server of this page does not answer; it is asked again.";
    else if (held()) fresh.textContent = "Held still";
    else if (seconds !== null) fresh.textContent = seconds < 10 ? "Up to date" : `As of ${seconds} s ago`;
  }

  async function ask() {
    if (busy || held() || document.hidden) return;
    busy = true;
    try {
      const answer = await fetch("/parts.json", { cache: "no-store", signal: AbortSignal.timeout(20000) });
      if (!answer.ok) throw new Error(String(answer.status));
      const news = await answer.json();
      if (held()) return;
      lost = false;
      age = news.age;
      asked = performance.now();
      document.title = news.title;
      for (const [id, html] of Object.entries(news.parts)) put(id, html);
    } catch {
      lost = true;
    } finally {
      busy = false;
      say();
    }
  }

  hold.hidden = false;
  hold.addEventListener("click", () => {
    hold.setAttribute("aria-pressed", String(!held()));
    say();
    ask();
  });
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, EVERY);
  setInterval(say, 1000);
  ask();
})();
