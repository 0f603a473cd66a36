import { InvokeCommand, InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { useCallback, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isExpired } from '../../aws/errors.ts';
import { signOut } from '../../session/session.ts';
import { type Report, readReport } from '../report.ts';
import { type FunctionError, readFunctionError } from '../stackTrace.ts';

export type Kind = 'RequestResponse' | 'Stream' | 'Event' | 'DryRun';

export interface RunRequest {
  readonly eventName: string;
  readonly payload: string;
  readonly kind: Kind;
  readonly qualifier: string | undefined;
}

export interface RunResult {
  readonly eventName: string;
  readonly kind: Kind;
  /** A refusal of the invoke itself; a function's own error is an answer. */
  readonly refusal?: unknown;
  readonly status?: number;
  readonly functionError?: string;
  /** What the function says about its error. */
  readonly failure?: FunctionError;
  /** As the function sent it. */
  readonly answer: string;
  /** The end of the log, at most 4 KB. */
  readonly log: string;
  readonly report?: Report;
  readonly requestId?: string;
  readonly version?: string;
  /** Measured in the browser, from the request to the last byte. */
  readonly roundTripMs: number;
  /** More parts are on their way. */
  readonly running: boolean;
}

export interface TestRun {
  readonly result: RunResult | undefined;
  readonly running: boolean;
  readonly run: (request: RunRequest) => Promise<void>;
}

const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes ?? new Uint8Array());

function decodeLog(base64: string | undefined): string {
  return base64 ? decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))) : '';
}

/** One invoke at a time of one function, with what came of it. */
export function useTestRun(functionName: string): TestRun {
  const lambda = useClient(LambdaClient);
  const [result, setResult] = useState<RunResult | undefined>();
  const [running, setRunning] = useState(false);

  const run = useCallback(
    async ({ eventName, payload, kind, qualifier }: RunRequest) => {
      const started = performance.now();
      const partial = { eventName, kind, answer: '', log: '', running: true, roundTripMs: 0 };
      const input = {
        FunctionName: functionName,
        Qualifier: qualifier,
        Payload: new TextEncoder().encode(payload),
      };
      setRunning(true);
      setResult(undefined);
      try {
        let done: RunResult;
        if (kind === 'Stream') {
          done = await stream(lambda, input, partial, setResult);
        } else {
          const LogType = kind === 'RequestResponse' ? 'Tail' : undefined;
          const answer = await lambda.send(new InvokeCommand({ ...input, InvocationType: kind, LogType }));
          done = {
            ...partial,
            status: answer.StatusCode,
            functionError: answer.FunctionError,
            answer: decode(answer.Payload),
            failure: answer.FunctionError ? readFunctionError(decode(answer.Payload)) : undefined,
            log: decodeLog(answer.LogResult),
            requestId: answer.$metadata.requestId,
            version: answer.ExecutedVersion,
          };
        }
        setResult({
          ...done,
          report: readReport(done.log),
          roundTripMs: performance.now() - started,
          running: false,
        });
      } catch (refusal) {
        // Whatever kept the invoke from happening is shown as the result.
        if (isExpired(refusal)) signOut('expired');
        setResult({ ...partial, refusal, roundTripMs: performance.now() - started, running: false });
      } finally {
        setRunning(false);
      }
    },
    [lambda, functionName],
  );
  return { result, running, run };
}

async function stream(
  lambda: LambdaClient,
  input: { FunctionName: string; Qualifier: string | undefined; Payload: Uint8Array },
  partial: RunResult,
  show: (result: RunResult) => void,
): Promise<RunResult> {
  const answer = await lambda.send(new InvokeWithResponseStreamCommand({ ...input, LogType: 'Tail' }));
  let shown: RunResult = {
    ...partial,
    status: answer.StatusCode,
    requestId: answer.$metadata.requestId,
    version: answer.ExecutedVersion,
  };
  const decoder = new TextDecoder();
  for await (const event of answer.EventStream ?? []) {
    if (event.PayloadChunk) {
      shown = { ...shown, answer: shown.answer + decoder.decode(event.PayloadChunk.Payload, { stream: true }) };
      show(shown);
    } else if (event.InvokeComplete) {
      const { ErrorCode, ErrorDetails, LogResult } = event.InvokeComplete;
      const failure = ErrorCode
        ? (readFunctionError(ErrorDetails ?? '') ?? { errorType: ErrorCode, errorMessage: ErrorDetails })
        : undefined;
      shown = { ...shown, functionError: ErrorCode, failure, log: decodeLog(LogResult) };
    }
  }
  return shown;
}
