import { Fragment } from 'react';
import { type Place, placeOf } from '../stackTrace.ts';

interface Props {
  readonly text: string;
  readonly onPlace?: (place: Place) => void;
  /** One event among others: no box of its own. */
  readonly inline?: boolean;
}

const LEVELS: readonly (readonly [RegExp, string])[] = [
  [/^(START|END|INIT_START|EXTENSION|RESTORE_START)\b/, 'log-system'],
  [/^(REPORT|INIT_REPORT|RESTORE_REPORT)\b.*Status: (error|timeout)/, 'log-error'],
  [/^(REPORT|INIT_REPORT|RESTORE_REPORT|XRAY)\b/, 'log-system'],
  [/\[(ERROR|CRITICAL)\]|"level": ?"(ERROR|CRITICAL|FATAL)"/i, 'log-error'],
  [/\[WARN(ING)?\]|"level": ?"WARN(ING)?"/i, 'log-warning'],
  [/\[DEBUG\]|"level": ?"(DEBUG|TRACE)"/i, 'log-debug'],
  [/^Traceback |^\w*(Error|Exception)\b/, 'log-error'],
];

/** Log lines with their level as a colour; lines of a stack trace that are the function's own lead to the editor. */
export function LogText({ text, onPlace, inline = false }: Props) {
  const lines = text.replace(/\n$/, '').split('\n');
  return (
    <pre className={inline ? 'mono log-inline' : 'mono log'} tabIndex={inline ? undefined : 0}>
      {lines.map((line, index) => {
        const level = LEVELS.find(([pattern]) => pattern.test(line))?.[1];
        const place = onPlace && placeOf(line);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity and never move
          <Fragment key={index}>
            <span className={level}>
              {place ? (
                <button type="button" className="place" onClick={() => onPlace(place)}>
                  {line}
                </button>
              ) : (
                line
              )}
            </span>
            {'\n'}
          </Fragment>
        );
      })}
    </pre>
  );
}
