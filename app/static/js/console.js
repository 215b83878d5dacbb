// Progressive enhancement only: every page works without it.
(() => {
  "use strict";
  const root = document.documentElement;

  // Theme: kept in a cookie so that the server draws the right one at once.
  document.addEventListener("change", (event) => {
    const input = event.target.closest("input[name=theme]");
    if (!input) return;
    if (input.value) root.setAttribute("data-bs-theme", input.value);
    else root.removeAttribute("data-bs-theme");
    const age = input.value ? 31536000 : 0;
    document.cookie = `preau_theme=${input.value};path=/;max-age=${age};samesite=lax`;
  });

  // Menus close on Escape and on a click elsewhere; messages close on their button.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.pr-menu[open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest(closer.dataset.close)?.remove();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.pr-menu[open]");
    if (menu) { menu.removeAttribute("open"); menu.querySelector("summary").focus(); }
  });
})();
