import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import LiveRegion from '@cloudscape-design/components/live-region';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Tabs from '@cloudscape-design/components/tabs';
import type { ReactNode } from 'react';
import { messageOf } from '../../aws/errors.ts';
import { formatMs } from '../../language/format.ts';
import { type Text, useLanguage, useText } from '../../language/language.ts';
import { ADDRESSES } from '../../shell/addresses.ts';
import { PageLink } from '../../shell/PageLink.tsx';
import { useFunction } from '../functionContext.ts';
import type { Report } from '../report.ts';
import { type FunctionError, readJson } from '../stackTrace.ts';
import { LogText } from './LogText.tsx';
import type { RunResult } from './testRun.ts';

function titleOf(result: RunResult, t: Text): { type: 'success' | 'error' | 'info'; title: string } {
  const event = result.eventName;
  if (result.running) return { type: 'info', title: t('runRunning', { event }) };
  if (result.refusal !== undefined) return { type: 'error', title: t('runRefused') };
  if (result.functionError) return { type: 'error', title: t('runFailed', { event }) };
  if (result.kind === 'Event') return { type: 'success', title: t('runQueued', { event }) };
  if (result.kind === 'DryRun') return { type: 'success', title: t('runAllowed') };
  return { type: 'success', title: t('runSucceeded', { event }) };
}

interface Props {
  readonly result: RunResult;
}

/** What an invoke answered, logged and cost. */
export function TestResult({ result }: Props) {
  const t = useText();
  const { openPlace, configuration } = useFunction();
  const { type, title } = titleOf(result, t);
  const parsed = readJson(result.answer);
  const group = configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${configuration.FunctionName}`;
  return (
    <div data-testid="result">
      <Alert type={type} header={<LiveRegion tagName="span">{title}</LiveRegion>} statusIconAriaLabel={t(type)}>
        <SpaceBetween size="m">
          {result.refusal !== undefined && <Box>{messageOf(result.refusal)}</Box>}
          {result.failure && <Failure failure={result.failure} />}
          {result.report && <Cost report={result.report} result={result} />}
          {result.answer !== '' && (
            <Tabs
              variant="default"
              disableContentPaddings
              ariaLabel={t('response')}
              tabs={[
                {
                  id: 'pretty',
                  label: t('response'),
                  content: (
                    <Output
                      text={parsed === undefined ? result.answer : JSON.stringify(parsed, null, 2)}
                      label={t('copyResponse')}
                    />
                  ),
                },
                { id: 'raw', label: t('raw'), content: <Output text={result.answer} label={t('copyResponse')} /> },
              ]}
            />
          )}
          {result.log !== '' && (
            <ExpandableSection
              defaultExpanded
              headerText={t('functionLogs')}
              headerActions={<PageLink to={ADDRESSES.logGroup(group)}>{t('openLogGroup')}</PageLink>}
            >
              <LogText text={result.log} onPlace={openPlace} />
            </ExpandableSection>
          )}
        </SpaceBetween>
      </Alert>
    </div>
  );
}

function Output({ text, label }: { readonly text: string; readonly label: string }) {
  const t = useText();
  return (
    <div className="output">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reachable by keyboard */}
      <pre className="mono log" data-testid="answer" tabIndex={0}>
        {text}
      </pre>
      <div className="copy">
        <CopyToClipboard
          variant="icon"
          textToCopy={text}
          copyButtonAriaLabel={label}
          copySuccessText={t('copied')}
          copyErrorText={t('notCopied')}
        />
      </div>
    </div>
  );
}

function Failure({ failure }: { readonly failure: FunctionError }) {
  const t = useText();
  const { openPlace } = useFunction();
  return (
    <SpaceBetween size="xs">
      <Box>
        <Box variant="strong" color="inherit">
          {failure.errorType ?? t('error')}
        </Box>
        {failure.errorMessage && `: ${failure.errorMessage}`}
      </Box>
      {failure.stackTrace && failure.stackTrace.length > 0 && (
        <div data-testid="trace">
          <Box variant="small">{t('stackTraceHint')}</Box>
          <LogText text={failure.stackTrace.join('')} onPlace={openPlace} />
        </div>
      )}
    </SpaceBetween>
  );
}

function Cost({ report, result }: { readonly report: Report; readonly result: RunResult }) {
  const t = useText();
  const language = useLanguage();
  const item = (label: string, value: ReactNode) => ({ label, value });
  const share = Math.round((report.usedMb / report.memoryMb) * 100);
  return (
    <KeyValuePairs
      columns={4}
      items={[
        item(t('duration'), formatMs(report.durationMs, language)),
        item(t('billedDuration'), formatMs(report.billedMs, language)),
        report.restoreMs !== undefined
          ? item(t('restoreDuration'), formatMs(report.restoreMs, language))
          : item(t('initDuration'), report.initMs === undefined ? t('warmStart') : formatMs(report.initMs, language)),
        item(
          t('memoryUsed'),
          <ProgressBar
            ariaLabel={t('memoryUsed')}
            value={share}
            status="in-progress"
            additionalInfo={t('ofMemory', { used: report.usedMb, limit: report.memoryMb })}
          />,
        ),
        item(t('requestId'), <span className="break">{result.requestId}</span>),
        item(t('version'), result.version ?? '–'),
        item(t('roundTrip'), formatMs(Math.round(result.roundTripMs), language)),
        item(
          t('status'),
          report.status ? (
            <StatusIndicator type="error">{report.errorType ?? report.status}</StatusIndicator>
          ) : (
            <StatusIndicator type={result.functionError ? 'error' : 'success'}>
              {result.functionError ?? t('ok')}
            </StatusIndicator>
          ),
        ),
      ]}
    />
  );
}
