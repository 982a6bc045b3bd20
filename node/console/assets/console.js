// Keeps a page that stays open as it is on the server: fetches it again when something changed and puts the changed
// parts in. Without this file everything works by loading pages.
"use strict";
(() => {
  document.documentElement.classList.add("js");

  // A choice in a filter takes effect at once.
  for (const field of document.querySelectorAll("[data-submit]")) {
    field.addEventListener("change", () => field.form.requestSubmit());
  }

  // A form is sent once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.method === "post") {
      form.dataset.sent = "1";
      form.classList.add("sent");
      setTimeout(() => { delete form.dataset.sent; form.classList.remove("sent"); }, 8000);
    }
  });

  // What was said about the last key is not said again when the page is loaded again.
  const here = new URL(location.href);
  if (here.searchParams.has("said")) {
    here.searchParams.delete("said");
    history.replaceState(null, "", here);
  }

  const live = document.body.dataset.live;
  if (!live) return;

  const policy = window.trustedTypes
    ? trustedTypes.createPolicy("tympan", { createHTML: (text) => text })
    : { createHTML: (text) => text };

  const busy = (part) => {
    const active = document.activeElement;
    const typing = active && part.contains(active) && active.matches("input, select, textarea");
    return typing || part.querySelector("form.sent") || part.querySelector("details[open]");
  };

  let running = false;
  let again = false;
  const refresh = async () => {
    if (document.hidden) { again = true; return; }
    if (running) { again = true; return; }
    running = true;
    again = false;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
      if (answer.ok) {
        const text = await answer.text();
        const fresh = new DOMParser().parseFromString(policy.createHTML(text), "text/html");
        for (const part of document.querySelectorAll("[data-part]")) {
          const other = fresh.getElementById(part.id);
          if (other && !busy(part) && other.innerHTML !== part.innerHTML) {
            const focused = document.activeElement && part.contains(document.activeElement)
              ? [...part.querySelectorAll("a, button")].indexOf(document.activeElement) : -1;
            part.replaceChildren(...other.childNodes);
            if (focused >= 0) part.querySelectorAll("a, button")[focused]?.focus({ preventScroll: true });
          }
        }
      } else if (answer.type === "opaqueredirect" || answer.status === 404) {
        location.reload();
      }
    } catch { /* the line comes back */ }
    running = false;
    if (again) soon();
  };

  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 250);
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  // "2 minutes ago" grows old by itself.
  setInterval(soon, live === "poll" ? 10000 : 30000);
  if (live !== "poll" && window.EventSource) {
    const events = new EventSource(live);
    events.addEventListener("change", soon);
    events.addEventListener("open", soon);
    window.addEventListener("pagehide", () => events.close());
  }
})();
