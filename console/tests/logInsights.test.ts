import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { type Answer, runQuery, tableOf } from '../src/log_insights/query.ts';

const QUERY = { groups: ['/aws/lambda/f'], text: 'fields @message', startMs: 1500, endMs: 2500 };

/** A client that answers in turn, and what it was asked. */
function clientOf(...answers: object[]) {
  const asked: { name: string; input: object }[] = [];
  const send = (command: { constructor: { name: string }; input: object }) => {
    asked.push({ name: command.constructor.name, input: command.input });
    return Promise.resolve(answers.shift());
  };
  return { asked, client: { send } as unknown as CloudWatchLogsClient };
}

describe('tableOf', () => {
  it('has the columns in the order of the rows, without the pointer', () => {
    const cell = (field: string, value: string) => ({ field, value });
    expect(tableOf([[cell('a', '1'), cell('@ptr', 'x')], [cell('b', '2')]])).toEqual({
      rows: [{ a: '1' }, { b: '2' }],
      fields: ['a', 'b'],
    });
  });
});

describe('runQuery', () => {
  it('asks until the query is complete, in whole seconds around its time', async () => {
    const { asked, client } = clientOf({ queryId: 'q' }, { status: 'Running' }, { status: 'Complete', results: [] });
    const told: Answer[] = [];
    await runQuery(client, QUERY, (answer) => told.push(answer), new AbortController().signal);
    expect(told.map(({ status }) => status)).toEqual(['Running', 'Complete']);
    expect(asked[0]?.input).toMatchObject({ startTime: 1, endTime: 3, logGroupNames: ['/aws/lambda/f'] });
  });

  it('throws how a query ended that did not complete', async () => {
    const { client } = clientOf({ queryId: 'q' }, { status: 'Timeout' });
    await expect(runQuery(client, QUERY, () => {}, new AbortController().signal)).rejects.toThrow('Timeout');
  });

  it('stops the query of somebody who went away', async () => {
    const { asked, client } = clientOf({ queryId: 'q' }, { status: 'Running' }, {});
    const leaving = new AbortController();
    await runQuery(client, QUERY, () => leaving.abort(), leaving.signal);
    expect(asked.at(-1)).toEqual({ name: 'StopQueryCommand', input: { queryId: 'q' } });
  });
});
