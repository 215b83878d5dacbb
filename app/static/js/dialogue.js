// A link that asks for a confirmation opens its question in a dialog; without script it is a page.
// Unsaved changes of a form say how many they are.
(() => {
  "use strict";
  let dialog;
  const holder = () => {
    if (dialog) return dialog;
    dialog = document.createElement("dialog");
    dialog.className = "pr-dialog";
    dialog.setAttribute("aria-labelledby", "confirmation-titre");
    document.body.append(dialog);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-fermer]")) {
        event.preventDefault();
        dialog.close();
      }
    });
    return dialog;
  };
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-confirmer]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      holder().innerHTML = await answer.text();
      dialog.showModal();
      dialog.querySelector("[data-fermer]")?.focus();
    } catch {
      location.assign(link.href);
    }
  });

  const values = (form) => new Map([...new FormData(form)].filter(([, value]) => typeof value === "string"));
  const count = (form) => {
    const now = values(form);
    const before = form.preauAvant;
    const changed = new Set([...now.keys(), ...before.keys()].filter((name) => now.get(name) !== before.get(name))).size;
    const said = form.querySelector("[data-modifications]");
    if (said) said.textContent = changed ? `${changed} ${changed > 1 ? "modifications non enregistrées" : "modification non enregistrée"}` : "";
    form.querySelectorAll("[type=reset]").forEach((button) => { button.hidden = !changed; });
  };
  const ready = () => document.querySelectorAll("form[data-compter]").forEach((form) => {
    form.preauAvant = values(form);
    count(form);
    form.addEventListener("input", () => count(form));
    form.addEventListener("change", () => count(form));
    form.addEventListener("reset", () => setTimeout(() => count(form)));
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
