// What .ci/explorer.py asks of the page.
window.ask = {
  // The map as it is drawn: [height, width, colours and cover as a flat list]
  canvas() {
    const map = document.querySelector("#map");
    const size = { width: map.width, height: map.height };
    const copy = Object.assign(document.createElement("canvas"), size);
    const context = copy.getContext("2d");
    context.drawImage(map, 0, 0);
    const { data } = context.getImageData(0, 0, map.width, map.height);
    return [map.height, map.width, Array.from(data)];
  },

  // The name of the control that has the focus
  focused() {
    const e = document.activeElement;
    return e.name || e.closest("[id]")?.id || "";
  },

  // Whether the focus can be seen
  focusShows() {
    const e = document.activeElement;
    if (e === document.body) return true;
    let drawn = e;
    if (e.name === "image") drawn = e.nextElementSibling;
    if (e.name === "layer") drawn = e.parentElement;
    return getComputedStyle(drawn).outlineStyle !== "none";
  },

  focusedSource() {
    return document.activeElement.outerHTML.slice(0, 60);
  },

  // How many controls have no label
  unlabelled() {
    const label = (e) =>
      e.ariaLabel ||
      e.labels?.[0]?.textContent ||
      e.textContent ||
      e.labels?.[0]?.querySelector("img")?.alt ||
      "";
    const controls = [...document.querySelectorAll("input, select, button")];
    return controls.filter((e) => !label(e).trim()).length;
  },

  imagesWithoutAlt() {
    return [...document.images].filter((i) => !i.alt).length;
  },

  isDark() {
    const colour = getComputedStyle(document.body).backgroundColor;
    return colour.match(/\d+/g).every((v) => v < 100);
  },

  pageWidth() {
    return document.scrollingElement.scrollWidth;
  },
};
