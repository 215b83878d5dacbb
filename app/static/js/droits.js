// The grid of rights: what changed is marked and counted, its effect said in people before it is saved.
(() => {
  "use strict";
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const numbers = new Intl.NumberFormat("fr-FR");
  const many = (count, one, more) => `${numbers.format(count)} ${count > 1 ? more : one}`;

  const start = (form) => {
    const bar = form.querySelector("[data-droits-barre]");
    const effect = form.querySelector("[data-effet]");
    const lines = form.querySelector("[data-effet-lignes]");
    const people = Object.entries(JSON.parse(form.dataset.combinaisons)).map(([held, count]) => [held.split("+"), count]);
    const cells = all("[data-grille]", form).flatMap((grid) => {
      const heads = all("thead tr:last-child th", grid);
      return all("tbody tr", grid).flatMap((row) => all("input", row).map((box, at) => ({ box, row, at, grid, head: heads[at] })));
    });
    const was = (cell) => cell.box.dataset.avant === "1";
    const changed = (cell) => cell.box.checked !== was(cell);

    // Who gains or loses: somebody who has the role by another profile neither gains nor loses it.
    const concerned = (cell) => {
      const column = cells.filter((one) => one.head === cell.head);
      const gives = (profil, read) => column.some((one) => one.row.dataset.profil === profil && read(one));
      return people.reduce((total, [held, count]) => {
        if (!held.includes(cell.row.dataset.profil)) return total;
        const before = held.some((profil) => gives(profil, was));
        const after = held.some((profil) => gives(profil, (one) => one.box.checked));
        return total + (before === after ? 0 : count);
      }, 0);
    };
    const line = (cell) => {
      const item = document.createElement("li");
      const text = item.appendChild(document.createElement("div"));
      text.className = "pr-grow";
      const name = document.createElement("strong");
      name.textContent = cell.row.dataset.nom;
      const before = document.createElement("del");
      const after = document.createElement("ins");
      [before.textContent, after.textContent] = was(cell) ? ["oui", "non"] : ["non", "oui"];
      const said = document.createElement("span");
      said.className = "pr-mute pr-small";
      const verb = cell.box.checked ? ["gagne", "gagnent"] : ["perd", "perdent"];
      const count = concerned(cell);
      said.textContent = count ? `${many(count, `personne ${verb[0]}`, `personnes ${verb[1]}`)} ce droit${"inactif" in cell.head.dataset ? " à l’activation" : ""}` : "personne ne gagne ni ne perd ce droit";
      text.append(`${cell.head.dataset.service}, ${cell.head.dataset.role} : `, name, document.createElement("br"), before, " → ", after, " ", said);
      return item;
    };
    const draw = () => {
      const moved = cells.filter(changed);
      cells.forEach((cell) => cell.box.closest("td").toggleAttribute("data-changed", changed(cell)));
      if (!bar) return;
      const title = `${moved.length} ${moved.length > 1 ? "modifications" : "modification"}`;
      bar.hidden = moved.length === 0;
      bar.querySelector("[data-droits-compte]").textContent = moved.length ? `${title} non ${moved.length > 1 ? "enregistrées" : "enregistrée"}` : "";
      effect.hidden = moved.length === 0;
      effect.querySelector("h2").textContent = moved.length > 1 ? `Effet des ${title}` : "Effet de la modification";
      lines.replaceChildren(...moved.map(line));
    };

    // A heading ticks its whole row or column, or unticks it when it is whole already.
    const toggle = (group) => {
      const free = group.filter((cell) => !cell.box.disabled);
      const tick = free.some((cell) => !cell.box.checked);
      free.forEach((cell) => { cell.box.checked = tick; });
      draw();
    };
    const heading = (head, group) => {
      if (!group.some((cell) => !cell.box.disabled)) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "pr-gridhead";
      button.append(...head.childNodes);
      button.title = `${head.dataset.bascule} : tout cocher ou tout décocher`;
      button.addEventListener("click", () => toggle(group));
      head.append(button);
    };
    if (bar) {
      all("tbody tr", form).forEach((row) => row.querySelector("[data-bascule]") && heading(row.querySelector("[data-bascule]"), cells.filter((cell) => cell.row === row)));
      all("thead [data-bascule]", form).forEach((head) => heading(head, cells.filter((cell) => cell.head === head)));
    }

    // Arrows go from one free cell to the next; space ticks, as in any box.
    const next = (cell, rows, columns) => {
      const height = all("tbody tr", cell.grid).length;
      const order = [...cell.grid.tBodies[0].rows];
      let [row, at] = [order.indexOf(cell.row), cell.at];
      for (;;) {
        row += rows;
        at += columns;
        const found = row >= 0 && row < height && cells.find((one) => one.row === order[row] && one.at === at);
        if (!found) return null;
        if (!found.box.disabled) return found;
      }
    };
    form.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      const cell = step && cells.find((one) => one.box === event.target);
      if (!cell) return;
      event.preventDefault();
      next(cell, ...step)?.box.focus();
    });

    let leaving = false;
    form.addEventListener("change", draw);
    form.addEventListener("reset", () => {
      // what was refused is drawn ticked: cancelling goes back to what holds
      setTimeout(() => { cells.forEach((cell) => { cell.box.checked = was(cell); }); draw(); });
    });
    form.addEventListener("submit", () => { leaving = true; });
    addEventListener("beforeunload", (event) => { if (!leaving && cells.some(changed)) event.preventDefault(); });
    draw();
  };
  const ready = () => all("form[data-droits]").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
