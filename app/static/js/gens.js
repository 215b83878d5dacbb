// Lists of people: suggestions as one types, filters that redraw the lines alone.
(() => {
  "use strict";
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const say = (text) => {
    const status = document.getElementById("annonce");
    if (status && text) status.textContent = text;
  };

  // Suggestions: the field never loses what is typed, an old answer never replaces a newer one.
  const suggest = (form) => {
    const field = form.querySelector("[name=q]");
    const pane = "volet" in form.dataset;
    const panel = (pane ? form.closest("aside") : form).querySelector("[data-resultats]");
    const before = pane ? [...panel.childNodes] : [];
    let pause;
    let asked;
    const links = () => all("a", panel);
    const close = () => { if (!pane) panel.hidden = true; };
    const reset = () => {
      asked?.abort();
      close();
      panel.replaceChildren(...before);
    };
    const ask = async () => {
      asked?.abort();
      const typed = field.value.trim();
      if (!typed) { reset(); return; }
      const mine = new AbortController();
      asked = mine;
      const url = new URL(form.dataset.suggestions, location.href);
      url.searchParams.set("q", typed);
      panel.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: mine.signal });
        if (!answer.ok) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (asked !== mine) return;
        panel.replaceChildren(...page.body.childNodes);
        panel.hidden = false;
        const count = links().length;
        say(count ? `${count} ${count > 1 ? "personnes trouvées" : "personne trouvée"}` : panel.textContent.trim());
      } catch (error) {
        if (error.name !== "AbortError") close();
      } finally {
        if (asked === mine) panel.removeAttribute("aria-busy");
      }
    };
    field.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(ask, field.value.trim() ? 120 : 0);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && !panel.hidden && links().length) {
        event.preventDefault();
        links()[0].focus();
      } else if (event.key === "Escape" && !pane && !panel.hidden) {
        event.preventDefault();
        close();
      }
    });
    panel.addEventListener("keydown", (event) => {
      const list = links();
      const at = list.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
      if (to !== undefined && at >= 0) {
        event.preventDefault();
        (list[to] ?? (to < 0 ? field : list[at])).focus();
      } else if (event.key === "Escape") {
        field.focus();
        close();
      } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ") {
        field.focus();
      }
    });
    document.addEventListener("click", (event) => form.contains(event.target) || close());
    form.addEventListener("focusout", (event) => { if (event.relatedTarget && !form.contains(event.relatedTarget)) close(); });
    form.addEventListener("submit", () => clearTimeout(pause));
  };

  // Filters: a choice applies at once; what is typed in the search box stays where it is.
  const redraw = async (form) => {
    const query = new URLSearchParams(location.search);
    ["apres", "avant"].forEach((name) => query.delete(name));
    for (const [name, value] of new FormData(form)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    const url = query.size ? `${location.pathname}?${query}` : location.pathname;
    const list = document.getElementById("liste");
    list.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("liste");
      if (!answer.ok || !fresh) { location.assign(url); return; }
      list.replaceWith(fresh);
      all(".pr-head", page).slice(0, 1).forEach((head) => document.querySelector(".pr-head").replaceWith(head));
      history.pushState(null, "", url);
      fresh.querySelector("form[data-selection]")?.dispatchEvent(new Event("change", { bubbles: true }));
      say(fresh.querySelector(".pr-chips > li, .pr-empty :is(h2, h3), .pr-pager > span")?.textContent);
    } catch {
      location.assign(url);
    }
  };
  addEventListener("popstate", () => location.reload());

  const ready = () => {
    all("form[data-suggestions]").forEach(suggest);
    all("form[data-facettes]").forEach((form) => {
      all("button[type=submit]", form).forEach((button) => { button.hidden = true; });
      form.addEventListener("change", () => redraw(form));
      form.addEventListener("submit", (event) => { event.preventDefault(); redraw(form); });
    });
    all("form[data-facettes]").forEach((form) => form.addEventListener("reset", () => redraw(form)));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
