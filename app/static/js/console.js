// Progressive enhancement only: every page works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // Theme: kept in a cookie so that the server draws the right one at once.
  document.addEventListener("change", (event) => {
    const input = event.target.closest("input[name=theme]");
    if (!input) return;
    if (input.value) root.setAttribute("data-bs-theme", input.value);
    else root.removeAttribute("data-bs-theme");
    document.cookie = `preau_theme=${input.value};path=/;max-age=${input.value ? 31536000 : 0};samesite=lax`;
  });

  // Menus close on Escape and on a click elsewhere; messages close on their button.
  document.addEventListener("click", (event) => {
    all("details.pr-menu[open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest(closer.dataset.close)?.remove();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.pr-menu[open]");
    if (menu) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
  });

  // Ticked lines: the bar says how many, and is there only when there are some.
  const count = (form) => {
    const boxes = all("input[name=rowid]", form);
    const ticked = boxes.filter((box) => box.checked).length;
    const bar = form.querySelector(".pr-actionbar");
    const box = bar.querySelector("[name=tout]");
    if (box && ticked < boxes.length) box.checked = false;
    bar.hidden = ticked === 0;
    bar.querySelector("[data-compte]").textContent = box?.checked ? box.dataset.dit : `${ticked} ${ticked > 1 ? "lignes cochées" : "ligne cochée"}`;
    const everything = form.querySelector("[data-tout]");
    everything.checked = ticked > 0 && ticked === boxes.length;
    everything.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-selection]");
    if (!form) return;
    if (event.target.matches("[data-tout]") || (event.target.matches("[name=tout]") && event.target.checked)) all("input[name=rowid]", form).forEach((box) => { box.checked = event.target.checked; });
    count(form);
  });

  // Filters: a choice applies at once, typing after a pause; the list alone is redrawn.
  let pause;
  const redraw = async (form) => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    const kept = [...new URLSearchParams(location.search)].filter(([name]) => /^(psize_|_oc_|_od_)/.test(name));
    kept.forEach(([name, value]) => query.append(name, value));
    const url = `${location.pathname}?${query}`;
    const list = document.getElementById("liste");
    list.setAttribute("aria-busy", "true");
    const focused = document.activeElement?.name;
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("liste");
      if (!fresh) { location.assign(url); return; }
      const typed = form.querySelector("[name=q]")?.value;
      list.replaceWith(fresh);
      history.replaceState(null, "", url);
      prepare(fresh);
      const field = focused && fresh.querySelector(`[name="${CSS.escape(focused)}"]`);
      if (field) {
        field.focus();
        if (field.name === "q") { field.value = typed; field.setSelectionRange(typed.length, typed.length); }
      }
      const said = fresh.querySelector(".pr-chips > li, .pr-empty h2, .pr-pager > span")?.textContent;
      const status = document.getElementById("annonce");
      if (status && said) status.textContent = said;
    } catch {
      location.assign(url);
    }
  };
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-filtre]");
    if (!form || event.target.closest(".ts-wrapper")) return;
    clearTimeout(pause);
    pause = setTimeout(() => redraw(form), event.target.matches("[name=q]") ? 300 : 50);
  });

  // Leaving with unsaved changes warns; sending does not.
  const state = (form) => new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();
  const guarded = new Map();
  addEventListener("beforeunload", (event) => {
    for (const [form, before] of guarded) if (form.isConnected && state(form) !== before) event.preventDefault();
  });
  document.addEventListener("submit", (event) => guarded.delete(event.target));

  // Long choices are fetched as one types.
  const words = {
    option: (data, escape) => `<div>${escape(data.text)}</div>`,
    no_results: () => '<div class="no-results">Aucun résultat dans votre périmètre.</div>',
    loading: () => '<div class="no-results">Recherche…</div>',
    not_loading: () => '<div class="no-results">Tapez les premières lettres.</div>',
  };
  const choose = (select) => {
    if (!window.TomSelect || select.tomselect) return;
    const label = select.getAttribute("aria-label") || document.querySelector(`label[for="${CSS.escape(select.id)}"]`)?.textContent.trim();
    const empty = select.querySelector('option[value=""]')?.textContent ?? "";
    const control = new window.TomSelect(select, {
      valueField: "value", labelField: "text", searchField: [], sortField: [{ field: "$order" }],
      placeholder: empty, maxOptions: 20, loadThrottle: 250, preload: "focus", allowEmptyOption: false,
      plugins: { clear_button: { title: "Effacer ce choix" } },
      shouldLoad: () => true,
      load(typed, done) {
        this.clearOptions();
        fetch(`${select.dataset.distant}?q=${encodeURIComponent(typed)}`, { headers: { Accept: "application/json" } })
          .then((answer) => (answer.ok ? answer.json() : []))
          .then(done, () => done());
      },
      render: words,
    });
    select.setAttribute("aria-label", label || "Choix"); // its label now names the field one types in
    control.control_input.setAttribute("aria-label", label || "Rechercher");
    control.dropdown_content.setAttribute("aria-label", label || "Choix");
  };

  const prepare = (from) => {
    all("select[data-distant]", from).forEach(choose);
    all("form[data-selection]", from).forEach(count);
    all("form[data-filtre] > button[type=submit]", from).forEach((button) => { button.hidden = true; });
    all("[data-print]", from).forEach((button) => { button.hidden = false; button.onclick = () => window.print(); });
    all("form[data-garde]", from).forEach((form) => guarded.set(form, state(form)));
  };
  const ready = () => {
    prepare(document);
    document.querySelector("[data-focus]")?.focus();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
