// The shuffled keypad fills the plain field beside it; without script the field is all one needs.
(() => {
  "use strict";
  document.querySelectorAll("[data-pave]").forEach((pad) => {
    const field = document.getElementById(pad.dataset.pave);
    if (!field) return;
    pad.hidden = false;
    const status = pad.querySelector("[data-compte]");
    pad.addEventListener("click", (event) => {
      const key = event.target.closest("button");
      if (!key) return;
      field.value = "effacer" in key.dataset ? "" : field.value + key.dataset.touche;
      const count = field.value.length;
      status.textContent = count ? `${count} ${count > 1 ? "chiffres tapés" : "chiffre tapé"}` : "Effacé";
    });
  });
})();
