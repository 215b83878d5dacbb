// Panes sized by pointer or arrows, and folded panes: remembered for the person, drawn by the server next time.
(() => {
  "use strict";
  const waiting = new Map();
  const remember = (key, value) => {
    const proof = document.querySelector("input[name=csrf_token]")?.value;
    if (!key || !proof) return;
    clearTimeout(waiting.get(key));
    waiting.set(key, setTimeout(() => {
      const body = new URLSearchParams({ cle: key, valeur: JSON.stringify(value), csrf_token: proof });
      fetch("/preferences", { method: "POST", body, keepalive: true }).catch(() => {});
    }, 300));
  };
  window.preauRetenir = remember;

  const VARIABLES = { arbre: "--pr-tree-width", journal: "--pr-journal-height" };
  const STEP = 8;
  const resize = (bar, wanted) => {
    const least = Number(bar.getAttribute("aria-valuemin"));
    const room = bar.getAttribute("aria-orientation") === "horizontal" ? innerHeight * 0.7 : innerWidth * 0.5;
    const most = Math.min(Number(bar.getAttribute("aria-valuemax")), Math.max(least, room));
    const value = Math.max(least, Math.min(most, Math.round(wanted / STEP) * STEP));
    bar.setAttribute("aria-valuenow", String(value));
    document.body.style.setProperty(VARIABLES[bar.dataset.volet], `${value / 16}rem`);
    remember(bar.dataset.retenir, value);
  };
  const now = (bar) => Number(bar.getAttribute("aria-valuenow"));

  document.addEventListener("pointerdown", (event) => {
    const bar = event.target.closest?.("[role=separator][data-volet]");
    if (!bar || event.button !== 0) return;
    event.preventDefault();
    bar.focus();
    bar.setPointerCapture(event.pointerId);
    const flat = bar.getAttribute("aria-orientation") === "horizontal";
    const from = flat ? event.clientY : event.clientX;
    const before = now(bar);
    const ratio = 16 / parseFloat(getComputedStyle(document.documentElement).fontSize);
    const move = (step) => resize(bar, before + (flat ? from - step.clientY : step.clientX - from) * ratio);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("lostpointercapture", () => bar.removeEventListener("pointermove", move), { once: true });
  });
  document.addEventListener("dblclick", (event) => {
    const bar = event.target.closest?.("[role=separator][data-volet]");
    if (bar) resize(bar, Number(bar.dataset.defaut));
  });
  document.addEventListener("keydown", (event) => {
    const bar = event.target.closest?.("[role=separator][data-volet]");
    if (!bar) return;
    const step = event.shiftKey ? 5 * STEP : STEP;
    const flat = bar.getAttribute("aria-orientation") === "horizontal";
    const wanted = {
      [flat ? "ArrowUp" : "ArrowRight"]: now(bar) + step,
      [flat ? "ArrowDown" : "ArrowLeft"]: now(bar) - step,
      Home: Number(bar.getAttribute("aria-valuemin")),
      End: Number(bar.getAttribute("aria-valuemax")),
      Enter: Number(bar.dataset.defaut),
    }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    resize(bar, wanted);
  });

  document.addEventListener("toggle", (event) => {
    const pane = event.target;
    if (pane.matches?.("details[data-retenir]") && event.oldState !== undefined && event.oldState !== event.newState && pane.dataset.pret) remember(pane.dataset.retenir, pane.open);
  }, true);
  // A pane drawn open fires one «toggle» by itself: only those that follow are somebody's choice.
  addEventListener("load", () => setTimeout(() => document.querySelectorAll("details[data-retenir]").forEach((pane) => { pane.dataset.pret = "1"; })));
})();
