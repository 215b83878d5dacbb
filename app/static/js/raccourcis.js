// Keys of the console: Ctrl-K and «/» open the palette, «e» the choice of a school, «?» the help.
// Keys alone do nothing while one types or while a dialog is open.
(() => {
  "use strict";
  const open = (event, id) => {
    if (!document.getElementById(id) || !window.preauOuvrir) return;
    event.preventDefault();
    window.preauOuvrir(id);
  };
  const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], dialog[open], .ts-wrapper");
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      const other = document.querySelector("dialog[open]:not(#palette)");
      if (other?.matches(".pr-palette, #raccourcis")) other.close();
      if (!document.querySelector("dialog[open]")) open(event, "palette");
      else event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    const dialog = { "/": "palette", "?": "raccourcis", e: "etablissements" }[event.key];
    if (dialog) open(event, dialog);
  });
})();
