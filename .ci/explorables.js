// What .ci/explorables.py asks of an explorable, which is the page's only one.
window.explored = {
  box: () => document.querySelector(".explorable"),

  // What the explorable knows of itself
  state: () => structuredClone(explored.box().state),

  // What a screen reader calls a control
  name(e) {
    const words = e.tagName === "BUTTON" ? e.textContent : "";
    return (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || words).trim();
  },

  // How many controls have no name
  unlabelled() {
    const controls = explored.box().querySelectorAll("input, select, button, svg[tabindex]");
    return [...controls].filter((e) => !explored.name(e)).length;
  },

  // Sliders of our own whose value is outside their ends (0 and 100 unless they say so)
  badValues() {
    const number = (e, name, otherwise) => Number(e.getAttribute(`aria-value${name}`) ?? otherwise);
    const inside = (e) => number(e, "min", 0) <= number(e, "now", NaN) && number(e, "now", NaN) <= number(e, "max", 100);
    return [...explored.box().querySelectorAll("[role=slider]")].filter((e) => !inside(e)).length;
  },

  // Controls that a finger can't hit, and words that stick out of the box or of their drawing
  badlyPlaced() {
    const bad = [];
    for (const e of explored.box().querySelectorAll("button, select, label, input, svg[tabindex], svg text, p, li")) {
      const inside = (e.parentElement.closest("svg") ?? explored.box()).getBoundingClientRect();
      const { left, right, top, bottom, width, height } = e.getBoundingClientRect();
      const name = `${e.tagName} ${e.textContent.trim().slice(0, 30)}`;
      if (!width) continue;
      if (right > inside.right + 1 || left < inside.left - 1) bad.push(`sticks out: ${name}`);
      if (e.matches("text") && (top < inside.top - 2 || bottom > inside.bottom + 2)) bad.push(`cut off: ${name}`);
      if (e.matches("button, select, label") && (height < 24 || width < 24)) bad.push(`too small: ${name}`);
    }
    return bad;
  },

  // What Tab has to reach, by name; of radio buttons, and of chapter 6's numbers, one stands for all
  controls() {
    const each = "input:not([type=radio]), select, button:not(.number), svg[tabindex='0']";
    const all = [...explored.box().querySelectorAll(each)].filter((e) => e.checkVisibility());
    return all.map(explored.name);
  },

  // What the focus is on, and whether that can be seen
  focus() {
    const e = document.activeElement;
    if (!explored.box().contains(e)) return ["", true];
    const drawn = e.type === "radio" ? e.parentElement : e;
    return [explored.name(e), getComputedStyle(drawn).outlineStyle !== "none"];
  },

  // The address of each picture in the drawings
  pictures: () => [...explored.box().querySelectorAll("svg image")].map((e) => e.getAttribute("href")),
};
