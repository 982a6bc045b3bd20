// The page for files: drag and drop, a look at each file before it is printed, and progress while it is sent. Without
// this file the form works as forms do.
"use strict";
(() => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  const list = form.querySelector(".chosen");
  const bar = form.querySelector("progress");
  const said = form.querySelector(".upload-said");
  const words = form.dataset;
  const key = form.querySelector("button.main");
  let files = [];

  const size = (octets) => {
    const units = ["B", "kB", "MB", "GB"];
    let at = 0;
    for (; octets >= 1000 && at < units.length - 1; at += 1) octets /= 1000;
    return `${octets.toLocaleString(document.documentElement.lang, { maximumFractionDigits: octets < 10 && at ? 1 : 0 })} ${units[at]}`;
  };

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  // What the file looks like: a picture, a PDF where the browser shows them in place, the first lines of a text.
  const look = (file, url) => {
    const kind = file.type || "";
    if (kind.startsWith("image/")) {
      const image = element("img", "look");
      image.src = url;
      image.alt = "";
      return image;
    }
    if (kind === "application/pdf" && navigator.pdfViewerEnabled && matchMedia("(min-width: 720px)").matches) {
      const frame = element("iframe", "look");
      frame.src = `${url}#toolbar=0&navpanes=0&view=FitH`;
      frame.title = file.name;
      return frame;
    }
    if (kind.startsWith("text/") || /\.txt$/i.test(file.name)) {
      const text = element("pre", "look");
      file.slice(0, 1500).text().then((start) => { text.textContent = start; });
      return text;
    }
    return element("span", "look sort", (file.name.split(".").pop() || "").slice(0, 4).toUpperCase());
  };

  const show = () => {
    for (const link of list.querySelectorAll("a[data-url]")) URL.revokeObjectURL(link.dataset.url);
    list.replaceChildren(...files.map((file, at) => {
      const url = URL.createObjectURL(file);
      const card = element("li", "chosen-file");
      const name = element("a", "", file.name);
      name.href = url;
      name.dataset.url = url;
      name.target = "_blank";
      name.rel = "noopener";
      const facts = element("div", "chosen-facts");
      facts.append(name, element("small", "quiet", size(file.size)));
      const away = element("button", "button small", words.away);
      away.type = "button";
      away.setAttribute("aria-label", `${words.away}: ${file.name}`);
      away.addEventListener("click", () => { files.splice(at, 1); show(); (list.querySelector("button") || input).focus(); });
      card.append(look(file, url), facts, away);
      return card;
    }));
    input.required = files.length === 0;
    key.textContent = files.length > 1 ? words.many.replace("{0}", files.length) : words.one;
  };

  const add = (more) => {
    const chosen = [...more].filter((file) => file.size > 0);
    if (chosen.length < more.length) said.textContent = words.empty;
    const same = (one, other) => one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
    files.push(...chosen.filter((file) => !files.some((known) => same(known, file))));
    show();
  };

  input.addEventListener("change", () => { said.textContent = ""; add(input.files); input.value = ""; });
  let inside = 0;
  const over = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  addEventListener("dragenter", (event) => { if (over(event)) { inside += 1; drop.classList.add("over"); } });
  addEventListener("dragleave", () => { inside = Math.max(0, inside - 1); if (!inside) drop.classList.remove("over"); });
  addEventListener("dragover", (event) => { if (over(event)) { event.preventDefault(); event.dataTransfer.dropEffect = "copy"; } });
  addEventListener("drop", (event) => {
    inside = 0;
    drop.classList.remove("over");
    if (!over(event)) return;
    event.preventDefault();
    said.textContent = "";
    add(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => { if (event.clipboardData?.files.length) { said.textContent = ""; add(event.clipboardData.files); } });

  form.addEventListener("submit", (event) => {
    if (!files.length) return;
    event.preventDefault();
    event.stopPropagation();
    const fields = new FormData(form);
    fields.delete("file");
    // Options go before the files: a file is taken as it comes.
    for (const file of files) fields.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    // Sent again after a lost answer, it is the same upload.
    form.dataset.key ||= [...crypto.getRandomValues(new Uint8Array(16))].map((octet) => octet.toString(16).padStart(2, "0")).join("");
    request.setRequestHeader("Idempotency-Key", form.dataset.key);
    bar.hidden = false;
    bar.removeAttribute("value");
    form.classList.add("sent");
    said.textContent = words.sending;
    request.upload.addEventListener("progress", (step) => {
      if (step.lengthComputable) { bar.max = step.total; bar.value = step.loaded; }
    });
    const over = (text) => { bar.hidden = true; form.classList.remove("sent"); said.textContent = text; };
    request.addEventListener("error", () => over(words.lost));
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* no JSON: what follows says it */ }
      if (request.status === 201 && answer.jobs) {
        delete form.dataset.key;
        const ids = answer.jobs.map((job) => job.id);
        location.assign(ids.length === 1 ? `/jobs/${ids[0]}` : "/jobs");
        return;
      }
      // Refused by the server itself, and nothing was taken: what is sent next is something else. In any other case
      // (a proxy may have given up) what was taken is known by the key.
      const refused = answer.error && request.status >= 400 && request.status < 500;
      if (refused && !answer.accepted?.length) delete form.dataset.key;
      over(answer.error || `${words.lost} (${request.status})`);
    });
    request.send(fields);
  }, true);
})();
