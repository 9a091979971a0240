import { byId } from "./dom.js";

/** The dialog that lists the keys: a button opens it, and the key `?`. */
export function startKeysHelp(): void {
  const dialog = byId("keys", HTMLDialogElement);
  const open = () => {
    if (!document.querySelector("dialog[open]")) dialog.showModal();
  };
  byId("keys-open", HTMLElement).addEventListener("click", open);
  byId("keys-close", HTMLElement).addEventListener("click", () => {
    dialog.close();
  });
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close(); // Beside the dialog.
  });
  document.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (key !== "?" || ctrlKey || metaKey || altKey) return;
    if (target instanceof HTMLInputElement) return;
    event.preventDefault();
    open();
  });
}
