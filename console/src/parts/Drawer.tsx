// Details beside the screen. It shares its frame with the dialog.

export { Drawer } from "./Dialog";
