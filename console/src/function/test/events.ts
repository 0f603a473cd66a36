/** Named test events of a function: private ones in this browser. */

export interface TestEvent {
  readonly name: string;
  readonly text: string;
}

/** As many as AWS's console keeps for one person and function. */
export const MOST_EVENTS = 10;

const NAME = /^[a-zA-Z0-9_-]{1,25}$/;

const keyOf = (region: string, functionName: string) => `firefork.events.${region}.${functionName}`;

export function privateEvents(region: string, functionName: string): TestEvent[] {
  const stored = localStorage.getItem(keyOf(region, functionName));
  return stored ? (JSON.parse(stored) as TestEvent[]) : [];
}

/** Saves under the event's name, over an older one; resolves nothing, keeps names in order. */
export function saveEvent(region: string, functionName: string, event: TestEvent): TestEvent[] {
  const others = privateEvents(region, functionName).filter((known) => known.name !== event.name);
  return store(region, functionName, [...others, event]);
}

export function deleteEvent(region: string, functionName: string, name: string): TestEvent[] {
  return store(
    region,
    functionName,
    privateEvents(region, functionName).filter((known) => known.name !== name),
  );
}

function store(region: string, functionName: string, events: TestEvent[]): TestEvent[] {
  const sorted = events.sort((a, b) => a.name.localeCompare(b.name));
  localStorage.setItem(keyOf(region, functionName), JSON.stringify(sorted));
  return sorted;
}

export function isEventName(name: string): boolean {
  return NAME.test(name);
}

/** What is wrong with a JSON text, undefined if nothing is. */
export function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    // JSON.parse throws nothing but a SyntaxError, whose message says where.
    return (error as SyntaxError).message;
  }
}
