// All pictures of the console. Each has an accessible name and a table twin, its own or the row it stands in.

export { AttainmentBullet } from "./AttainmentBullet";
export { ComponentBars, type ComponentBar } from "./ComponentBars";
export { Distribution } from "./Distribution";
export { Histogram, binName } from "./Histogram";
export { MonthBars } from "./MonthBars";
export { PayCurve } from "./PayCurve";
export { Sparkline } from "./Sparkline";
