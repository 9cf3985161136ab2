// What .ci/lab.py asks of the page, beside what .ci/explorer.js knows.
window.lab = {
  // The bytes that the network sees
  bytes() {
    return Array.from(state.bytes);
  },

  logits() {
    return Array.from(state.logits);
  },

  // The maps of each class, a list of four for each, from the network that the page uses
  async maps() {
    const all = [];
    for (const k of classes.keys()) {
      const score = classes.map((_, i) => Number(i === k));
      const maps = await send("maps", { score });
      all.push(stages.map((stage) => Array.from(maps[stage].data)));
    }
    return all;
  },

  // The map that is shown
  map() {
    return Array.from(map().data);
  },

  // The control that has the focus, and whether that can be seen
  focus() {
    const e = document.activeElement;
    const outline = (e) => getComputedStyle(e).outlineStyle !== "none";
    const drawn = [e, e.nextElementSibling, e.parentElement].filter(Boolean);
    const name = e.name || e.id || e.closest("[id]")?.id || "";
    return [name, e === document.body || drawn.some(outline)];
  },

  async output(name) {
    const { c, h, w, data } = await send("output", { name });
    return [c, h, w, Array.from(data)];
  },

  // For each cell of the last stage: the score without it
  async withoutCells() {
    const scores = [];
    const { h, w } = state.maps.layer4;
    for (let place = 0; place < h * w; place++)
      scores.push(scoreOf(await send("without", { place })));
    return [scoreOf(state.logits), scores];
  },

  // Milliseconds of one prediction and of its four maps, in the page itself
  time(repeats) {
    const network = answering(content);
    const score = classes.map((_, i) => Number(i === 0));
    const times = [];
    for (let i = 0; i < repeats; i++) {
      const start = performance.now();
      network.see({ bytes: state.bytes });
      network.maps({ score });
      times.push(performance.now() - start);
    }
    return times;
  },

  // A file is dropped on the page: its name, type, and bytes in base64
  drop([name, type, text]) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    document.body.dispatchEvent(
      new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }),
    );
  },
};
