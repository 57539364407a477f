// Plotly writes styles as attributes and as <style> elements, which the page's policy forbids to everybody. The same as properties
// and as constructed sheets is allowed, as no markup can say it.
(() => {
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else set.call(this, name, value);
  };
  const make = document.createElement.bind(document);
  document.createElement = (name, ...rest) => {
    if (name !== "style") return make(name, ...rest);
    const stand = make("template"), sheet = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    Object.defineProperty(stand, "sheet", { value: sheet });
    return stand;
  };
})();
