// Dialogs where one types to go somewhere: the answer of ``data-palette`` fills the list of options.
// A link or button with data-dialog opens its dialog; without script the link is a page.
(() => {
  "use strict";
  const options = (list) => [...list.querySelectorAll("[role=option]")];

  const choose = (palette, option) => {
    const { input, list } = palette;
    options(list).forEach((other) => other.setAttribute("aria-selected", String(other === option)));
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const chosen = (palette) => palette.list.querySelector("[aria-selected=true]");

  const fill = async (palette) => {
    palette.request?.abort();
    const request = new AbortController();
    palette.request = request;
    const url = new URL(palette.dialog.dataset.palette, location.href);
    url.searchParams.set("q", palette.input.value);
    palette.list.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: request.signal });
      if (answer.redirected) { location.reload(); return; }
      palette.list.innerHTML = answer.ok ? await answer.text() : "";
      if (!answer.ok) palette.list.textContent = "La recherche n’a pas répondu. Recommencez dans un instant.";
      palette.asked = palette.input.value;
      const found = options(palette.list);
      choose(palette, found[0]);
      const said = document.getElementById("annonce");
      if (said) said.textContent = found.length ? `${found.length} ${found.length > 1 ? "résultats" : "résultat"}` : palette.list.textContent.trim();
    } catch (error) {
      if (error.name !== "AbortError") palette.list.textContent = "La connexion est coupée. Vérifiez le réseau, puis recommencez.";
    } finally {
      if (palette.request === request) palette.list.removeAttribute("aria-busy");
    }
  };

  const go = (palette, event) => {
    const option = chosen(palette);
    if (!option) return;
    event.preventDefault();
    const address = option.getAttribute("href");
    if (!address) { option.click(); return; }
    if (event.ctrlKey || event.metaKey) window.open(address, "_blank", "noopener");
    else location.assign(address);
  };

  const step = (palette, event) => {
    const found = options(palette.list);
    const place = found.indexOf(chosen(palette));
    const next = {
      ArrowDown: () => (place + 1) % found.length,
      ArrowUp: () => (place - 1 + found.length) % found.length,
      PageDown: () => Math.min(place + 8, found.length - 1),
      PageUp: () => Math.max(place - 8, 0),
    }[event.key];
    if (!next || !found.length) return;
    event.preventDefault();
    choose(palette, found[next()]);
  };

  const made = new WeakMap();
  const paletteOf = (dialog) => {
    if (made.has(dialog)) return made.get(dialog);
    const palette = { dialog, input: dialog.querySelector("[role=combobox]"), list: dialog.querySelector("[role=listbox]"), asked: null, pause: 0 };
    made.set(dialog, palette);
    palette.input.addEventListener("input", () => {
      clearTimeout(palette.pause);
      palette.pause = setTimeout(() => fill(palette), 120);
    });
    palette.input.addEventListener("keydown", async (event) => {
      if (event.key !== "Enter") { step(palette, event); return; }
      event.preventDefault();
      if (palette.asked !== palette.input.value) { clearTimeout(palette.pause); await fill(palette); }
      go(palette, event);
    });
    return palette;
  };

  const open = (dialog) => {
    if (dialog.open) return;
    dialog.showModal();
    if (!dialog.dataset.palette) return;
    const palette = paletteOf(dialog);
    palette.input.select();
    fill(palette);
  };

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(dialog);
      return;
    }
    // A click on the veil closes, as Escape does.
    if (event.target.matches?.("dialog.pr-dialog[open]")) event.target.close();
  });
  window.preauOuvrir = (id) => { const dialog = document.getElementById(id); if (dialog) open(dialog); };
})();
