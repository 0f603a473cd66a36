import { describe, expect, it } from 'vitest';
import { invocationsOf, logsOf, ofVersion } from '../src/function/monitor/invocations.ts';

const report = (id: string, ms: number, rest = '') =>
  `REPORT RequestId: ${id}\tDuration: ${ms} ms\tBilled Duration: ${ms} ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t${rest}\n`;
const event = (timestamp: number, logStreamName: string, message: string) => ({ timestamp, logStreamName, message });

const EVENTS = [
  event(1000, 'a', report('1', 10, 'Init Duration: 99.5 ms\t')),
  event(2000, 'a', '[ERROR] ValueError: no\nTraceback (most recent call last):\n'),
  event(2001, 'b', '[ERROR]\t2026-01-01T00:00:00.000Z\t3\tonly logged\n'),
  event(2002, 'b', report('3', 30)),
  event(2003, 'a', report('2', 20)),
  event(3000, 'b', report('4', 40, 'Status: timeout')),
];

describe('invocationsOf', () => {
  it('lists the newest first and knows which failed', () => {
    expect(invocationsOf(EVENTS).map(({ requestId, failed }) => [requestId, failed])).toEqual([
      ['4', true],
      ['2', true],
      ['3', false],
      ['1', false],
    ]);
  });
});

describe('ofVersion', () => {
  it('tells versions apart by their streams', () => {
    const all = invocationsOf([
      event(1, '2026/01/31/[7]aa', report('seven', 1)),
      event(2, '2026/01/31/[$LATEST]bb', report('latest', 1)),
    ]);
    expect(ofVersion(all, '7').map(({ requestId }) => requestId)).toEqual(['seven']);
    expect(ofVersion(all, '$LATEST').map(({ requestId }) => requestId)).toEqual(['latest']);
  });
});

describe('logsOf', () => {
  it('looks from the start of the init to the report, in the stream of the environment', () => {
    const [first] = invocationsOf(EVENTS.slice(0, 1));
    expect(first && logsOf(first)).toEqual({ pattern: '', stream: 'a', span: { startMs: 888, endMs: 1002 } });
  });
});
