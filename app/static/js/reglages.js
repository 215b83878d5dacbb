// Settings of a service: the address that will be used, while it is typed (R9).
"use strict";

(() => {
  const drawn = (form) => {
    const line = form.querySelector("[data-finale-ligne]");
    const address = form.querySelector("[data-adresse]");
    if (!line || !address) return;
    const update = () => {
      let text = address.value.trim();
      form.querySelectorAll("[data-marque]").forEach((field) => {
        if (field.value.trim()) text = text.split(field.dataset.marque).join(field.value.trim());
      });
      line.querySelector("[data-finale]").textContent = text;
      line.hidden = !text || text.includes("<");
    };
    form.addEventListener("input", update);
    form.addEventListener("reset", () => setTimeout(update));
    update();
  };
  document.querySelectorAll("form[data-reglages]").forEach(drawn);
})();
