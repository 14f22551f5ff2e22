// The form of an arrival: spacing of numbers, areas by pinyin, counting. All optional.
"use strict";

(() => {
  const form = document.getElementById("arrival");

  // 6-8-4, as the card prints it; the server ignores the spaces.
  form.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches("[data-number]") || event.isComposing) return;
    const bare = field.value.replace(/\s/g, "").toUpperCase();
    if (!/^\d{6,17}[\dX]?$/.test(bare) || field.selectionStart !== field.value.length) return;
    field.value = [bare.slice(0, 6), bare.slice(6, 14), bare.slice(14)].filter(Boolean).join(" ");
  });

  // An area: what the server offers stands in a list below the field.
  let waiting;
  const close = (field) => {
    field.parentElement.closest(".place-field").querySelector(".places")?.remove();
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (field, option) => {
    field.value = option.dataset.place;
    close(field);
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const offer = async (field) => {
    const box = field.closest(".place-field");
    const asked = field.value.trim();
    if (!asked) return close(field);
    const address = `${box.dataset.searchUrl}?q=${encodeURIComponent(asked)}`;
    const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
    if (!answer?.ok || field.value.trim() !== asked || document.activeElement !== field) return;
    close(field);
    const list = document.createElement("ul");
    list.className = "places";
    list.id = `${field.id}-places`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", box.querySelector("label").textContent.trim());
    list.innerHTML = await answer.text();
    if (!list.children.length) return;
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[data-place]");
      if (option) choose(field, option);
    });
    box.append(list);
    field.setAttribute("aria-expanded", "true");
    // Above a phone's keyboard there is room for the list only when the field stands at the top.
    if (innerWidth < 992) box.scrollIntoView({ block: "start" });
  };
  const help = (field) => {
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-expanded", "false");
    field.setAttribute("aria-controls", `${field.id}-places`);
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => offer(field), 200);
    });
    field.addEventListener("blur", () => close(field));
    field.addEventListener("keydown", (event) => {
      const list = field.closest(".place-field").querySelector(".places");
      if (!list) return;
      const options = [...list.children];
      const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
      if (event.key === "Escape") return close(field);
      if (event.key === "Enter" && at >= 0) {
        event.preventDefault();
        return choose(field, options[at]);
      }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      options[at]?.setAttribute("aria-selected", "false");
      const next = options[(at + step + options.length) % options.length];
      next.setAttribute("aria-selected", "true");
      next.scrollIntoView({ block: "nearest" });
      field.setAttribute("aria-activedescendant", next.id);
    });
  };
  form.querySelectorAll("[data-places]").forEach(help);

  // One more row: the empty one that waits in the template, under the next number.
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-another]");
    if (!button) return;
    event.preventDefault();
    const total = document.getElementById(`id_${button.dataset.another}-TOTAL_FORMS`);
    const row = document.createElement("template");
    row.innerHTML = button.parentElement
      .querySelector("template")
      .innerHTML.replaceAll("__prefix__", total.value)
      .replace("__number__", Number(total.value) + 1);
    button.before(row.content);
    total.value = Number(total.value) + 1;
    const field = button.previousElementSibling.querySelector("[data-places], input");
    if (field.matches("[data-places]")) help(field);
    field.focus();
    button.hidden = Number(total.value) >= Number(button.dataset.most);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose]");
    if (!button) return;
    event.preventDefault();
    const field = document.getElementById(button.dataset.choose);
    field.value = button.value;
    field.classList.remove("is-invalid");
    // By keyboard only: on a phone the field would bring its keyboard up again.
    if (button.matches(":focus-visible")) field.focus();
    button.closest(".which").replaceChildren();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
