// What .ci/site.py asks of each page, in the page itself.
window.checks = {
  // Text that a reader sees, without code and rendered maths
  visibleText() {
    const skipped =
      "script, style, template, code:not(.sourceCode), pre:not(.sourceCode), " +
      ".katex, .math, mjx-container, .MathJax";
    const start = document.querySelector("main") || document.body;
    const walk = document.createTreeWalker(start, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) {
      if (!walk.currentNode.parentElement.closest(skipped))
        found.push(walk.currentNode.data);
    }
    return found.join("\n");
  },

  // Markdown links that stayed text in a signature
  rawSignatures() {
    const texts = [...document.querySelectorAll("pre")].map((e) => e.innerText);
    return texts
      .filter((t) => t.includes("](http"))
      .map((t) => t.slice(t.indexOf("](http") - 40, t.indexOf("](http") + 40));
  },

  // Images that are broken or have no alt text; outside the text one may be an ornament
  badImages() {
    document.querySelectorAll("details").forEach((d) => (d.open = true));
    const described = (i) =>
      i.alt.trim() || (i.getAttribute("alt") === "" && !i.closest("main"));
    const broken = (i) => i.complete && !i.naturalWidth;
    return [...document.images]
      .filter((i) => !described(i) || broken(i))
      .map((i) => i.outerHTML.slice(0, 120));
  },

  // What sticks out of the window, unless it can be scrolled to
  tooWide() {
    const width = document.documentElement.clientWidth;
    const scrolls = (e) =>
      e &&
      (["auto", "scroll"].includes(getComputedStyle(e).overflowX) ||
        scrolls(e.parentElement));
    const bad = [];
    const page = document.scrollingElement.scrollWidth;
    if (page > width + 1) bad.push(`the page is ${page} wide`);
    const parts = "p, h1, h2, h3, li, td, img, figcaption";
    for (const e of document.querySelectorAll(`main :is(${parts})`)) {
      const box = e.getBoundingClientRect();
      if (box.width && box.right > width + 1 && !scrolls(e))
        bad.push(`${e.tagName} ${(e.innerText || e.alt || "").slice(0, 60)}`);
    }
    return bad.slice(0, 4);
  },

  anchors() {
    const named = [...document.querySelectorAll("[id], a[name]")];
    return named.map((e) => e.id || e.name);
  },

  links() {
    const linked = [...document.querySelectorAll("a[href]")];
    return linked.map((a) => a.getAttribute("href"));
  },
};
