// Pages of a school: order by hand, pictures seen before they leave, a text seen as it is written.
// Without script every page works: arrows order, the preview follows when the form is sent.
(() => {
  "use strict";
  const say = (text) => { const status = document.getElementById("annonce"); if (status) status.textContent = text; };

  // Order: SortableJS moves the rows, the form they stand in keeps it.
  const arrows = (list) => [...list.children].forEach((row, rank, rows) => {
    const [up, down] = [row.querySelector("[name=monter]"), row.querySelector("[name=descendre]")];
    if (up) up.disabled = rank === 0;
    if (down) down.disabled = rank === rows.length - 1;
  });
  const keep = async (list, moved) => {
    const form = list.closest("form");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok) throw new Error(String(answer.status));
      arrows(list);
      const name = moved.querySelector("strong, h3")?.textContent.trim() ?? "";
      say(`${name} : place ${[...list.children].indexOf(moved) + 1} sur ${list.children.length}. Ordre enregistré.`);
    } catch {
      location.reload();
    }
  };
  const ready = () => document.querySelectorAll("[data-ordre]").forEach((list) => {
    if (!window.Sortable || list.children.length < 2) return;
    list.dataset.ordrePret = "";
    new window.Sortable(list, {
      handle: "[data-poignee]", animation: 120, ghostClass: "pr-deplace", forceFallback: true, fallbackClass: "pr-suit",
      onEnd: (event) => { if (event.oldIndex !== event.newIndex) keep(list, event.item); },
    });
  });

  // A picture chosen is shown at once; one too heavy says so before it travels.
  document.addEventListener("change", (event) => {
    const input = event.target.closest("[data-apercu-image]");
    if (!input) return;
    const file = input.files[0];
    const tooBig = Boolean(file) && file.size > Number(input.dataset.plus);
    input.setCustomValidity(tooBig ? "Ce fichier dépasse 4 Mio. Réduisez l’image." : "");
    if (tooBig) input.reportValidity();
    if (!file || tooBig) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      const image = new Image();
      image.src = reader.result;
      image.alt = "";
      input.form.querySelector("[data-vignette]").replaceChildren(image);
    });
    reader.readAsDataURL(file);
  });

  // A block: buttons that type Markdown, and the preview after a pause.
  const area = () => document.querySelector("textarea[data-apercu]");
  let pause;
  const preview = async () => {
    const text = area();
    const body = new FormData();
    body.set("texte", text.value);
    body.set("csrf_token", text.form.elements.csrf_token.value);
    try {
      const answer = await fetch(text.dataset.apercu, { method: "POST", body });
      if (answer.ok) document.querySelector("[data-apercu-ici]").innerHTML = await answer.text();
    } catch { /* the next keystroke tries again */ }
  };
  document.addEventListener("input", (event) => {
    if (!event.target.matches("textarea[data-apercu]")) return;
    clearTimeout(pause);
    pause = setTimeout(preview, 300);
  });
  const insert = (before, after) => {
    const text = area();
    const [from, to] = [text.selectionStart, text.selectionEnd];
    const chosen = text.value.slice(from, to);
    text.setRangeText(before + chosen + after, from, to, "end");
    text.setSelectionRange(from + before.length, from + before.length + chosen.length);
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener("click", (event) => {
    const tool = event.target.closest("[data-avant]");
    if (tool) insert(tool.dataset.avant, tool.dataset.apres);
    const picker = event.target.closest("[data-image]");
    if (picker) send(picker);
  });
  const send = (picker) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = "image/png,image/jpeg,image/webp,image/gif,image/svg+xml";
    input.addEventListener("change", async () => {
      const body = new FormData();
      body.set("fichier", input.files[0]);
      body.set("csrf_token", area().form.elements.csrf_token.value);
      const error = document.querySelector("[data-image-erreur]");
      picker.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(picker.dataset.image, { method: "POST", body });
        const said = await answer.json();
        error.hidden = answer.ok;
        error.textContent = said.erreur ?? "";
        if (answer.ok) insert(`![`, `](${said.adresse})`);
      } catch {
        error.hidden = false;
        error.textContent = "L’image n’est pas partie. Vérifiez la connexion, puis recommencez.";
      }
      picker.removeAttribute("aria-busy");
    });
    input.click();
  };
  const tools = () => document.querySelectorAll("[data-outils]").forEach((group) => { group.hidden = false; });
  const start = () => { ready(); tools(); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
