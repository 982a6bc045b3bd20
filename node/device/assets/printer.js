// Keeps the page as the printer is, and presses buttons without loading the page anew.
// Without this script every button is a plain form.
"use strict";

const address = "/?lang=" + encodeURIComponent(document.body.dataset.lang);
let revision = Number(document.body.dataset.revision);

// XMLHttpRequest reads a page as a document; other ways are closed by the page's policy (trusted types).
function load() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", address);
    request.onload = () => (request.status === 200 ? resolve(request.response) : reject(new Error(request.statusText)));
    request.onerror = reject;
    request.send();
  });
}

async function refresh() {
  const fresh = await load();
  for (const part of document.querySelectorAll("[id^='live-']")) {
    const other = fresh.getElementById(part.id);
    if (other && other.innerHTML !== part.innerHTML) part.replaceChildren(...other.childNodes);
  }
  revision = Number(fresh.body.dataset.revision);
}

async function follow() {
  for (;;) {
    try {
      const answer = await fetch(`/state?after=${revision}&wait=25`);
      const state = await answer.json();
      if (state.revision !== revision) await refresh();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const fields = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body: fields });
  if (!answer.ok) alert(await answer.text());
  await refresh();
});

follow();
