// New lines of the journal arrive as they come: asked for every ten seconds while somebody looks at them.
(() => {
  "use strict";
  const EVERY = 10000;
  const MOST = 300;
  const rows = (body, html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return [...holder.content.querySelectorAll("tr")];
  };

  const follow = (area) => {
    const body = area.querySelector("tbody");
    const pane = area.closest("details");
    const form = pane?.querySelector("[data-journal-filtre]");
    const nothing = area.querySelector("[data-journal-rien]");
    const count = pane?.querySelector("[data-journal-compte]");
    let asking = false;
    let arrived = 0;

    const address = (since) => {
      const url = new URL(area.dataset.journalDirect, location.href);
      if (form) for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, value);
      if (since !== null) url.searchParams.set("depuis", since);
      return url;
    };
    const say = () => {
      if (count) count.textContent = arrived ? `${arrived} ${arrived > 1 ? "nouvelles lignes" : "nouvelle ligne"}` : "";
    };
    const ask = async (since) => {
      if (asking) return null;
      asking = true;
      try {
        const answer = await fetch(address(since), { headers: { "HX-Request": "true" } });
        return answer.ok && !answer.redirected ? rows(body, await answer.text()) : null;
      } catch {
        return null;
      } finally {
        asking = false;
      }
    };

    const load = async () => {
      area.setAttribute("aria-busy", "true");
      const found = await ask(null);
      area.removeAttribute("aria-busy");
      if (!found) return;
      body.replaceChildren(...found);
      delete area.dataset.journalVide;
      if (nothing) {
        nothing.hidden = found.length > 0;
        nothing.textContent = "Aucune ligne ne correspond.";
      }
    };
    const refresh = async () => {
      if (document.hidden || (pane && !pane.open) || area.contains(document.getSelection()?.anchorNode) && !document.getSelection().isCollapsed) return;
      if ("journalVide" in area.dataset) { await load(); return; }
      const found = await ask(body.querySelector("[data-ligne]")?.dataset.ligne ?? "0");
      if (!found?.length) return;
      const before = area.scrollHeight;
      found.forEach((line) => { line.dataset.nouvelle = ""; });
      body.prepend(...found);
      [...body.children].slice(MOST).forEach((line) => line.remove());
      if (area.scrollTop > 0) area.scrollTop += area.scrollHeight - before;
      if (nothing) nothing.hidden = true;
      arrived += found.length;
      say();
    };

    let pause;
    form?.addEventListener("input", () => {
      if (!pane) return;
      clearTimeout(pause);
      pause = setTimeout(load, 250);
    });
    pane?.addEventListener("toggle", () => {
      arrived = 0;
      say();
      if (pane.open) refresh();
    });
    document.addEventListener("visibilitychange", refresh);
    setInterval(refresh, EVERY);
    if (pane?.open) refresh();
  };
  const ready = () => document.querySelectorAll("[data-journal-direct]").forEach(follow);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
