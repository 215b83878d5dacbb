// Upload page: drop files on the card, see their names and sizes. The page works without it.
(() => {
  "use strict";
  const form = document.querySelector("[data-depot]");
  if (!form) return;
  const zone = form.querySelector("[data-depot-zone]");
  const input = form.querySelector("input[type=file]");
  const list = form.querySelector("[data-depot-liste]");
  const max = Number(form.dataset.max) * 1024 * 1024;
  const size = (bytes) => bytes < 1048576
    ? `${Math.ceil(bytes / 1024).toLocaleString("fr-FR")} Kio`
    : `${(bytes / 1048576).toLocaleString("fr-FR", { maximumFractionDigits: 1 })} Mio`;

  const show = () => {
    list.replaceChildren();
    let total = 0;
    for (const file of input.files) {
      const item = document.createElement("li");
      item.textContent = `${file.name}, ${size(file.size)}`;
      list.append(item);
      total += file.size;
    }
    const tooBig = total > max;
    input.setCustomValidity(tooBig ? `Ces fichiers dépassent ${form.dataset.max} Mio : déposez l’archive ZIP.` : "");
    if (tooBig) input.reportValidity();
  };

  input.addEventListener("change", show);
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.dataset.over = ""; });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
  });
  form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    button.setAttribute("aria-busy", "true");
    button.textContent = "Envoi des fichiers…";
  });
})();
