/** Where somebody has put the charts, and how large: kept in the browser, the same for all functions. */

export interface Placed {
  readonly id: string;
  readonly rowSpan: number;
  readonly columnSpan: number;
  /** By the number of columns that there is room for; absent until something was moved. */
  readonly columnOffset?: Readonly<Record<number, number>>;
}

const KEY = 'firefork.monitor.layout';
/** In Cloudscape's rows and in its four columns of a wide window. */
const START = { rowSpan: 3, columnSpan: 2 } as const;

/** The charts in their order. Those that were never placed, or came with a newer console, stand at the end. */
export function readLayout(ids: readonly string[]): readonly Placed[] {
  const kept = stored().filter(({ id }) => ids.includes(id));
  const fresh = ids.filter((id) => !kept.some((placed) => placed.id === id));
  return [...kept, ...fresh.map((id) => ({ id, ...START }))];
}

export function keepLayout(layout: readonly Placed[]): void {
  localStorage.setItem(KEY, JSON.stringify(layout));
}

export function forgetLayout(): void {
  localStorage.removeItem(KEY);
}

export function hasLayout(): boolean {
  return localStorage.getItem(KEY) !== null;
}

function stored(): readonly Placed[] {
  return JSON.parse(localStorage.getItem(KEY) ?? '[]') as readonly Placed[];
}
