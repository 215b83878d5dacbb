// What the walk with the keyboard asks a page: what its Tab key must reach, what it reached, where that leads.
() => {
  const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const LEADING = ".pr-modules a, .pr-tree a, .pr-head a, .pr-menu a, tbody tr:first-child th a";
  const reached = new Map();
  document.addEventListener("focusin", (event) => {
    const box = event.target.closest("label, .pr-affix, .ts-control") || event.target;
    const styles = [event.target, box].map((one) => getComputedStyle(one));
    reached.set(event.target, styles.some((one) => one.outlineStyle !== "none" || one.boxShadow !== "none"));
  }, true);
  const group = (one) => (one.type === "radio" ? one.name : "");
  const expected = () => {
    const groups = new Set();
    return [...document.querySelectorAll(FOCUSABLE)]
      .filter((one) => one.tabIndex >= 0 && !one.disabled && !one.closest("[inert]"))
      .filter((one) => one.checkVisibility({ checkVisibilityCSS: true }))
      .filter((one) => !group(one) || (!groups.has(group(one)) && groups.add(group(one))));
  };
  const told = (one, why) => `${location.pathname} ${why}: ${one.outerHTML.slice(0, 110)}`;
  window.walk = {
    // a date is several stops of its own
    stops: () => expected().reduce((sum, one) => sum + (one.type === "date" ? 4 : 1), 3),
    wrong: () => {
      const groups = new Set([...reached.keys()].map(group));
      const missed = expected().filter((one) => !reached.has(one) && !(group(one) && groups.has(group(one))));
      const unseen = [...reached].filter(([one, seen]) => !seen && one !== document.body);
      return [...missed.map((one) => told(one, "out of reach")), ...unseen.map(([one]) => told(one, "unseen"))];
    },
    links: () => [...reached.keys()]
      .filter((one) => one.matches(LEADING) && one.origin === location.origin && !one.hasAttribute("download"))
      .map((one) => one.pathname + one.search),
    controls: () => expected().filter((one) => one.closest("main"))
      .map((one) => [one.tagName, one.name, one.getAttribute("href")].join(" ")).join(),
  };
}
