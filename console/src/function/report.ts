/** What an invoke cost, read from its REPORT line. AWS: Lambda developer guide, "Viewing logs for Python functions". */

export interface Report {
  readonly requestId: string;
  readonly durationMs: number;
  readonly billedMs: number;
  readonly memoryMb: number;
  readonly usedMb: number;
  /** Only where the invoke started its environment. */
  readonly initMs?: number;
  readonly restoreMs?: number;
  /** `timeout` or `error`; an exception of the handler is neither. */
  readonly status?: string;
  readonly errorType?: string;
}

const FIELDS = /^REPORT RequestId: (\S+)\t(.*)$/m;

/** The last report in a log text, or undefined. */
export function readReport(log: string): Report | undefined {
  const lines = log.split('\n').filter((line) => line.startsWith('REPORT '));
  const found = FIELDS.exec(lines.at(-1) ?? '');
  if (!found?.[1]) return readJsonReport(log);
  const fields = new Map(
    (found[2] ?? '').split('\t').map((field) => {
      const [name = '', value = ''] = field.split(': ');
      return [name.trim(), value.trim()] as const;
    }),
  );
  const number = (name: string) => Number.parseFloat(fields.get(name) ?? '');
  const optional = (name: string) => (fields.has(name) ? number(name) : undefined);
  return {
    requestId: found[1],
    durationMs: number('Duration'),
    billedMs: number('Billed Duration'),
    memoryMb: number('Memory Size'),
    usedMb: number('Max Memory Used'),
    initMs: optional('Init Duration'),
    restoreMs: optional('Restore Duration'),
    status: fields.get('Status'),
    errorType: fields.get('Error Type'),
  };
}

interface JsonReport {
  readonly type?: string;
  readonly record?: {
    readonly requestId: string;
    readonly status?: string;
    readonly errorType?: string;
    readonly metrics: {
      readonly durationMs: number;
      readonly billedDurationMs: number;
      readonly memorySizeMB: number;
      readonly maxMemoryUsedMB: number;
      readonly initDurationMs?: number;
      readonly restoreDurationMs?: number;
    };
  };
}

/** The same of a function that logs in JSON: the event `platform.report`. */
function readJsonReport(log: string): Report | undefined {
  const line = log.split('\n').findLast((text) => text.includes('"platform.report"'));
  if (!line) return undefined;
  const { record } = parse(line) ?? {};
  if (!record) return undefined;
  return {
    requestId: record.requestId,
    durationMs: record.metrics.durationMs,
    billedMs: record.metrics.billedDurationMs,
    memoryMb: record.metrics.memorySizeMB,
    usedMb: record.metrics.maxMemoryUsedMB,
    initMs: record.metrics.initDurationMs,
    restoreMs: record.metrics.restoreDurationMs,
    status: record.status === 'success' ? undefined : record.status,
    errorType: record.errorType,
  };
}

function parse(line: string): JsonReport | undefined {
  try {
    return JSON.parse(line) as JsonReport;
  } catch {
    // A line that a 4 KB log tail cut in its middle.
    return undefined;
  }
}
