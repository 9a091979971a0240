import { byId, setAttribute } from "./dom.js";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const KEY = "ipvsadm-theme";

/** The switch between dark and light. `auto` follows the system. @param changed redraws what has colors of its own */
export function startTheme(changed: () => void): void {
  const select = byId("theme", HTMLSelectElement);
  const use = (theme: Theme) => {
    setAttribute(document.documentElement, "data-theme", theme);
    changed();
  };
  select.value = THEMES.find((theme) => theme === stored()) ?? "auto";
  use(select.value as Theme);
  select.addEventListener("change", () => {
    store(select.value);
    use(select.value as Theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener(
    "change",
    changed,
  );
}

/** A browser may forbid storage. */
function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function store(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then the choice lasts until the page is closed.
  }
}
