import { describe, expect, it } from 'vitest';
import { readReport } from '../src/function/report.ts';
import { placeOf, readFunctionError } from '../src/function/stackTrace.ts';

const WARM =
  'REPORT RequestId: 7a\tDuration: 15.74 ms\tBilled Duration: 16 ms\tMemory Size: 128 MB\tMax Memory Used: 56 MB\t';

describe('readReport', () => {
  it('reads a warm invoke', () => {
    expect(readReport(`START RequestId: 7a Version: $LATEST\nhello\nEND RequestId: 7a\n${WARM}\n`)).toEqual({
      requestId: '7a',
      durationMs: 15.74,
      billedMs: 16,
      memoryMb: 128,
      usedMb: 56,
      initMs: undefined,
      restoreMs: undefined,
      status: undefined,
      errorType: undefined,
    });
  });

  it('reads a cold start, a time-out and an error', () => {
    expect(readReport(`${WARM}Init Duration: 130.49 ms\t`)?.initMs).toBe(130.49);
    expect(readReport(`${WARM}Status: timeout`)?.status).toBe('timeout');
    expect(readReport(`${WARM}Status: error\tError Type: Runtime.ExitError`)?.errorType).toBe('Runtime.ExitError');
  });

  it('reads the last of several', () => {
    expect(readReport(`${WARM}\n${WARM.replace('7a', '7b')}`)?.requestId).toBe('7b');
  });

  it('reads the JSON form', () => {
    const metrics = { durationMs: 2.5, billedDurationMs: 3, memorySizeMB: 256, maxMemoryUsedMB: 40, initDurationMs: 9 };
    const line = JSON.stringify({ type: 'platform.report', record: { requestId: '7a', status: 'success', metrics } });
    expect(readReport(`{"type":"platform.start"}\n${line}\n`)).toMatchObject({
      requestId: '7a',
      billedMs: 3,
      initMs: 9,
    });
  });

  it.each(['', 'nothing here', 'REPORT', '{"type":"platform.report","reco'])('finds nothing in %j', (log) => {
    expect(readReport(log)).toBeUndefined();
  });
});

describe('placeOf', () => {
  it('names a line of the function', () => {
    expect(placeOf('  File "/var/task/pkg/app.py", line 12, in handler\n    boom()\n')).toEqual({
      file: 'pkg/app.py',
      line: 12,
    });
  });

  it('leaves out the libraries', () => {
    expect(placeOf('  File "/var/lang/lib/python3.12/json/decoder.py", line 3, in x\n')).toBeUndefined();
  });
});

describe('readFunctionError', () => {
  it('knows an error document from an answer', () => {
    expect(readFunctionError(JSON.stringify({ errorMessage: 'no', errorType: 'ValueError' }))?.errorType).toBe(
      'ValueError',
    );
    expect(readFunctionError(JSON.stringify({ statusCode: 200 }))).toBeUndefined();
    expect(readFunctionError('errorMessage')).toBeUndefined();
    expect(readFunctionError(JSON.stringify(null))).toBeUndefined();
  });
});
